/* metrics.h - counters, gauges, histograms, and their text exposition (Prometheus 0.0.4).
 *
 * Label values come from closed sets; a metric holds at most METRIC_SERIES_MAX series, and what
 * would be one more is counted into the series "other". */
#ifndef CALRELAY_COMMON_METRICS_H
#define CALRELAY_COMMON_METRICS_H

#include <stddef.h>

#include "common/buf.h"

#define METRIC_SERIES_MAX 1024 /* as many partitions as a worker serves */

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct series;
struct metric;
struct metrics;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);

/* labels: names joined by commas ("topic,partition"), or "" for none.  buckets: ascending upper
 * bounds ending with 0, for histograms only.  Strings and buckets are borrowed for good. */
struct metric *metric_new(struct metrics *metrics, enum metric_type type, const char *name,
			  const char *help, const char *labels, const double *buckets);

/* values: one text per label, in order; (const char *const[]){"c", "row"}, or NULL for none. */
void metric_add(struct metric *metric, const char *const *values, double amount);
void metric_set(struct metric *metric, const char *const *values, double value);
void metric_observe(struct metric *metric, const char *const *values, double value);

/* The series of these values, for what is counted so often that finding it would cost; until
 * metric_clear. */
struct series *metric_series(struct metric *metric, const char *const *values);
void series_add(struct series *series, double amount);

void metric_clear(struct metric *metric); /* forget all series (a partition we no longer own) */

void metrics_write(const struct metrics *metrics, struct buf *out);

#endif
