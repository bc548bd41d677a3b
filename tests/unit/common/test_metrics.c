/* test_metrics.c - the exposition text, line by line, and the ceiling on series. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/metrics.h"

static struct metrics *metrics;
static struct buf text;

static int begin(void **state)
{
	(void)state;
	metrics = metrics_new();
	buf_init(&text, 1u << 20);
	return 0;
}

static int end(void **state)
{
	(void)state;
	metrics_free(metrics);
	buf_close(&text);
	return 0;
}

static const char *written(void)
{
	buf_reset(&text);
	metrics_write(metrics, &text);
	assert_false(text.failed);
	return buf_string(&text);
}

static void a_metric_without_labels_starts_at_zero(void **state)
{
	struct metric *metric =
	    metric_new(metrics, METRIC_COUNTER, "calrelay_things_total", "Things.", "", NULL);

	(void)state;
	assert_string_equal(written(), "# HELP calrelay_things_total Things.\n"
				       "# TYPE calrelay_things_total counter\n"
				       "calrelay_things_total 0\n");
	metric_add(metric, NULL, 1);
	metric_add(metric, NULL, 2.5);
	assert_non_null(strstr(written(), "\ncalrelay_things_total 3.5\n"));
}

static void a_series_that_was_found_once_is_counted_without_looking_again(void **state)
{
	const char *const values[] = {"c", "row"};
	struct metric *metric = metric_new(metrics, METRIC_COUNTER, "calrelay_events_total",
					   "Events.", "op,cause", NULL);
	struct series *series = metric_series(metric, values);

	(void)state;
	series_add(series, 2);
	metric_add(metric, values, 1);
	assert_ptr_equal(metric_series(metric, values), series);
	assert_non_null(strstr(written(), "\ncalrelay_events_total{op=\"c\",cause=\"row\"} 3\n"));
}

static void each_set_of_labels_is_a_series_of_its_own(void **state)
{
	struct metric *metric =
	    metric_new(metrics, METRIC_GAUGE, "calrelay_lag", "Lag.", "topic,partition", NULL);

	(void)state;
	assert_string_equal(written(), "# HELP calrelay_lag Lag.\n# TYPE calrelay_lag gauge\n");
	metric_set(metric, (const char *const[]){"a", "0"}, 7);
	metric_set(metric, (const char *const[]){"a", "1"}, 9007199254740992.0);
	metric_set(metric, (const char *const[]){"a", "0"}, -1);
	assert_string_equal(written(),
			    "# HELP calrelay_lag Lag.\n# TYPE calrelay_lag gauge\n"
			    "calrelay_lag{topic=\"a\",partition=\"0\"} -1\n"
			    "calrelay_lag{topic=\"a\",partition=\"1\"} 9007199254740992\n");
}

static void label_values_are_escaped(void **state)
{
	struct metric *metric =
	    metric_new(metrics, METRIC_COUNTER, "calrelay_x_total", "X.", "why", NULL);

	(void)state;
	metric_add(metric, (const char *const[]){"a\"b\\c\nx"}, 1);
	assert_non_null(strstr(written(), "calrelay_x_total{why=\"a\\\"b\\\\c\\nx\"} 1\n"));
}

static void a_histogram_counts_up_from_bucket_to_bucket(void **state)
{
	static const double BOUNDS[] = {0.1, 1, 10, 0};
	struct metric *metric =
	    metric_new(metrics, METRIC_HISTOGRAM, "calrelay_s", "Seconds.", "kind", BOUNDS);
	const char *const *values = (const char *const[]){"k"};

	(void)state;
	metric_observe(metric, values, 0.05);
	metric_observe(metric, values, 0.1); /* a bound belongs to its bucket */
	metric_observe(metric, values, 5);
	metric_observe(metric, values, 100);
	assert_string_equal(written(), "# HELP calrelay_s Seconds.\n# TYPE calrelay_s histogram\n"
				       "calrelay_s_bucket{kind=\"k\",le=\"0.1\"} 2\n"
				       "calrelay_s_bucket{kind=\"k\",le=\"1\"} 2\n"
				       "calrelay_s_bucket{kind=\"k\",le=\"10\"} 3\n"
				       "calrelay_s_bucket{kind=\"k\",le=\"+Inf\"} 4\n"
				       "calrelay_s_sum{kind=\"k\"} 105.15000000000001\n"
				       "calrelay_s_count{kind=\"k\"} 4\n");
}

