/* test_explore.c - the protocol holds in every order of events, whatever one or two faults do. */
#include "tests/unit/worker/holds.h"

static void without_faults_every_history_ends_as_its_last_version(void **state)
{
	const struct model_config config = {0};

	(void)state;
	holds(config, "ABCD");
	holds(config, "ABA");
	holds(config, "AB-");
	holds(config, "A-BC");
	holds(config, "A-B-");
}

static void a_worker_that_dies_while_its_partition_moves_leaves_no_older_state(void **state)
{
	const struct model_config config = {.budget = {[WORKER_CRASHES] = 1, [TAKEOVERS] = 1}};

	(void)state;
	holds(config, "ABC");
	holds(config, "AB-");
	holds(config, "A-B");
	holds(config, "ABA");
}

static void a_producer_that_repeats_itself_changes_nothing(void **state)
{
	const struct model_config config = {
	    .budget = {[PRODUCER_CRASHES] = 1, [LATE_APPENDS] = 1, [TAKEOVERS] = 1}};

	(void)state;
	holds(config, "AB");
	holds(config, "A-");
}

static void an_unanswered_request_that_lands_late_is_made_good(void **state)
{
	const struct model_config moving = {.budget = {[LOST_ANSWERS] = 1, [TAKEOVERS] = 1}};
	const struct model_config dying = {.budget = {[LOST_ANSWERS] = 1, [WORKER_CRASHES] = 1}};
	const struct model_config twice = {.budget = {[LOST_ANSWERS] = 2}};

	(void)state;
	holds(moving, "AB-");
	holds(moving, "A-B");
	holds(dying, "ABC");
	holds(dying, "A-B");
	holds(twice, "AB-");
	holds(twice, "A-BC");
}

static void a_row_whose_write_is_not_heard_of_is_read_again(void **state)
{
	const struct model_config config = {
	    .budget = {[LOST_WRITES] = 1, [WORKER_CRASHES] = 1, [LOST_ANSWERS] = 1}};
	const struct model_config twice = {.budget = {[LOST_WRITES] = 2, [TAKEOVERS] = 1}};

	(void)state;
	holds(config, "AB");
	holds(config, "A-");
	holds(twice, "AB-");
}

static void a_throttled_call_is_taken_back_and_made_up_for_by_a_sync(void **state)
{
	const struct model_config config = {
	    .budget = {[THROTTLES] = 1, [LOST_ANSWERS] = 1, [TAKEOVERS] = 1}};
	const struct model_config unheard = {.budget = {[THROTTLES] = 2, [LOST_WRITES] = 1}};

	(void)state;
	holds(config, "AB");
	holds(config, "A-");
	holds(unheard, "A-B");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_faults_every_history_ends_as_its_last_version),
	    cmocka_unit_test(a_worker_that_dies_while_its_partition_moves_leaves_no_older_state),
	    cmocka_unit_test(a_producer_that_repeats_itself_changes_nothing),
	    cmocka_unit_test(an_unanswered_request_that_lands_late_is_made_good),
	    cmocka_unit_test(a_row_whose_write_is_not_heard_of_is_read_again),
	    cmocka_unit_test(a_throttled_call_is_taken_back_and_made_up_for_by_a_sync),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
