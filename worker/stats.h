/* stats.h - the worker's metrics, by the names that dashboards know. */
#ifndef CALRELAY_WORKER_STATS_H
#define CALRELAY_WORKER_STATS_H

#include "common/metrics.h"

struct stats {
	struct metrics *metrics;
	struct metric *oldest_unsynced;
	struct metric *lag_records;
	struct metric *lag_seconds;
	struct metric *committed_offset;
	struct metric *records;
	struct metric *in_flight_users;
	struct metric *batch_size;
	struct metric *graph_requests;
	struct metric *graph_seconds;
	struct metric *end_to_end_seconds;
	struct metric *token_refreshes;
	struct metric *parked_users;
	struct metric *dead_letters;
	struct metric *rebalances;
	struct metric *fenced_writes;
	struct metric *stalled_partitions;
	struct metric *breaker_open;
	struct metric *oldest_in_flight;
	struct metric *replay_users;
	struct metric *replay_users_left;
	struct metric *disarmed;
};

void stats_init(struct stats *stats);
void stats_close(struct stats *stats);

/* No partition is ours: no series of one stays. */
void stats_forget_partitions(struct stats *stats);

/* Parked users are counted one by one; reasons that are none of ours are "other". */
void stats_count_parked_anew(struct stats *stats);
void stats_count_parked(struct stats *stats, const char *reason);

#define STATS_COUNT(metric, ...) metric_add((metric), (const char *const[]){__VA_ARGS__}, 1)

#endif
