/* test_stats.c - which series the worker's metrics have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/stats.h"

static struct stats stats;
static struct buf text;

static int begin(void **state)
{
	(void)state;
	stats_init(&stats);
	buf_init(&text, 1u << 20);
	return 0;
}

static int end(void **state)
{
	(void)state;
	buf_close(&text);
	stats_close(&stats);
	return 0;
}

static bool says(const char *line)
{
	buf_reset(&text);
	metrics_write(stats.metrics, &text);
	return strstr(buf_string(&text), line) != NULL;
}

static void what_never_happened_reads_none(void **state)
{
	(void)state;
	assert_true(says("calrelay_worker_dead_letters_total{stage=\"graph\"} 0\n"));
	assert_true(says("calrelay_worker_rebalances_total{kind=\"lost\"} 0\n"));
	assert_true(says("calrelay_worker_records_total{outcome=\"synced\"} 0\n"));
	assert_true(says("calrelay_worker_token_refreshes_total{result=\"refused\"} 0\n"));
	assert_true(says("calrelay_worker_parked_users{reason=\"throttled\"} 0\n"));
}

static void a_reason_of_somebody_elses_words_becomes_no_label(void **state)
{
	(void)state;
	stats_count_parked(&stats, "mailbox");
	stats_count_parked(&stats, "Ada's mailbox is full");
	stats_count_parked(&stats, "ada@example.com");
	assert_true(says("calrelay_worker_parked_users{reason=\"mailbox\"} 1\n"));
	assert_true(says("calrelay_worker_parked_users{reason=\"other\"} 2\n"));
	assert_false(says("ada@"));
	assert_false(says("Ada's"));
}

static void a_worker_without_partitions_says_nothing_of_any(void **state)
{
	const char *labels[] = {"t", "3"};

	(void)state;
	metric_set(stats.lag_records, labels, 7);
	metric_set(stats.lag_seconds, labels, 7);
	metric_set(stats.committed_offset, labels, 7);
	stats_count_parked(&stats, "mailbox");
	assert_true(says("partition=\"3\""));
	stats_forget_partitions(&stats);
	assert_false(says("partition=\"3\""));
	assert_true(says("calrelay_worker_parked_users{reason=\"mailbox\"} 0\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_never_happened_reads_none),
	    TEST(a_reason_of_somebody_elses_words_becomes_no_label),
	    TEST(a_worker_without_partitions_says_nothing_of_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
