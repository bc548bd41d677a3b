/* test_stall.c - only what a restart would mend counts as standing still. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/stall.h"

/* A partition that is read, in good order, for a long time. */
static struct stall_view idle(void)
{
	return (struct stall_view){.is_read = true,
				   .has_room = true,
				   .has_place = true,
				   .is_end_known = true,
				   .end = 100,
				   .position = 100,
				   .idle_ms = STALL_IDLE_MS + 1};
}

static void a_partition_that_is_read_to_its_end_is_idle(void **state)
{
	struct stall_view view = idle();

	(void)state;
	view.idle_ms = 86400000;
	assert_int_equal(stall_of(&view), STALL_NONE);
}

static void records_that_no_run_takes_are_a_stall(void **state)
{
	struct stall_view view = idle();

	(void)state;
	view.open = 1;
	assert_int_equal(stall_of(&view), STALL_UNSERVED);
	view.idle_ms = STALL_IDLE_MS;
	assert_int_equal(stall_of(&view), STALL_NONE);
}

static void records_that_wait_for_a_place_or_a_run_are_none(void **state)
{
	struct stall_view view = idle();

	(void)state;
	view.open = 500;
	view.has_place = false;
	assert_int_equal(stall_of(&view), STALL_NONE);
	view.has_place = true;
	view.holds = 1; /* Microsoft, PostgreSQL or the dead letters' topic lets it wait */
	view.silent_ms = 30000;
	assert_int_equal(stall_of(&view), STALL_NONE);
}

static void a_log_that_has_more_and_delivers_nothing_is_a_stall(void **state)
{
	struct stall_view view = idle();

	(void)state;
	view.end = 101;
	assert_int_equal(stall_of(&view), STALL_UNREAD);
	view.idle_ms = STALL_IDLE_MS;
	assert_int_equal(stall_of(&view), STALL_NONE);
}

static void reading_that_waits_for_somebody_outside_is_none(void **state)
{
	struct stall_view view = idle();

	(void)state;
	view.end = 5000;
	view.is_read = false; /* a drain, a claim, a comparison */
	assert_int_equal(stall_of(&view), STALL_NONE);
	view = idle();
	view.end = 5000;
	view.has_room = false; /* the window or the ceiling */
	assert_int_equal(stall_of(&view), STALL_NONE);
	view = idle();
	view.end = 5000;
	view.is_end_known = false; /* Kafka does not answer, or has not been asked since */
	assert_int_equal(stall_of(&view), STALL_NONE);
	view = idle();
	view.end = 5000;
	view.has_failed = true; /* Kafka refuses, and said so */
	assert_int_equal(stall_of(&view), STALL_NONE);
	view = idle();
	view.end = 5000;
	view.holds = 1;
	assert_int_equal(stall_of(&view), STALL_NONE);
}

static void what_answers_within_no_deadline_is_a_stall_whatever_else_is(void **state)
{
	struct stall_view view = {.holds = 1, .silent_ms = STALL_SILENT_MS + 1};

	(void)state;
	assert_int_equal(stall_of(&view), STALL_SILENT);
	view.silent_ms = STALL_SILENT_MS;
	assert_int_equal(stall_of(&view), STALL_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_partition_that_is_read_to_its_end_is_idle),
	    cmocka_unit_test(records_that_no_run_takes_are_a_stall),
	    cmocka_unit_test(records_that_wait_for_a_place_or_a_run_are_none),
	    cmocka_unit_test(a_log_that_has_more_and_delivers_nothing_is_a_stall),
	    cmocka_unit_test(reading_that_waits_for_somebody_outside_is_none),
	    cmocka_unit_test(what_answers_within_no_deadline_is_a_stall_whatever_else_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