static void a_histogram_without_labels_is_complete_from_the_start(void **state)
{
	static const double BOUNDS[] = {1, 0};

	(void)state;
	metric_new(metrics, METRIC_HISTOGRAM, "calrelay_s", "Seconds.", "", BOUNDS);
	assert_string_equal(written(), "# HELP calrelay_s Seconds.\n# TYPE calrelay_s histogram\n"
				       "calrelay_s_bucket{le=\"1\"} 0\n"
				       "calrelay_s_bucket{le=\"+Inf\"} 0\n"
				       "calrelay_s_sum{} 0\n"
				       "calrelay_s_count{} 0\n");
}

static void what_would_be_one_series_more_is_counted_as_other(void **state)
{
	struct metric *metric =
	    metric_new(metrics, METRIC_COUNTER, "calrelay_x_total", "X.", "id", NULL);
	const char *other;
	char value[16];
	int lines = 0;

	(void)state;
	for (int i = 0; i < 2 * METRIC_SERIES_MAX; i++) {
		snprintf(value, sizeof value, "v%d", i);
		metric_add(metric, (const char *const[]){value}, 1);
	}
	metric_add(metric, (const char *const[]){"v0"}, 1);
	for (const char *at = written(); (at = strchr(at, '\n')) != NULL; at++) {
		lines++;
	}
	assert_in_range(lines, 3, METRIC_SERIES_MAX + 3);
	assert_non_null(strstr(buf_string(&text), "calrelay_x_total{id=\"v0\"} 2\n"));
	snprintf(value, sizeof value, "} %d\n", METRIC_SERIES_MAX);
	other = strstr(buf_string(&text), "calrelay_x_total{id=\"other\"");
	assert_non_null(other);
	assert_memory_equal(other + strlen("calrelay_x_total{id=\"other\""), value, strlen(value));
}

static void a_label_that_is_much_too_long_is_counted_as_other(void **state)
{
	struct metric *metric =
	    metric_new(metrics, METRIC_COUNTER, "calrelay_x_total", "X.", "id", NULL);
	char value[4000];

	(void)state;
	memset(value, 'x', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	metric_add(metric, (const char *const[]){value}, 1);
	metric_add(metric, (const char *const[]){value}, 1);
	assert_non_null(strstr(written(), "\ncalrelay_x_total{id=\"other\"} 2\n"));
}

static void a_cleared_metric_forgets_its_series(void **state)
{
	struct metric *metric =
	    metric_new(metrics, METRIC_GAUGE, "calrelay_lag", "Lag.", "partition", NULL);

	(void)state;
	metric_set(metric, (const char *const[]){"3"}, 5);
	metric_clear(metric);
	assert_null(strstr(written(), "partition=\"3\""));
	metric_set(metric, (const char *const[]){"4"}, 6);
	assert_non_null(strstr(written(), "calrelay_lag{partition=\"4\"} 6\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_metric_without_labels_starts_at_zero),
	    TEST(each_set_of_labels_is_a_series_of_its_own),
	    TEST(a_series_that_was_found_once_is_counted_without_looking_again),
	    TEST(label_values_are_escaped),
	    TEST(a_histogram_counts_up_from_bucket_to_bucket),
	    TEST(a_histogram_without_labels_is_complete_from_the_start),
	    TEST(what_would_be_one_series_more_is_counted_as_other),
	    TEST(a_label_that_is_much_too_long_is_counted_as_other),
	    TEST(a_cleared_metric_forgets_its_series),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
