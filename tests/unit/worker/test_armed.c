/* test_armed.c - which databases may write to calendars. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "worker/armed.h"

/* One that runs where it was armed. */
static struct armed_view view_at_home(void)
{
	const struct armed_place place = {
	    .system = "7001", .timeline = 2, .database = 16385, .kafka = "cluster"};

	return (struct armed_view){.has_row = true, .row = place, .here = place};
}

static void check_decided(const struct armed_view *view, enum armed wanted, const char *word)
{
	char reason[ARMED_REASON_SIZE];

	assert_int_equal(armed_decide(view, reason), wanted);
	assert_non_null(strstr(reason, word));
	assert_int_equal(reason[0] != '\0', wanted == ARMED_HELD);
}

static void a_database_that_runs_where_it_was_armed_may_write(void **state)
{
	struct armed_view view = view_at_home();

	(void)state;
	check_decided(&view, ARMED_YES, "");
	view.behind = 3; /* somebody reset the group forward */
	check_decided(&view, ARMED_YES, "");
}

static void a_database_that_was_never_armed_arms_itself(void **state)
{
	struct armed_view view = view_at_home();

	(void)state;
	view.has_row = false;
	check_decided(&view, ARMED_FIRST, "");
	view.behind = 3; /* a topic of an earlier database */
	check_decided(&view, ARMED_FIRST, "");
}

static void a_copy_is_held_wherever_it_runs(void **state)
{
	struct armed_view view = view_at_home();

	(void)state;
	snprintf(view.here.system, sizeof view.here.system, "7002");
	check_decided(&view, ARMED_HELD, "another PostgreSQL");
	view = view_at_home();
	view.here.database++;
	check_decided(&view, ARMED_HELD, "copy");
	view = view_at_home();
	snprintf(view.here.kafka, sizeof view.here.kafka, "another");
	check_decided(&view, ARMED_HELD, "Kafka cluster");
}

static void a_failover_that_lost_nothing_goes_on(void **state)
{
	struct armed_view view = view_at_home();

	(void)state;
	view.here.timeline++;
	check_decided(&view, ARMED_MOVED, "");
	snprintf(view.here.kafka, sizeof view.here.kafka, "another");
	check_decided(&view, ARMED_HELD, "Kafka cluster");
}

static void a_database_that_was_set_back_is_held(void **state)
{
	struct armed_view view = view_at_home();

	(void)state;
	view.here.timeline++;
	view.behind = 1;
	check_decided(&view, ARMED_HELD, "set back");
	view = view_at_home();
	view.here.timeline--;
	check_decided(&view, ARMED_HELD, "set back");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_database_that_runs_where_it_was_armed_may_write),
	    cmocka_unit_test(a_database_that_was_never_armed_arms_itself),
	    cmocka_unit_test(a_copy_is_held_wherever_it_runs),
	    cmocka_unit_test(a_failover_that_lost_nothing_goes_on),
	    cmocka_unit_test(a_database_that_was_set_back_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
