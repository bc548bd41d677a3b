/* test_ack.c - what may be acknowledged: in order, at commits, behind Kafka and visibility. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "producer/ack.h"

static struct ack ack; /* large */

static void see(const char *snapshot)
{
	struct fault fault;
	struct visible *visible = visible_read(snapshot, &fault);

	assert_non_null(visible);
	(void)ack_see(&ack, visible, 0);
	visible_let_go(visible);
}

/* A transaction of one record, committed at end_lsn. */
static uint64_t transaction(uint32_t xid, uint64_t end_lsn)
{
	uint64_t number = ack_begin(&ack, xid, 0);

	ack_sent(&ack, number);
	ack_commit(&ack, number, end_lsn);
	return number;
}

static int begin(void **state)
{
	(void)state;
	ack_init(&ack);
	return 0;
}

static void a_commit_is_acknowledged_behind_kafka_and_visibility(void **state)
{
	uint64_t number = transaction(100, 50);

	(void)state;
	see("101:101:");
	assert_false(ack_advance(&ack));
	assert_true(ack_delivered(&ack, number));
	assert_true(ack_advance(&ack));
	assert_int_equal(ack.flushed_lsn, 50);
	assert_int_equal(ack.done_lsn, 50);
	assert_int_equal(ack_count(&ack), 0);
}

static void what_is_not_visible_yet_is_not_forgotten(void **state)
{
	uint64_t number = transaction(100, 50);

	(void)state;
	ack_delivered(&ack, number);
	assert_true(ack_wants_snapshot(&ack));
	see("100:101:100"); /* waits for a synchronous standby */
	assert_false(ack_advance(&ack));
	see("101:101:");
	assert_true(ack_advance(&ack));
	assert_false(ack_wants_snapshot(&ack));
}

static void a_later_transaction_waits_for_an_earlier_one(void **state)
{
	uint64_t first = transaction(100, 50);
	uint64_t second = transaction(101, 60);

	(void)state;
	see("102:102:");
	ack_delivered(&ack, second);
	assert_false(ack_advance(&ack));
	ack_delivered(&ack, first);
	assert_true(ack_advance(&ack));
	assert_int_equal(ack.flushed_lsn, 60);
}

static void a_transaction_under_way_is_not_done(void **state)
{
	uint64_t number = ack_begin(&ack, 100, 0);

	(void)state;
	see("101:101:");
	ack_sent(&ack, number);
	assert_false(ack_delivered(&ack, number));
	assert_false(ack_advance(&ack));
	ack_commit(&ack, number, 50);
	assert_true(ack_advance(&ack));
}

static void the_servers_own_position_counts_only_when_nothing_is_on_its_way(void **state)
{
	uint64_t number;

	(void)state;
	ack_keepalive(&ack, 40);
	assert_true(ack_advance(&ack));
	assert_int_equal(ack.flushed_lsn, 40);
	number = transaction(100, 50);
	see("101:101:");
	ack_keepalive(&ack, 70);
	assert_false(ack_advance(&ack));
	ack_delivered(&ack, number);
	assert_true(ack_advance(&ack));
	assert_int_equal(ack.flushed_lsn, 70);
	assert_int_equal(ack.done_lsn, 50);
	ack_keepalive(&ack, 60);
	assert_false(ack_advance(&ack));
}

static void a_look_up_is_recent_once_all_that_was_decoded_before_is_finished(void **state)
{
	struct fault fault;
	struct visible *some = visible_read("100:102:101", &fault);
	struct visible *all = visible_read("102:102:", &fault);
	uint64_t before;

	(void)state;
	transaction(100, 50);
	transaction(101, 60);
	before = ack.next;
	transaction(102, 70);
	assert_false(ack_see(&ack, some, before));
	assert_true(ack_see(&ack, all, before));
	assert_false(ack_see(&ack, all, ack.next));
	visible_let_go(some);
	visible_let_go(all);
}

static void the_queue_has_a_ceiling_and_wraps(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < ACK_TRANSACTIONS_MAX; i++) {
			uint64_t number = ack_begin(&ack, i + 1, 0);

			ack_commit(&ack, number, number);
		}
		assert_true(ack_is_full(&ack));
		see("100000:100000:");
		assert_true(ack_advance(&ack));
		assert_int_equal(ack_count(&ack), 0);
	}
	assert_int_equal(ack.flushed_lsn, 3 * ACK_TRANSACTIONS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_commit_is_acknowledged_behind_kafka_and_visibility, begin),
	    cmocka_unit_test_setup(what_is_not_visible_yet_is_not_forgotten, begin),
	    cmocka_unit_test_setup(a_later_transaction_waits_for_an_earlier_one, begin),
	    cmocka_unit_test_setup(a_transaction_under_way_is_not_done, begin),
	    cmocka_unit_test_setup(the_servers_own_position_counts_only_when_nothing_is_on_its_way,
				   begin),
	    cmocka_unit_test_setup(a_look_up_is_recent_once_all_that_was_decoded_before_is_finished,
				   begin),
	    cmocka_unit_test_setup(the_queue_has_a_ceiling_and_wraps, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
