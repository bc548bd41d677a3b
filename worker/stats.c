/* stats.c - makes the worker's metrics. */
#include "worker/stats.h"

#include <string.h>

static const double END_TO_END_S[] = {0.1, 0.25, 0.5, 1,   2.5,	 5,    10, 30,
				      60,  120,	 300, 900, 1800, 3600, 0};
static const double REQUEST_S[] = {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 0};
static const double BATCH_ITEMS[] = {1, 2, 5, 10, 15, 20, 0};

#define COUNTER(name, labels, help)                                                                \
	metric_new(stats->metrics, METRIC_COUNTER, "calrelay_worker_" name, help, labels, NULL)
#define GAUGE(name, labels, help)                                                                  \
	metric_new(stats->metrics, METRIC_GAUGE, "calrelay_worker_" name, help, labels, NULL)
#define HISTOGRAM(name, labels, buckets, help)                                                     \
	metric_new(stats->metrics, METRIC_HISTOGRAM, "calrelay_worker_" name, help, labels, buckets)

/* Why a person's calendar waits (calendar_connections.status_reason). */
static const char *const REASONS[] = {"throttled", "mailbox", "refused", "unavailable",
				      "needs_reconnect"};

static void begin_at_none(struct metric *metric, const char *const *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		metric_add(metric, &values[i], 0);
	}
}

#define BEGIN_AT_NONE(metric, ...)                                                                 \
	begin_at_none((metric), (const char *const[]){__VA_ARGS__},                                \
		      sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* A counter that appears with its first event has no increase that shows it. */
static void stats_begin_at_none(struct stats *stats)
{
	BEGIN_AT_NONE(stats->records, "synced", "removed", "hidden", "failed", "nothing_to_do",
		      "old", "replayed", "parked", "not_connected", "disconnecting", "rejected");
	BEGIN_AT_NONE(stats->token_refreshes, "ok", "refused", "failed", "misconfigured");
	BEGIN_AT_NONE(stats->dead_letters, "decode", "graph");
	BEGIN_AT_NONE(stats->rebalances, "assigned", "revoked", "lost");
	stats_count_parked_anew(stats);
}

void stats_count_parked_anew(struct stats *stats)
{
	metric_clear(stats->parked_users);
	begin_at_none(stats->parked_users, REASONS, sizeof REASONS / sizeof *REASONS);
}

void stats_init(struct stats *stats)
{
	stats->metrics = metrics_new();
	stats->oldest_unsynced =
	    GAUGE("oldest_unsynced_seconds", "",
		  "Age of the oldest change that a calendar does not show yet");
	stats->lag_records =
	    GAUGE("partition_lag_records", "topic,partition",
		  "Records between the committed offset and the end of the partition");
	stats->lag_seconds = GAUGE("partition_lag_seconds", "topic,partition",
				   "Age of the oldest record that is not done; 0 when caught up");
	stats->committed_offset = GAUGE("committed_offset", "topic,partition",
					"Offset that Kafka acknowledged as committed");
	stats->records =
	    COUNTER("records_total", "outcome", "Records done, by what became of them");
	stats->in_flight_users = GAUGE("in_flight_users", "", "Users with a run under way");
	stats->batch_size = HISTOGRAM("batch_size", "", BATCH_ITEMS, "Operations per $batch");
	stats->graph_requests = COUNTER("graph_requests_total", "kind,status",
					"Graph requests, those in a batch one by one");
	stats->graph_seconds = HISTOGRAM("graph_request_duration_seconds", "kind", REQUEST_S,
					 "Duration of HTTP exchanges with Graph");
	stats->end_to_end_seconds =
	    HISTOGRAM("end_to_end_seconds", "", END_TO_END_S,
		      "From the commit in PostgreSQL to the mapping persisted");
	stats->token_refreshes =
	    COUNTER("token_refreshes_total", "result", "Access token refreshes, by result");
	stats->parked_users =
	    GAUGE("parked_users", "reason", "Users whose calendar waits, by reason");
	stats->dead_letters = COUNTER("dead_letters_total", "stage",
				      "Records sent to the dead-letter topic, by stage");
	stats->rebalances = COUNTER("rebalances_total", "kind", "Rebalances, by kind");
	stats->fenced_writes =
	    COUNTER("fenced_writes_total", "", "Writes refused because the partition is another's");
	stats->stalled_partitions =
	    GAUGE("stalled_partitions", "", "Partitions that stand still, as a restart would mend");
	stats->replay_users = GAUGE("replay_users", "topic,partition",
				    "Users of a replay that is under way, as far as it is folded");
	stats->replay_users_left = GAUGE("replay_users_left", "topic,partition",
					 "Users of a replay whose mailbox is still to be compared");
	stats->breaker_open =
	    GAUGE("breaker_open", "service", "1 while a service fails for everybody, else 0");
	stats->disarmed =
	    GAUGE("disarmed", "", "1 while calendars are held because this database is not armed");
	stats->oldest_in_flight =
	    GAUGE("oldest_in_flight_age_seconds", "", "Age of the oldest run under way");
	stats_begin_at_none(stats);
}

void stats_forget_partitions(struct stats *stats)
{
	metric_clear(stats->lag_records);
	metric_clear(stats->lag_seconds);
	metric_clear(stats->committed_offset);
	stats_count_parked_anew(stats);
}

void stats_count_parked(struct stats *stats, const char *reason)
{
	for (size_t i = 0; i < sizeof REASONS / sizeof *REASONS; i++) {
		if (strcmp(reason, REASONS[i]) == 0) {
			STATS_COUNT(stats->parked_users, reason);
			return;
		}
	}
	STATS_COUNT(stats->parked_users, "other");
}

void stats_close(struct stats *stats)
{
	metrics_free(stats->metrics);
}
