/* test_reconcile.c - whose event a listed one is, and when we ask before removing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/reconcile.h"

static char event_id[] = "AAMk=";
static char other_id[] = "AAMk-other=";

/* ---- which event is an assignment's ---- */

static void the_event_that_the_row_knows_goes_before_the_first_one(void **state)
{
	struct uuid assignment = {{1}};
	struct listed events[4] = {
	    {.has_assignment = false, .assignment = {{1}}, .id = (char[]){"none"}},
	    {.has_assignment = true, .assignment = {{2}}, .id = (char[]){"foreign"}},
	    {.has_assignment = true, .assignment = {{1}}, .id = other_id},
	    {.has_assignment = true, .assignment = {{1}}, .id = event_id}};
	struct listing listing = {.events = events, .count = 4};
	struct row row = {.is = {.state = ROW_SYNCED, .event_id = event_id}};

	(void)state;
	assert_ptr_equal(reconcile_find(&listing, &assignment, &row), &events[3]);
	assert_ptr_equal(reconcile_find(&listing, &assignment, NULL), &events[2]);
	row.is.event_id = NULL;
	assert_ptr_equal(reconcile_find(&listing, &assignment, &row), &events[2]);
	row.is.event_id = (char[]){"gone"};
	assert_ptr_equal(reconcile_find(&listing, &assignment, &row), &events[2]);
	assignment.bytes[0] = 3;
	assert_null(reconcile_find(&listing, &assignment, NULL));
}

/* ---- the brake ---- */

static void a_few_orphans_go_without_asking(void **state)
{
	(void)state;
	assert_false(reconcile_needs_word(0, 0));
	assert_false(reconcile_needs_word(1, 1));
	assert_false(reconcile_needs_word(RECONCILE_BRAKE_COUNT, RECONCILE_BRAKE_COUNT));
}

static void more_than_a_share_of_a_calendar_needs_a_persons_word(void **state)
{
	size_t many = RECONCILE_BRAKE_COUNT + 1;

	(void)state;
	assert_true(reconcile_needs_word(many, many));
	assert_true(reconcile_needs_word(many, 2 * many - 1));
	assert_false(reconcile_needs_word(many, 2 * many));
	assert_false(reconcile_needs_word(500, 1000));
	assert_true(reconcile_needs_word(501, 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_event_that_the_row_knows_goes_before_the_first_one),
	    cmocka_unit_test(a_few_orphans_go_without_asking),
	    cmocka_unit_test(more_than_a_share_of_a_calendar_needs_a_persons_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
