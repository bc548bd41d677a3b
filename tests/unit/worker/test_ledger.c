/* test_ledger.c - the committable offset never runs ahead of what is done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "worker/ledger.h"

static struct ledger ledger_from(int64_t start)
{
	struct ledger ledger;

	assert_true(ledger_init(&ledger, start));
	return ledger;
}

static void deliver(struct ledger *ledger, int64_t first, int64_t last)
{
	for (int64_t offset = first; offset <= last; offset++) {
		assert_true(ledger_deliver(ledger, offset, 1000 + offset));
	}
}

static void nothing_delivered_commits_the_start(void **state)
{
	struct ledger ledger = ledger_from(42);

	(void)state;
	assert_int_equal(ledger_committable(&ledger), 42);
	assert_int_equal(ledger_oldest_ms(&ledger), 0);
	assert_int_equal(ledger_open_count(&ledger), 0);
	ledger_close(&ledger);
}

static void an_open_record_holds_back_all_behind_it(void **state)
{
	struct ledger ledger = ledger_from(10);

	(void)state;
	deliver(&ledger, 10, 13);
	assert_true(ledger_mark_done(&ledger, 13));
	assert_true(ledger_mark_done(&ledger, 11));
	assert_true(ledger_mark_done(&ledger, 12));
	assert_int_equal(ledger_committable(&ledger), 10);
	assert_int_equal(ledger_open_count(&ledger), 1);
	assert_int_equal(ledger_oldest_ms(&ledger), 1010);
	assert_true(ledger_mark_done(&ledger, 10));
	assert_int_equal(ledger_committable(&ledger), 14);
	assert_int_equal(ledger_oldest_ms(&ledger), 0);
	ledger_close(&ledger);
}

static void gaps_in_the_offsets_are_passed_over(void **state)
{
	struct ledger ledger = ledger_from(5);

	(void)state;
	assert_true(ledger_deliver(&ledger, 9, 1));
	assert_true(ledger_deliver(&ledger, 30, 2));
	assert_int_equal(ledger_committable(&ledger), 5);
	assert_true(ledger_mark_done(&ledger, 9));
	assert_int_equal(ledger_committable(&ledger), 10);
	assert_false(ledger_mark_done(&ledger, 20));
	assert_true(ledger_mark_done(&ledger, 30));
	assert_int_equal(ledger_committable(&ledger), 31);
	ledger_close(&ledger);
}

static void an_offset_that_is_not_larger_changes_nothing(void **state)
{
	struct ledger ledger = ledger_from(10);

	(void)state;
	assert_false(ledger_deliver(&ledger, 9, 1));
	deliver(&ledger, 12, 12);
	assert_false(ledger_deliver(&ledger, 12, 1));
	assert_false(ledger_deliver(&ledger, 11, 1));
	assert_int_equal(ledger_open_count(&ledger), 1);
	assert_true(ledger_mark_done(&ledger, 12));
	assert_false(ledger_deliver(&ledger, 12, 1));
	assert_int_equal(ledger_committable(&ledger), 13);
	ledger_close(&ledger);
}

static void marking_twice_counts_once(void **state)
{
	struct ledger ledger = ledger_from(0);

	(void)state;
	deliver(&ledger, 0, 2);
	assert_true(ledger_mark_done(&ledger, 1));
	assert_true(ledger_mark_done(&ledger, 1));
	assert_int_equal(ledger_open_count(&ledger), 2);
	assert_true(ledger_mark_done(&ledger, 0));
	assert_false(ledger_mark_done(&ledger, 0)); /* behind the committable offset by now */
	assert_int_equal(ledger_open_count(&ledger), 1);
	ledger_close(&ledger);
}

