/* test_explore_controls.c - each mechanism of the protocol is needed: without it, the explorer
 * finds what breaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/worker/explore.h"

/* Breaks as said without the mechanisms, and holds with them. */
static void breaks_without(struct model_config config, unsigned without, const char *violation)
{
	const char *found;

	config.name = "with every mechanism";
	assert_null(explore(&config).violation);
	config.name = "without one";
	config.without = without;
	found = explore(&config).violation;
	assert_non_null(found);
	assert_string_equal(found, violation);
}

#define STALE	"at rest, the event is not the last version"
#define ORPHAN	"at rest, an event is left that nobody wants"
#define MISSING "at rest, the event is missing"
#define DOUBLE	"two events of one assignment"

static const struct model_config UPDATED = {.history = "AB",
					    .budget = {[WORKER_CRASHES] = 1, [TAKEOVERS] = 1}};
static const struct model_config REMOVED = {.history = "A-",
					    .forgets_transactions = true,
					    .budget = {[WORKER_CRASHES] = 1, [TAKEOVERS] = 1}};

static void a_call_without_an_intent_leaves_an_older_state_or_an_orphan(void **state)
{
	(void)state;
	breaks_without(UPDATED, WITHOUT_INTENT, STALE);
	breaks_without(REMOVED, WITHOUT_INTENT, ORPHAN);
}

static void a_create_without_a_transaction_id_makes_two_events(void **state)
{
	(void)state;
	breaks_without(UPDATED, WITHOUT_TRANSACTION_ID, DOUBLE);
}

static void a_row_without_positions_follows_a_record_that_is_late(void **state)
{
	struct model_config config = {.history = "AB", .budget = {[LATE_APPENDS] = 1}};

	(void)state;
	breaks_without(config, WITHOUT_GUARD, STALE);
	config.history = "A-";
	breaks_without(config, WITHOUT_GUARD, ORPHAN);
}

static void a_dirty_row_that_nobody_comes_back_for_stays_wrong(void **state)
{
	(void)state;
	breaks_without(UPDATED, WITHOUT_REASSERT, STALE);
	breaks_without(REMOVED, WITHOUT_REASSERT, ORPHAN);
}

static void a_dirty_row_settled_before_its_quarantine_is_over_is_undone(void **state)
{
	(void)state;
	breaks_without(UPDATED, WITHOUT_QUARANTINE, STALE);
	breaks_without(REMOVED, WITHOUT_QUARANTINE, ORPHAN);
}

static void an_unanswered_request_that_counts_as_never_sent_undoes_the_next_change(void **state)
{
	struct model_config config = {.history = "AB", .budget = {[LOST_ANSWERS] = 1}};

	(void)state;
	breaks_without(config, WITHOUT_DOUBT, STALE);
	config.history = "A-";
	config.forgets_transactions = true;
	breaks_without(config, WITHOUT_DOUBT, ORPHAN);
}

static void without_the_fence_a_former_owner_creates_a_second_event(void **state)
{
	(void)state;
	breaks_without(UPDATED, WITHOUT_FENCE, DOUBLE);
}

static void a_former_owner_that_finishes_its_sync_hides_a_change_from_the_new_one(void **state)
{
	const struct model_config config = {.history = "AB",
					    .budget = {[SYNCS] = 1, [TAKEOVERS] = 1}};

	(void)state;
	breaks_without(config, WITHOUT_FENCED_FINISH, STALE);
}

static void a_former_owner_that_writes_what_it_once_read_leaves_an_older_state(void **state)
{
	(void)state;
	breaks_without(UPDATED, WITHOUT_FENCE | WITHOUT_COMPARE_AND_SET, STALE);
}

static void without_its_tombstone_a_removed_event_comes_back(void **state)
{
	const struct model_config config = {.history = "AB-", .budget = {[LATE_APPENDS] = 1}};

	(void)state;
	breaks_without(config, WITHOUT_TOMBSTONE, ORPHAN);
}

