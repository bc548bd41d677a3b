/* test_change.c - a change owns copies of its assignment's texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/change.h"

static void texts_are_copies_that_outlive_their_source(void **state)
{
	char name[] = "Acme";
	char notes[] = "bring boots";
	struct change *change = change_new(&(struct assignment){.client_name = name,
								.status = "confirmed",
								.notes = notes,
								.project_notes = "",
								.start_day = 20780,
								.end_day = 20781});

	(void)state;
	assert_non_null(change);
	memset(name, 'x', sizeof name - 1);
	memset(notes, 'x', sizeof notes - 1);
	assert_string_equal(change->assignment.client_name, "Acme");
	assert_string_equal(change->assignment.status, "confirmed");
	assert_string_equal(change->assignment.notes, "bring boots");
	assert_string_equal(change->assignment.project_notes, "");
	assert_int_equal(change->assignment.start_day, 20780);
	assert_int_equal(change->assignment.end_day, 20781);
	free(change);
}

static void null_stays_null_and_the_rest_is_empty(void **state)
{
	struct change *change =
	    change_new(&(struct assignment){.start_day = CHANGE_NO_DAY, .end_day = CHANGE_NO_DAY});

	(void)state;
	assert_non_null(change);
	assert_null(change->assignment.client_name);
	assert_null(change->assignment.status);
	assert_null(change->assignment.notes);
	assert_null(change->assignment.project_notes);
	assert_int_equal(change->assignment.start_day, CHANGE_NO_DAY);
	assert_false(change->is_gone);
	assert_false(change->has_xid);
	assert_string_equal(change->pos, "");
	free(change);
}

static void the_floor_stands_before_every_position_of_a_record(void **state)
{
	struct pos first = {.epoch = 1, .commit_lsn = 0, .ordinal = 0};
	char text[POS_TEXT_SIZE];
	struct pos floor;

	(void)state;
	pos_format(&first, text);
	assert_true(pos_parse(CHANGE_POS_FLOOR, strlen(CHANGE_POS_FLOOR), &floor));
	assert_true(strcmp(CHANGE_POS_FLOOR, text) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(texts_are_copies_that_outlive_their_source),
	    cmocka_unit_test(null_stays_null_and_the_rest_is_empty),
	    cmocka_unit_test(the_floor_stands_before_every_position_of_a_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