static void a_full_window_refuses_until_its_oldest_is_done(void **state)
{
	struct ledger ledger = ledger_from(0);

	(void)state;
	deliver(&ledger, 0, LEDGER_WINDOW - 1);
	assert_true(ledger_is_full(&ledger));
	assert_false(ledger_deliver(&ledger, LEDGER_WINDOW, 1));
	assert_true(ledger_mark_done(&ledger, LEDGER_WINDOW - 1));
	assert_true(ledger_is_full(&ledger));
	assert_true(ledger_mark_done(&ledger, 0));
	assert_false(ledger_is_full(&ledger));
	deliver(&ledger, LEDGER_WINDOW, LEDGER_WINDOW);
	assert_true(ledger_is_full(&ledger));
	ledger_close(&ledger);
}

/* Uber's and Confluent's pools lose their window to it; here it is a window and no more. */
static void one_held_record_and_eight_thousand_done_commit_nothing_and_then_all(void **state)
{
	struct ledger ledger = ledger_from(1000);

	(void)state;
	deliver(&ledger, 1000, 1000 + LEDGER_WINDOW - 1);
	for (int64_t offset = 1000 + LEDGER_WINDOW - 1; offset > 1000; offset--) {
		assert_true(ledger_mark_done(&ledger, offset));
	}
	assert_int_equal(ledger_committable(&ledger), 1000);
	assert_int_equal(ledger_open_count(&ledger), 1);
	assert_true(ledger_is_full(&ledger));
	assert_true(ledger_mark_done(&ledger, 1000));
	assert_int_equal(ledger_committable(&ledger), 1000 + LEDGER_WINDOW);
	assert_int_equal(ledger_open_count(&ledger), 0);
	ledger_close(&ledger);
}

/* A transaction's markers, an aborted transaction, a compacted run: offsets nobody delivers. */
static void markers_between_records_keep_nothing_back(void **state)
{
	struct ledger ledger = ledger_from(0);

	(void)state;
	for (int64_t offset = 0; offset < 300; offset += 3) {
		assert_true(ledger_deliver(&ledger, offset, 1));
	}
	for (int64_t offset = 297; offset >= 0; offset -= 3) {
		assert_true(ledger_mark_done(&ledger, offset));
	}
	assert_int_equal(ledger_committable(&ledger), 298);
	ledger_close(&ledger);
}

/* Against the plain definition: everything below the committable offset is done, and the first
 * delivered one at or above it is not. */
static void any_order_of_results_commits_the_longest_done_run(void **state)
{
	enum { COUNT = 3 * LEDGER_WINDOW };
	struct ledger ledger = ledger_from(0);
	static bool is_done[COUNT];
	int64_t delivered = 0;
	int64_t expected = 0;

	(void)state;
	srand(7);
	while (expected < COUNT) {
		int64_t pick;

		while (delivered < COUNT && delivered < expected + 300 &&
		       !ledger_is_full(&ledger)) {
			assert_true(ledger_deliver(&ledger, delivered, delivered));
			delivered++;
		}
		/* the ledger holds more than none */
		/* NOLINTNEXTLINE(clang-analyzer-core.DivideZero) */
		pick = expected + rand() % (delivered - expected);
		assert_int_equal(ledger_mark_done(&ledger, pick), true);
		is_done[pick] = true;
		while (expected < COUNT && is_done[expected]) {
			expected++;
		}
		assert_int_equal(ledger_committable(&ledger), expected);
		assert_int_equal(ledger_oldest_ms(&ledger), expected < delivered ? expected : 0);
	}
	assert_int_equal(ledger_open_count(&ledger), 0);
	ledger_close(&ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_delivered_commits_the_start),
	    cmocka_unit_test(an_open_record_holds_back_all_behind_it),
	    cmocka_unit_test(gaps_in_the_offsets_are_passed_over),
	    cmocka_unit_test(an_offset_that_is_not_larger_changes_nothing),
	    cmocka_unit_test(marking_twice_counts_once),
	    cmocka_unit_test(a_full_window_refuses_until_its_oldest_is_done),
	    cmocka_unit_test(one_held_record_and_eight_thousand_done_commit_nothing_and_then_all),
	    cmocka_unit_test(markers_between_records_keep_nothing_back),
	    cmocka_unit_test(any_order_of_results_commits_the_longest_done_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
