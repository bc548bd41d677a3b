/* test_explore_all.c - larger worlds for the explorer, minutes of them: run by scripts/test --all.
 */
#include "tests/unit/worker/holds.h"

static void three_kinds_of_faults_in_one_life_leave_no_older_state(void **state)
{
	const struct model_config config = {
	    .budget = {[PRODUCER_CRASHES] = 1, [WORKER_CRASHES] = 1, [TAKEOVERS] = 1}};

	(void)state;
	holds(config, "AB");
	holds(config, "A-");
}

static void a_partition_that_moves_twice_under_a_dying_worker_leaves_no_older_state(void **state)
{
	const struct model_config config = {.budget = {[WORKER_CRASHES] = 1, [TAKEOVERS] = 2}};

	(void)state;
	holds(config, "AB");
	holds(config, "AB-");
}

static void unanswered_requests_and_deaths_in_one_life_are_made_good(void **state)
{
	const struct model_config config = {
	    .budget = {[LOST_ANSWERS] = 1, [WORKER_CRASHES] = 1, [TAKEOVERS] = 1}};
	const struct model_config twice = {
	    .budget = {[LOST_ANSWERS] = 2, [WORKER_CRASHES] = 1, [LOST_WRITES] = 1}};

	(void)state;
	holds(config, "AB");
	holds(config, "A-");
	holds(twice, "AB");
}

static void a_late_record_among_faults_changes_nothing(void **state)
{
	const struct model_config config = {
	    .budget = {[PRODUCER_CRASHES] = 1, [LATE_APPENDS] = 1, [WORKER_CRASHES] = 1}};

	(void)state;
	holds(config, "AB-");
}

static void a_person_among_faults_is_obeyed_or_made_good(void **state)
{
	const struct model_config dying = {
	    .budget = {[HAND_DELETIONS] = 1, [WORKER_CRASHES] = 1, [TAKEOVERS] = 1}};
	const struct model_config respected = {
	    .respects_deletion = true,
	    .budget = {[HAND_DELETIONS] = 1, [LOST_ANSWERS] = 1, [TAKEOVERS] = 1}};

	(void)state;
	holds(dying, "AB");
	holds(dying, "A-");
	holds(respected, "AB");
	holds(respected, "A-");
}

static void a_replay_among_faults_ends_as_the_last_version(void **state)
{
	const struct model_config config = {
	    .budget = {[RESETS] = 1, [SYNCS] = 1, [TAKEOVERS] = 1, [LOST_ANSWERS] = 1}};

	(void)state;
	holds(config, "AB");
	holds(config, "A-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(three_kinds_of_faults_in_one_life_leave_no_older_state),
	    cmocka_unit_test(
		a_partition_that_moves_twice_under_a_dying_worker_leaves_no_older_state),
	    cmocka_unit_test(unanswered_requests_and_deaths_in_one_life_are_made_good),
	    cmocka_unit_test(a_late_record_among_faults_changes_nothing),
	    cmocka_unit_test(a_person_among_faults_is_obeyed_or_made_good),
	    cmocka_unit_test(a_replay_among_faults_ends_as_the_last_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
