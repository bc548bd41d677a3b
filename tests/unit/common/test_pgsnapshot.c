/* test_pgsnapshot.c - snapshots of 64 bits and transactions named by 32. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/pgsnapshot.h"

static bool finished(const char *text, uint32_t xid)
{
	struct fault fault;
	struct pgsnapshot *snapshot = pgsnapshot_read(text, &fault);
	bool answer;

	assert_non_null(snapshot);
	answer = pgsnapshot_has_finished(snapshot, xid);
	free(snapshot);
	return answer;
}

static void every_member_is_read(void **state)
{
	struct fault fault;
	struct pgsnapshot *snapshot =
	    pgsnapshot_read("21474836580:21474836590:21474836582,21474836585", &fault);

	(void)state;
	assert_non_null(snapshot);
	assert_true(snapshot->xmin == UINT64_C(21474836580) &&
		    snapshot->xmax == UINT64_C(21474836590));
	assert_int_equal(snapshot->count, 2);
	assert_true(snapshot->running[0] == UINT64_C(21474836582));
	assert_true(snapshot->running[1] == UINT64_C(21474836585));
	free(snapshot);
}

static void below_the_oldest_running_one_all_are_finished(void **state)
{
	(void)state;
	assert_true(finished("100:105:100,103", 99));
	assert_false(finished("100:105:100,103", 100));
	assert_true(finished("100:105:100,103", 101));
	assert_false(finished("100:105:100,103", 103));
	assert_true(finished("100:105:100,103", 104));
	assert_false(finished("100:105:100,103", 105));
	assert_true(finished("105:105:", 104));
}

static void what_ended_before_xmin_is_finished(void **state)
{
	(void)state;
	assert_true(finished("100:100:", 99));
	assert_true(finished("100:110:100,105", 3));
}

static void what_began_at_or_after_xmax_is_not(void **state)
{
	(void)state;
	assert_false(finished("100:100:", 100));
	assert_false(finished("100:110:100,105", 110));
	assert_false(finished("100:110:100,105", 4000));
}

static void between_them_only_those_in_progress_are_not(void **state)
{
	(void)state;
	assert_false(finished("100:110:100,105,109", 100));
	assert_false(finished("100:110:100,105,109", 105));
	assert_false(finished("100:110:100,105,109", 109));
	assert_true(finished("100:110:100,105,109", 101));
	assert_true(finished("100:110:100,105,109", 108));
}

static void a_number_means_the_transaction_that_is_near(void **state)
{
	(void)state;
	/* the counter has wrapped once: 4294967296 + 10 */
	assert_true(finished("4294967306:4294967306:", 9));
	assert_false(finished("4294967306:4294967306:", 10));
	assert_true(finished("4294967306:4294967306:", 4294967295u));
	assert_false(finished("4294967290:4294967290:", 5)); /* is still to come, after the wrap */
}

static void ids_are_taken_as_the_nearest_to_xmax_across_epochs(void **state)
{
	(void)state;
	/* 2^32 = 4294967296: xmax has just wrapped, 4294967290 was before it. */
	assert_true(finished("4294967300:4294967300:", 4294967290u));
	assert_true(finished("4294967300:4294967300:", 3));
	assert_false(finished("4294967300:4294967300:", 4));
	assert_false(finished("4294967300:4294967300:", 4000));
	/* xmax is about to wrap: 5 comes after it. */
	assert_false(finished("4294967290:4294967290:", 5));
	assert_true(finished("4294967290:4294967290:", 4294967289u));
	/* Epoch 5, one in progress. */
	assert_false(finished("21474836580:21474836590:21474836585", 105));
	assert_true(finished("21474836580:21474836590:21474836585", 106));
}

static void an_id_before_the_first_epoch_is_not_finished(void **state)
{
	(void)state;
	assert_false(finished("100:100:", 4294967290u));
}

static void what_is_no_snapshot_is_refused(void **state)
{
	static const char *const MALFORMED[] = {
	    "",
	    ":",
	    "100",
	    "100:",
	    "100:110",
	    "100:110:x",
	    "a:110:",
	    "100:110:5,",
	    "100:110:,",
	    "100:110:105 ",
	    "110:100:",
	    "0:100:",
	    "-5:100:",
	    " 100:110:",
	    "100:110:105:",
	    "100:99999999999999999999:",
	};

	struct fault fault;

	(void)state;
	assert_null(pgsnapshot_read(NULL, &fault));
	for (size_t i = 0; i < sizeof MALFORMED / sizeof *MALFORMED; i++) {
		assert_null(pgsnapshot_read(MALFORMED[i], &fault));
		assert_int_equal(fault.kind, FAULT_FATAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_member_is_read),
	    cmocka_unit_test(below_the_oldest_running_one_all_are_finished),
	    cmocka_unit_test(what_ended_before_xmin_is_finished),
	    cmocka_unit_test(what_began_at_or_after_xmax_is_not),
	    cmocka_unit_test(between_them_only_those_in_progress_are_not),
	    cmocka_unit_test(a_number_means_the_transaction_that_is_near),
	    cmocka_unit_test(ids_are_taken_as_the_nearest_to_xmax_across_epochs),
	    cmocka_unit_test(an_id_before_the_first_epoch_is_not_finished),
	    cmocka_unit_test(what_is_no_snapshot_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
