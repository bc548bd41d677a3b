/* test_relation.c - tables as the stream announces them, and those that are not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "producer/relation.h"

static struct hostmap map;
static struct pgoutput_message message; /* large */

static void announce(const char *table, char identity, int count, const char *const *names)
{
	message.kind = PGOUTPUT_RELATION;
	message.relation = 16400;
	message.schema = "public";
	message.table = table;
	message.identity = identity;
	message.column_count = (uint16_t)count;
	for (int i = 0; i < count; i++) {
		message.columns[i] =
		    (struct pgoutput_column){.name = names[i], .type = 2950, .modifier = -1};
	}
}

static const char *const ASSIGNMENT[] = {"id", "project_id", "user_id"};
static const char *const PROJECT[] = {"id", "client_name", "start_date", "end_date", "notes"};

static bool learn(struct fault *fault)
{
	struct relations relations;
	bool ok;

	relations_init(&relations, &map);
	ok = relations_learn(&relations, &message, fault);
	relations_clear(&relations);
	return ok;
}

static void a_table_is_known_by_its_name_and_its_columns_by_theirs(void **state)
{
	struct relations relations;
	struct relation *relation;
	struct fault fault;

	(void)state;
	relations_init(&relations, &map);
	announce("project_assignments", 'f', 3, ASSIGNMENT);
	assert_true(relations_learn(&relations, &message, &fault));
	relation = relations_find(&relations, 16400, &fault);
	assert_non_null(relation);
	assert_int_equal(relation->role, RELATION_ASSIGNMENTS);
	assert_int_equal(relation->at.user_id, 2);
	assert_int_equal(relation->at.client_name, -1);
	assert_null(relations_find(&relations, 1, &fault));
	assert_int_equal(fault.kind, FAULT_FATAL);
	relations_clear(&relations);
}

static void without_the_old_user_the_stream_stops_with_the_fix(void **state)
{
	struct fault fault;

	(void)state;
	announce("project_assignments", 'd', 3, ASSIGNMENT);
	assert_false(learn(&fault));
	assert_int_equal(fault.kind, FAULT_FATAL);
	assert_non_null(
	    strstr(fault.what, "ALTER TABLE public.project_assignments REPLICA IDENTITY FULL"));
	announce("project_assignments", 'i', 3, ASSIGNMENT);
	message.columns[0].is_key = true;
	assert_false(learn(&fault));
	message.columns[2].is_key = true;
	assert_true(learn(&fault));
	announce("projects", 'i', 5, PROJECT);
	assert_false(learn(&fault));
	announce("projects", 'f', 5, PROJECT);
	assert_true(learn(&fault));
}

static void a_column_that_is_missing_stops_it(void **state)
{
	struct fault fault;

	(void)state;
	announce("projects", 'f', 4, PROJECT);
	assert_false(learn(&fault));
	announce("project_assignments", 'f', 2, ASSIGNMENT);
	assert_false(learn(&fault));
}

static void tables_of_others_are_let_pass(void **state)
{
	struct fault fault;

	(void)state;
	announce("invoices", 'd', 3, ASSIGNMENT);
	assert_true(learn(&fault));
}

static void a_row_with_more_or_fewer_columns_than_its_table_is_refused(void **state)
{
	struct relations relations;
	const struct relation *relation;
	struct fault fault;

	(void)state;
	relations_init(&relations, &map);
	announce("project_assignments", 'f', 3, ASSIGNMENT);
	assert_true(relations_learn(&relations, &message, &fault));
	relation = relations_find(&relations, 16400, &fault);
	message.kind = PGOUTPUT_UPDATE;
	message.old_kind = 'O';
	message.old_tuple.count = 3;
	message.new_tuple.count = 3;
	assert_true(relation_fits(relation, &message, &fault));
	message.old_tuple.count = 2;
	assert_false(relation_fits(relation, &message, &fault));
	assert_int_equal(fault.kind, FAULT_FATAL);
	message.old_kind = '\0';
	assert_true(relation_fits(relation, &message, &fault));
	message.new_tuple.count = 4;
	assert_false(relation_fits(relation, &message, &fault));
	message.kind = PGOUTPUT_DELETE;
	assert_true(relation_fits(relation, &message, &fault));
	relations_clear(&relations);
}

static void a_row_on_its_way_keeps_the_definition_it_came_with(void **state)
{
	static const char *const WIDER[] = {"id", "project_id", "user_id", "notes"};
	struct relations relations;
	struct relation *held;
	struct fault fault;

	(void)state;
	relations_init(&relations, &map);
	announce("project_assignments", 'f', 3, ASSIGNMENT);
	assert_true(relations_learn(&relations, &message, &fault));
	held = relation_hold(relations_find(&relations, 16400, &fault));
	announce("project_assignments", 'f', 4, WIDER);
	assert_true(relations_learn(&relations, &message, &fault));
	assert_int_equal(held->column_count, 3);
	assert_int_equal(relations_find(&relations, 16400, &fault)->column_count, 4);
	relations_clear(&relations);
	assert_string_equal(held->columns[0].name, "id");
	relation_let_go(held);
}

static void a_type_of_the_hosts_own_waits_for_the_catalog(void **state)
{
	struct relations relations;
	struct fault fault;

	(void)state;
	relations_init(&relations, &map);
	announce("project_assignments", 'f', 3, ASSIGNMENT);
	message.columns[1].type = 20001;
	assert_true(relations_learn(&relations, &message, &fault));
	assert_false(relations_find(&relations, 16400, &fault)->typed);
	relations_clear(&relations);
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
	    cmocka_unit_test(a_table_is_known_by_its_name_and_its_columns_by_theirs),
	    cmocka_unit_test(without_the_old_user_the_stream_stops_with_the_fix),
	    cmocka_unit_test(a_column_that_is_missing_stops_it),
	    cmocka_unit_test(tables_of_others_are_let_pass),
	    cmocka_unit_test(a_row_with_more_or_fewer_columns_than_its_table_is_refused),
	    cmocka_unit_test(a_row_on_its_way_keeps_the_definition_it_came_with),
	    cmocka_unit_test(a_type_of_the_hosts_own_waits_for_the_catalog),
	};

	return cmocka_run_group_tests(tests, load_map, NULL);
}