static void an_event_made_anew_under_the_same_incarnation_is_refused_for_ever(void **state)
{
	const struct model_config planned = {.history = "A-B"};
	const struct model_config deleted = {.history = "AB", .budget = {[HAND_DELETIONS] = 1}};

	(void)state;
	breaks_without(planned, WITHOUT_INCARNATIONS, MISSING);
	breaks_without(deleted, WITHOUT_INCARNATIONS, MISSING);
}

static void a_replay_record_by_record_without_positions_shows_older_versions(void **state)
{
	const struct model_config config = {.history = "ABC",
					    .names_events = true,
					    .forbids_step_back = true,
					    .budget = {[RESETS] = 1}};

	(void)state;
	breaks_without(config, WITHOUT_FOLD | WITHOUT_GUARD, "an older version is shown again");
}

static void an_offset_committed_before_the_result_leaves_work_that_nobody_does(void **state)
{
	const struct model_config config = {.history = "AB", .budget = {[WORKER_CRASHES] = 1}};

	(void)state;
	breaks_without(config, WITHOUT_RESULT, "from here, nothing comes to rest");
}

static void a_row_settled_by_a_listing_before_its_reading_hides_what_we_deleted(void **state)
{
	const struct model_config config = {.history = "A-B",
					    .respects_deletion = true,
					    .budget = {[WORKER_CRASHES] = 1, [LOST_WRITES] = 1}};

	(void)state;
	breaks_without(config, WITHOUT_READ_FIRST, MISSING);
}

static void an_update_whatever_the_event_is_loses_what_the_person_added(void **state)
{
	const struct model_config config = {.history = "AB", .budget = {[HAND_CATEGORIES] = 1}};

	(void)state;
	breaks_without(config, WITHOUT_MATCH, "a category of the person's is lost");
}

/* Second lines, for a fence that leaks: with the fence, nobody else writes. */
static void behind_the_fence_attempts_and_compare_and_set_are_not_missed(void **state)
{
	struct model_config config = UPDATED;

	(void)state;
	config.name = "without unique attempts";
	config.without = WITHOUT_UNIQUE_ATTEMPTS;
	assert_null(explore(&config).violation);
	config.name = "without compare-and-set";
	config.without = WITHOUT_COMPARE_AND_SET;
	assert_null(explore(&config).violation);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_call_without_an_intent_leaves_an_older_state_or_an_orphan),
	    cmocka_unit_test(a_create_without_a_transaction_id_makes_two_events),
	    cmocka_unit_test(a_row_without_positions_follows_a_record_that_is_late),
	    cmocka_unit_test(a_dirty_row_that_nobody_comes_back_for_stays_wrong),
	    cmocka_unit_test(a_dirty_row_settled_before_its_quarantine_is_over_is_undone),
	    cmocka_unit_test(
		an_unanswered_request_that_counts_as_never_sent_undoes_the_next_change),
	    cmocka_unit_test(without_the_fence_a_former_owner_creates_a_second_event),
	    cmocka_unit_test(a_former_owner_that_writes_what_it_once_read_leaves_an_older_state),
	    cmocka_unit_test(a_former_owner_that_finishes_its_sync_hides_a_change_from_the_new_one),
	    cmocka_unit_test(without_its_tombstone_a_removed_event_comes_back),
	    cmocka_unit_test(an_event_made_anew_under_the_same_incarnation_is_refused_for_ever),
	    cmocka_unit_test(a_replay_record_by_record_without_positions_shows_older_versions),
	    cmocka_unit_test(an_offset_committed_before_the_result_leaves_work_that_nobody_does),
	    cmocka_unit_test(a_row_settled_by_a_listing_before_its_reading_hides_what_we_deleted),
	    cmocka_unit_test(an_update_whatever_the_event_is_loses_what_the_person_added),
	    cmocka_unit_test(behind_the_fence_attempts_and_compare_and_set_are_not_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
