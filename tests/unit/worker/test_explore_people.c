/* test_explore_people.c - the protocol holds in every order of events, whatever people do
 * meanwhile: syncs, deletions, edits, replays. */
#include "tests/unit/worker/holds.h"

static void a_sync_at_any_time_takes_nothing_back(void **state)
{
	const struct model_config config = {.budget = {[SYNCS] = 1, [LOST_ANSWERS] = 1}};
	const struct model_config dying = {
	    .budget = {[SYNCS] = 1, [WORKER_CRASHES] = 1, [TAKEOVERS] = 1}};

	(void)state;
	holds(config, "ABC");
	holds(config, "A-B");
	holds(dying, "AB");
	holds(dying, "A-");
}

static void a_sync_ahead_of_the_log_is_not_undone_by_the_records_behind_it(void **state)
{
	const struct model_config config = {
	    .names_events = true, .forbids_step_back = true, .budget = {[SYNCS] = 2}};

	(void)state;
	holds(config, "ABCD");
}

static void an_event_that_the_person_deletes_comes_back_once(void **state)
{
	const struct model_config dying = {.budget = {[HAND_DELETIONS] = 1, [WORKER_CRASHES] = 1}};
	const struct model_config synced = {
	    .budget = {[HAND_DELETIONS] = 1, [SYNCS] = 1, [LOST_ANSWERS] = 1}};

	(void)state;
	holds(dying, "ABC");
	holds(dying, "A-B");
	holds(synced, "AB");
	holds(synced, "A-B");
}

static void an_event_that_the_person_edits_is_set_right_by_a_change_or_sync(void **state)
{
	const struct model_config config = {
	    .budget = {[HAND_EDITS] = 1, [SYNCS] = 1, [WORKER_CRASHES] = 1}};

	(void)state;
	holds(config, "AB");
	holds(config, "AB-");
}

static void a_category_that_the_person_adds_survives_whatever_we_change(void **state)
{
	const struct model_config dying = {
	    .budget = {[HAND_CATEGORIES] = 1, [WORKER_CRASHES] = 1, [TAKEOVERS] = 1}};
	const struct model_config synced = {
	    .budget = {[HAND_CATEGORIES] = 1, [SYNCS] = 1, [LOST_ANSWERS] = 1}};
	const struct model_config edited = {
	    .budget = {[HAND_CATEGORIES] = 1, [HAND_EDITS] = 2, [RESETS] = 1}};

	(void)state;
	holds(dying, "AB");
	holds(synced, "ABC");
	holds(edited, "AB");
}

static void a_deletion_that_is_respected_stays(void **state)
{
	const struct model_config dying = {
	    .respects_deletion = true,
	    .budget = {[HAND_DELETIONS] = 1, [SYNCS] = 1, [WORKER_CRASHES] = 1}};
	const struct model_config unheard = {
	    .respects_deletion = true,
	    .budget = {[HAND_DELETIONS] = 1, [LOST_WRITES] = 1, [THROTTLES] = 1}};
	const struct model_config replayed = {.respects_deletion = true,
					      .budget = {[HAND_DELETIONS] = 1, [RESETS] = 1}};

	(void)state;
	holds(dying, "AB");
	holds(unheard, "ABC");
	holds(replayed, "AB-");
}

static void where_deletions_are_respected_ours_are_not_taken_for_the_persons(void **state)
{
	const struct model_config throttled = {.respects_deletion = true,
					       .budget = {[TAKEOVERS] = 1, [THROTTLES] = 1}};
	const struct model_config unheard = {.respects_deletion = true,
					     .budget = {[WORKER_CRASHES] = 1, [LOST_WRITES] = 1}};

	(void)state;
	holds(throttled, "A-B");
	holds(unheard, "A-B");
}

static void a_replay_ends_as_the_last_version(void **state)
{
	const struct model_config dying = {
	    .budget = {[RESETS] = 1, [WORKER_CRASHES] = 1, [TAKEOVERS] = 1}};
	const struct model_config synced = {
	    .budget = {[RESETS] = 1, [SYNCS] = 1, [HAND_EDITS] = 1}};
	const struct model_config late = {
	    .budget = {[RESETS] = 1, [LATE_APPENDS] = 1, [PRODUCER_CRASHES] = 1}};

	(void)state;
	holds(dying, "AB");
	holds(dying, "A-");
	holds(synced, "A-B");
	holds(late, "AB");
}

static void a_replay_never_shows_an_older_version_again(void **state)
{
	const struct model_config config = {.names_events = true,
					    .forbids_step_back = true,
					    .budget = {[RESETS] = 2, [LATE_APPENDS] = 1}};

	(void)state;
	holds(config, "ABC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_sync_at_any_time_takes_nothing_back),
	    cmocka_unit_test(a_sync_ahead_of_the_log_is_not_undone_by_the_records_behind_it),
	    cmocka_unit_test(an_event_that_the_person_deletes_comes_back_once),
	    cmocka_unit_test(an_event_that_the_person_edits_is_set_right_by_a_change_or_sync),
	    cmocka_unit_test(a_category_that_the_person_adds_survives_whatever_we_change),
	    cmocka_unit_test(a_deletion_that_is_respected_stays),
	    cmocka_unit_test(where_deletions_are_respected_ours_are_not_taken_for_the_persons),
	    cmocka_unit_test(a_replay_ends_as_the_last_version),
	    cmocka_unit_test(a_replay_never_shows_an_older_version_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
