/* test_sim.c - the worker survives everything that a seed can think of; without any one of the
 * mechanisms around it, it doesn't. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/log.h"
#include "tests/sim/world.h"

#define SEEDS	     800
#define BROKEN_SEEDS 4000 /* one of these has to fail */

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : otherwise;
}

static void fail_with(uint64_t seed)
{
	sim_print_trace();
	fail_msg("seed %llu: %s\nagain: CALRELAY_SIM_SEED=%llu build/dev/tests/sim/sim_test",
		 (unsigned long long)seed, sim.failure, (unsigned long long)seed);
}

static void whatever_happens_calendars_end_up_right(void **state)
{
	uint64_t only = number_from("CALRELAY_SIM_SEED", 0);
	uint64_t first = only > 0 ? only : 1;
	uint64_t last = only > 0 ? only : number_from("CALRELAY_SIM_SEEDS", SEEDS);

	(void)state;
	for (uint64_t seed = first; seed <= last; seed++) {
		if (!world_run(seed, SIM_WHOLE)) {
			fail_with(seed);
		}
	}
}

/* A control that never fails controls nothing.  first: from which seed on it shows soon, as things
 * are. */
static void breaks_with(enum sim_break broken, uint64_t first)
{
	uint64_t only = number_from("CALRELAY_SIM_SEED", 0);
	uint64_t last = only > 0 ? only : first + BROKEN_SEEDS;

	for (uint64_t seed = only > 0 ? only : first; seed <= last; seed++) {
		if (!world_run(seed, broken)) {
			printf("seed %llu: %s\n", (unsigned long long)seed, sim.failure);
			return;
		}
	}
	fail_msg("%d seeds, and nothing failed", BROKEN_SEEDS);
}

static void without_the_compare_and_set_a_calendar_ends_up_wrong(void **state)
{
	(void)state;
	breaks_with(SIM_NO_COMPARE, 1320);
}

static void without_the_fence_a_zombie_writes(void **state)
{
	(void)state;
	breaks_with(SIM_NO_FENCE, 1);
}

static void without_somebody_who_comes_back_dirty_rows_stay_dirty(void **state)
{
	(void)state;
	breaks_with(SIM_NO_FOLLOW_UP, 1);
}

static void without_the_quarantine_a_late_request_has_the_last_word(void **state)
{
	(void)state;
	breaks_with(SIM_NO_QUARANTINE, 1570);
}

static void without_transaction_ids_an_event_is_made_twice(void **state)
{
	(void)state;
	breaks_with(SIM_NO_TRANSACTION_ID, 1);
}

static void without_the_ledger_records_are_lost(void **state)
{
	(void)state;
	breaks_with(SIM_COMMIT_DELIVERED, 1);
}

static void without_the_save_an_offset_is_committed_unproven(void **state)
{
	(void)state;
	breaks_with(SIM_COMMIT_UNPROVEN, 1);
}

static void with_a_listing_that_lacks_a_page_calendars_end_up_wrong(void **state)
{
	(void)state;
	breaks_with(SIM_SHORT_LISTING, 1);
}

static void with_a_failing_listing_read_as_empty_calendars_end_up_wrong(void **state)
{
	(void)state;
	breaks_with(SIM_EMPTY_ON_ERROR, 260);
}

static void without_the_lease_a_zombie_calls(void **state)
{
	(void)state;
	breaks_with(SIM_ALWAYS_MAY_SEND, 485);
}

static void without_noticing_a_reset_nothing_is_rebuilt(void **state)
{
	(void)state;
	breaks_with(SIM_NO_REPLAY, 185);
}

static void without_the_snapshot_a_sync_is_taken_back(void **state)
{
	(void)state;
	breaks_with(SIM_OLD_SNAPSHOT, 1);
}

/* argument "broken": the controls; none: what has to hold. */
int main(int argc, char **argv)
{
	const struct CMUnitTest whole[] = {
	    cmocka_unit_test(whatever_happens_calendars_end_up_right),
	};
	const struct CMUnitTest broken[] = {
	    cmocka_unit_test(without_the_compare_and_set_a_calendar_ends_up_wrong),
	    cmocka_unit_test(without_the_fence_a_zombie_writes),
	    cmocka_unit_test(without_somebody_who_comes_back_dirty_rows_stay_dirty),
	    cmocka_unit_test(without_the_quarantine_a_late_request_has_the_last_word),
	    cmocka_unit_test(without_transaction_ids_an_event_is_made_twice),
	    cmocka_unit_test(without_the_ledger_records_are_lost),
	    cmocka_unit_test(without_the_save_an_offset_is_committed_unproven),
	    cmocka_unit_test(with_a_listing_that_lacks_a_page_calendars_end_up_wrong),
	    cmocka_unit_test(with_a_failing_listing_read_as_empty_calendars_end_up_wrong),
	    cmocka_unit_test(without_the_lease_a_zombie_calls),
	    cmocka_unit_test(without_noticing_a_reset_nothing_is_rebuilt),
	    cmocka_unit_test(without_the_snapshot_a_sync_is_taken_back),
	};

	log_init("sim", LOG_LEVELS);
	if (argc > 1 && strcmp(argv[1], "broken") == 0) {
		return cmocka_run_group_tests(broken, NULL, NULL);
	}
	return cmocka_run_group_tests(whole, NULL, NULL);
}
