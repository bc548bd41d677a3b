/* test_assemble.c - who hears of a change, and at which position. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "frames.h"
#include "producer/assemble.h"

static struct hostmap map;

/* id, user_id, project_id, notes */
static struct relation *assignments(void)
{
	static const char *const NAMES[] = {"id", "user_id", "project_id", "notes"};
	struct relation *relation = relation_new(&map, "public", "project_assignments", 4);

	for (int i = 0; i < 4; i++) {
		struct relation_column column = {.type = pgtype_of(25, -1)};

		strncpy(column.name, NAMES[i], sizeof column.name - 1);
		relation_set_column(relation, &map, i, &column);
	}
	return relation;
}

static struct relation *projects(void)
{
	static const char *const NAMES[] = {"id",	"client_name", "start_date",
					    "end_date", "notes",       "sales_amount"};
	struct relation *relation = relation_new(&map, "public", "projects", 6);

	for (int i = 0; i < 6; i++) {
		struct relation_column column = {.type = pgtype_of(25, -1)};

		strncpy(column.name, NAMES[i], sizeof column.name - 1);
		relation_set_column(relation, &map, i, &column);
	}
	return relation;
}

struct change {
	struct relation *relation;
	struct pgoutput_value old_values[6];
	struct pgoutput_value new_values[6];
	struct assemble_change change;
	struct assemble_record records[ASSEMBLE_RECORDS_MAX];
	int count;
};

/* NULL for a row that is not there. */
static void arrange(struct change *test, struct relation *relation, char kind,
		    const char *const *old_row, const char *const *new_row)
{
	uint16_t count = (uint16_t)relation->column_count;

	test->relation = relation;
	for (int i = 0; i < count; i++) {
		test->old_values[i] = frame_value(old_row != NULL ? old_row[i] : NULL);
		test->new_values[i] = frame_value(new_row != NULL ? new_row[i] : NULL);
	}
	test->change =
	    (struct assemble_change){.relation = relation,
				     .kind = kind,
				     .row = 5,
				     .old_values = old_row != NULL ? test->old_values : NULL,
				     .old_count = old_row != NULL ? count : 0,
				     .new_values = new_row != NULL ? test->new_values : NULL,
				     .new_count = new_row != NULL ? count : 0};
}

static void assemble(struct change *test, char kind, const char *const *old_row,
		     const char *const *new_row)
{
	arrange(test, assignments(), kind, old_row, new_row);
	test->count = assemble_records(&test->change, test->records);
	relation_let_go(test->relation);
}

static bool is_key(const struct assemble_key *key, const char *user, const char *id)
{
	return strncmp(key->user_id->text, user, strlen(user)) == 0 &&
	       strncmp(key->id->text, id, strlen(id)) == 0;
}

static const char *const OF_A[] = {"x", "a", "p", "n"};
static const char *const OF_A_LATER[] = {"x", "a", "p", "m"};
static const char *const OF_B[] = {"x", "b", "p", "n"};
static const char *const OF_NOBODY[] = {"x", NULL, "p", "n"};

static void an_insert_is_one_c(void **state)
{
	struct change test;

	(void)state;
	assemble(&test, 'I', NULL, OF_A);
	assert_int_equal(test.count, 1);
	assert_int_equal(test.records[0].op, 'c');
	assert_int_equal(test.records[0].ordinal, 16);
	assert_true(is_key(&test.records[0].key, "a", "x"));
}

static void an_update_that_keeps_the_user_is_one_u(void **state)
{
	struct change test;

	(void)state;
	assemble(&test, 'U', OF_A, OF_A_LATER);
	assert_int_equal(test.count, 1);
	assert_int_equal(test.records[0].op, 'u');
	assemble(&test, 'U', NULL, OF_A_LATER); /* an index as identity sends no old row then */
	assert_int_equal(test.count, 1);
	assert_int_equal(test.records[0].op, 'u');
}

/* A table with many text columns may keep even its ids elsewhere; the log then leaves them out. */
static void a_key_that_was_not_sent_is_the_old_rows(void **state)
{
	static const char *const UNSENT[] = {"<unchanged>", "<unchanged>", "p", "m"};
	struct change test;

	(void)state;
	assemble(&test, 'U', OF_A, UNSENT);
	assert_int_equal(test.count, 1);
	assert_int_equal(test.records[0].op, 'u');
	assert_true(is_key(&test.records[0].key, "a", "x"));
}

