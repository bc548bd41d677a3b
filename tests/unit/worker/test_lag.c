/* test_lag.c - how far a partition is behind: read, not read, held, replayed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/lag.h"

#define NOW INT64_C(1000000)

static struct part part; /* one whose log holds the offsets 10 to 29, with nothing delivered */

static int begin(void **state)
{
	(void)state;
	part = (struct part){.low_watermark = 10,
			     .high_watermark = 30,
			     .start = 20,
			     .position = 20,
			     .committed = 20,
			     .known = 20,
			     .replay_to = -1,
			     .state = PART_READING};
	return ledger_init(&part.ledger, 20) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	ledger_close(&part.ledger);
	return 0;
}

static struct lag lag(void)
{
	struct lag found;

	lag_of(&part, &found);
	return found;
}

static void records_are_counted_from_the_committed_offset_to_the_logs_end(void **state)
{
	(void)state;
	assert_int_equal(lag().records, 10);
	part.position = 33; /* read beyond the last look at the end */
	assert_int_equal(lag().records, 13);
	part.committed = 33;
	assert_int_equal(lag().records, 0);
}

static void a_group_that_never_committed_has_the_whole_log_before_it(void **state)
{
	(void)state;
	part.committed = -1;
	assert_int_equal(lag().records, 20);
}

static void an_offset_behind_the_logs_end_is_no_negative_lag(void **state)
{
	(void)state;
	part.committed = 40;
	assert_int_equal(lag().records, 0);
}

static void where_all_is_done_nothing_waits(void **state)
{
	(void)state;
	part.position = 30;
	part.committed = 30;
	lag_see_end(&part, 30, NOW);
	assert_int_equal(lag().oldest_ms, 0);
	assert_int_equal(lag().late_ms, 0);
}

static void an_empty_log_has_no_lag(void **state)
{
	(void)state;
	part.committed = -1;
	part.position = part.low_watermark = 0;
	lag_see_end(&part, 0, NOW);
	assert_int_equal(lag().records, 0);
	assert_int_equal(lag().oldest_ms, 0);
}

static void the_oldest_open_record_tells_the_age(void **state)
{
	(void)state;
	assert_true(ledger_deliver(&part.ledger, 20, 5000));
	assert_true(ledger_deliver(&part.ledger, 22, 6000));
	assert_int_equal(lag().oldest_ms, 5000);
	assert_int_equal(lag().late_ms, 5000);
	assert_true(ledger_mark_done(&part.ledger, 20));
	assert_int_equal(lag().oldest_ms, 6000);
	assert_true(ledger_mark_done(&part.ledger, 22));
	assert_int_equal(lag().oldest_ms, 0);
}

static void what_is_not_delivered_is_as_old_as_its_first_sight(void **state)
{
	(void)state;
	lag_see_end(&part, 30, NOW);
	lag_see_end(&part, 31, NOW + 10000);
	assert_int_equal(lag().oldest_ms, NOW);
	assert_int_equal(lag().late_ms, NOW);
	part.position = 31;
	lag_see_end(&part, 31, NOW + 20000);
	assert_int_equal(lag().oldest_ms, 0);
}

static void a_replay_is_as_old_as_its_records_and_as_late_as_it_takes(void **state)
{
	(void)state;
	part.state = PART_FOLDING;
	part.known = 25;
	lag_begin_replay(&part, NOW);
	assert_int_equal(lag().late_ms, NOW);
	lag_fold(&part, 10, 5000);
	lag_fold(&part, 24, 4000);
	assert_int_equal(lag().oldest_ms, 4000);
	assert_int_equal(lag().late_ms, NOW);
	lag_end_replay(&part);
	assert_int_equal(lag().oldest_ms, 0);
	assert_int_equal(lag().late_ms, 0);
}

static void a_replay_of_a_record_that_was_never_done_is_late_since_then(void **state)
{
	(void)state;
	part.known = 25;
	lag_begin_replay(&part, NOW);
	lag_fold(&part, 25, 7000);
	lag_fold(&part, 26, 8000);
	assert_int_equal(lag().late_ms, 7000);
}

static void a_record_of_no_time_or_of_the_future_waits_since_its_delivery(void **state)
{
	(void)state;
	assert_int_equal(lag_since(5000, NOW), 5000);
	assert_int_equal(lag_since(-1, NOW), NOW);
	assert_int_equal(lag_since(0, NOW), NOW);
	assert_int_equal(lag_since(NOW + 3600000, NOW), NOW);
}

static void seconds_are_never_negative(void **state)
{
	(void)state;
	assert_float_equal(lag_seconds(NOW - 1500, NOW), 1.5, 1e-9);
	assert_float_equal(lag_seconds(0, NOW), 0, 1e-9);
	assert_float_equal(lag_seconds(NOW + 1500, NOW), 0, 1e-9);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(records_are_counted_from_the_committed_offset_to_the_logs_end),
	    TEST(a_group_that_never_committed_has_the_whole_log_before_it),
	    TEST(an_offset_behind_the_logs_end_is_no_negative_lag),
	    TEST(where_all_is_done_nothing_waits),
	    TEST(an_empty_log_has_no_lag),
	    TEST(the_oldest_open_record_tells_the_age),
	    TEST(what_is_not_delivered_is_as_old_as_its_first_sight),
	    TEST(a_replay_is_as_old_as_its_records_and_as_late_as_it_takes),
	    TEST(a_replay_of_a_record_that_was_never_done_is_late_since_then),
	    TEST(a_record_of_no_time_or_of_the_future_waits_since_its_delivery),
	    TEST(seconds_are_never_negative),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
