/* metrics.c - a registry of counters, gauges and histograms, written out as Prometheus text. */
#include "common/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/jsonw.h"

#define METRIC_LABEL_MAX_BYTES 512

struct series {
	char *labels; /* rendered: topic="a",partition="1" */
	size_t labels_length;
	double value;
	double count;	 /* histograms: observations; value is their sum */
	double *buckets; /* histograms: observations at most the bound, not cumulative */
};

struct metric {
	enum metric_type type;
	const char *name;
	const char *help;
	const char *labels;
	const double *bounds;
	size_t bound_count;
	struct series *series[METRIC_SERIES_MAX + 1]; /* and "other" */
	size_t series_count;
	struct metric *next;
};

struct metrics {
	struct metric *first;
	struct metric **last;
};

/* Metrics are made at start: without memory for them a program doesn't start. */
static void *metrics_allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (memory == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return memory;
}

struct metrics *metrics_new(void)
{
	struct metrics *metrics = metrics_allocate(1, sizeof *metrics);

	metrics->last = &metrics->first;
	return metrics;
}

void metric_clear(struct metric *metric)
{
	while (metric->series_count > 0) {
		struct series *series = metric->series[--metric->series_count];

		free(series->labels);
		free(series->buckets);
		free(series);
	}
}

void metrics_free(struct metrics *metrics)
{
	while (metrics->first != NULL) {
		struct metric *metric = metrics->first;

		metrics->first = metric->next;
		metric_clear(metric);
		free(metric);
	}
	free(metrics);
}

/* topic="a",partition="1"; every value "other" where values is NULL for a metric with labels. */
static void metric_render(const struct metric *metric, const char *const *values, struct buf *out)
{
	const char *name = metric->labels;

	for (int i = 0; *name != '\0'; i++) {
		size_t length = strcspn(name, ",");
		const char *value = values != NULL ? values[i] : "other";

		if (i > 0) {
			buf_char(out, ',');
		}
		buf_add(out, name, length);
		buf_char(out, '=');
		jsonw_string(out, value, strlen(value)); /* the same three escapes as Prometheus */
		name += length + (name[length] == ',');
	}
}

/* A walk over at most METRIC_SERIES_MAX: most metrics hold a handful. */
static struct series *metric_find(const struct metric *metric, const struct buf *labels)
{
	for (size_t i = 0; i < metric->series_count; i++) {
		struct series *series = metric->series[i];

		if (series->labels_length == labels->length &&
		    memcmp(series->labels, buf_string(labels), labels->length) == 0) {
			return series;
		}
	}
	return NULL;
}

static struct series *metric_add_series(struct metric *metric, const struct buf *labels)
{
	struct series *series = metrics_allocate(1, sizeof *series);

	series->labels = metrics_allocate(1, labels->length + 1);
	series->labels_length = labels->length;
	memcpy(series->labels, buf_string(labels), labels->length);
	series->buckets = metrics_allocate(metric->bound_count + 1, sizeof(double));
	metric->series[metric->series_count++] = series;
	return series;
}

struct series *metric_series(struct metric *metric, const char *const *values)
{
	struct buf labels;
	struct series *series = NULL;

	buf_init(&labels, METRIC_LABEL_MAX_BYTES);
	metric_render(metric, values, &labels);
	if (!labels.failed) {
		series = metric_find(metric, &labels);
	}
	if (labels.failed || (series == NULL && metric->series_count >= METRIC_SERIES_MAX)) {
		buf_reset(&labels);
		metric_render(metric, NULL, &labels);
		series = metric_find(metric, &labels);
	}
	if (series == NULL) {
		series = metric_add_series(metric, &labels);
	}
	buf_close(&labels);
	return series;
}

struct metric *metric_new(struct metrics *metrics, enum metric_type type, const char *name,
			  const char *help, const char *labels, const double *buckets)
{
	struct metric *metric = metrics_allocate(1, sizeof *metric);

	*metric = (struct metric){
	    .type = type, .name = name, .help = help, .labels = labels, .bounds = buckets};
	while (buckets != NULL && buckets[metric->bound_count] != 0) {
		metric->bound_count++;
	}
	if (labels[0] == '\0') {
		metric_series(metric, NULL); /* so that a count of none reads 0, not absent */
	}
	*metrics->last = metric;
	metrics->last = &metric->next;
	return metric;
}

void metric_add(struct metric *metric, const char *const *values, double amount)
{
	metric_series(metric, values)->value += amount;
}

void series_add(struct series *series, double amount)
{
	series->value += amount;
}

void metric_set(struct metric *metric, const char *const *values, double value)
{
	metric_series(metric, values)->value = value;
}

void metric_observe(struct metric *metric, const char *const *values, double value)
{
	struct series *series = metric_series(metric, values);
	size_t i = 0;

	while (i < metric->bound_count && value > metric->bounds[i]) {
		i++;
	}
	series->buckets[i] += 1;
	series->count += 1;
	series->value += value;
}

static void histogram_write(const struct metric *metric, const struct series *series,
			    struct buf *out)
{
	const char *comma = series->labels[0] != '\0' ? "," : "";
	double below = 0;

	for (size_t i = 0; i < metric->bound_count; i++) {
		below += series->buckets[i];
		buf_format(out, "%s_bucket{%s%sle=\"%.10g\"} %.17g\n", metric->name, series->labels,
			   comma, metric->bounds[i], below);
	}
	buf_format(out, "%s_bucket{%s%sle=\"+Inf\"} %.17g\n", metric->name, series->labels, comma,
		   series->count);
	buf_format(out, "%s_sum{%s} %.17g\n", metric->name, series->labels, series->value);
	buf_format(out, "%s_count{%s} %.17g\n", metric->name, series->labels, series->count);
}

static void metric_write(const struct metric *metric, struct buf *out)
{
	static const char *const TYPES[] = {[METRIC_COUNTER] = "counter",
					    [METRIC_GAUGE] = "gauge",
					    [METRIC_HISTOGRAM] = "histogram"};

	buf_format(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
		   TYPES[metric->type]);
	for (size_t i = 0; i < metric->series_count; i++) {
		const struct series *series = metric->series[i];

		if (metric->type == METRIC_HISTOGRAM) {
			histogram_write(metric, series, out);
		} else if (series->labels[0] != '\0') {
			buf_format(out, "%s{%s} %.17g\n", metric->name, series->labels,
				   series->value);
		} else {
			buf_format(out, "%s %.17g\n", metric->name, series->value);
		}
	}
}

void metrics_write(const struct metrics *metrics, struct buf *out)
{
	for (const struct metric *metric = metrics->first; metric != NULL; metric = metric->next) {
		metric_write(metric, out);
	}
}