static void a_removal_is_d_and_tombstone(void **state)
{
	struct change test;

	(void)state;
	assemble(&test, 'D', OF_A, NULL);
	assert_int_equal(test.count, 2);
	assert_int_equal(test.records[0].op, 'd');
	assert_int_equal(test.records[0].ordinal, 16);
	assert_false(test.records[0].has_new_key);
	assert_int_equal(test.records[1].op, '\0');
	assert_int_equal(test.records[1].ordinal, 17);
}

static void a_reassignment_tells_the_old_user_first_then_the_new_one(void **state)
{
	struct change test;

	(void)state;
	assemble(&test, 'U', OF_A, OF_B);
	assert_int_equal(test.count, 3);
	assert_int_equal(test.records[0].op, 'd');
	assert_true(is_key(&test.records[0].key, "a", "x"));
	assert_true(test.records[0].has_new_key);
	assert_true(is_key(&test.records[0].other_key, "b", "x"));
	assert_int_equal(test.records[1].op, '\0');
	assert_true(test.records[1].has_new_key);
	assert_int_equal(test.records[2].op, 'c');
	assert_int_equal(test.records[2].ordinal, 18);
	assert_true(is_key(&test.records[2].key, "b", "x"));
	assert_true(test.records[2].has_old_key);
	assert_true(is_key(&test.records[2].other_key, "a", "x"));
}

static void an_assignment_without_a_user_is_nobodys(void **state)
{
	struct change test;

	(void)state;
	assemble(&test, 'I', NULL, OF_NOBODY);
	assert_int_equal(test.count, 0);
	assemble(&test, 'U', OF_NOBODY, OF_A);
	assert_int_equal(test.count, 1);
	assert_int_equal(test.records[0].op, 'c');
	assemble(&test, 'U', OF_A, OF_NOBODY);
	assert_int_equal(test.count, 2);
	assert_int_equal(test.records[0].op, 'd');
	assert_false(test.records[0].has_new_key);
}

static void positions_of_neighbouring_rows_never_meet(void **state)
{
	(void)state;
	assert_int_equal(assemble_ordinal(0), 1); /* 0 is the snapshot's */
	assert_int_equal(assemble_ordinal(1), assemble_ordinal(0) + ASSEMBLE_RECORDS_MAX);
	assert_true((uint64_t)ASSEMBLE_ROWS_MAX * ASSEMBLE_RECORDS_MAX + 3 < UINT32_MAX);
}

static void only_what_events_show_makes_a_projects_edit_one(void **state)
{
	static const char *const BEFORE[] = {"p", "Acme", "2026-01-01", "2026-01-02", NULL, "1"};
	static const char *const SALES[] = {"p", "Acme", "2026-01-01", "2026-01-02", NULL, "2"};
	static const char *const NAME[] = {"p", "Acme 2", "2026-01-01", "2026-01-02", NULL, "1"};
	static const char *const NOTES[] = {"p", "Acme", "2026-01-01", "2026-01-02", "", "1"};
	static const char *const TOAST[] = {"p",	  "Acme",	 "2026-01-01",
					    "2026-01-02", "<unchanged>", "2"};
	const struct {
		const char *const *old_row;
		const char *const *new_row;
		char kind;
		bool shows;
	} edits[] = {{BEFORE, SALES, 'U', false}, {BEFORE, NAME, 'U', true},
		     {BEFORE, NOTES, 'U', true},  {BEFORE, TOAST, 'U', false},
		     {NULL, SALES, 'U', true},	  {NULL, NAME, 'I', false},
		     {BEFORE, NULL, 'D', false}};

	(void)state;
	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
		struct change test;

		arrange(&test, projects(), edits[i].kind, edits[i].old_row, edits[i].new_row);
		assert_int_equal(assemble_project_shows(&test.change), edits[i].shows);
		relation_let_go(test.relation);
	}
}

static int load_map(void **state)
{
	struct fault fault;

	(void)state;
	return hostmap_load(&map, NULL, &fault) ? 0 : 1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_insert_is_one_c),
	    cmocka_unit_test(an_update_that_keeps_the_user_is_one_u),
	    cmocka_unit_test(a_key_that_was_not_sent_is_the_old_rows),
	    cmocka_unit_test(a_removal_is_d_and_tombstone),
	    cmocka_unit_test(a_reassignment_tells_the_old_user_first_then_the_new_one),
	    cmocka_unit_test(an_assignment_without_a_user_is_nobodys),
	    cmocka_unit_test(positions_of_neighbouring_rows_never_meet),
	    cmocka_unit_test(only_what_events_show_makes_a_projects_edit_one),
	};

	return cmocka_run_group_tests(tests, load_map, NULL);
}
