/* watch.h - looks at the partitions from outside: where their logs end, what stands still, how far
 * a replay is.
 *
 * Kafka is asked on a thread of its own (librdkafka's look-ups block), so it says the truth also
 * of a partition that is not read. */
#ifndef CALRELAY_WORKER_WATCH_H
#define CALRELAY_WORKER_WATCH_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct intake;

struct watch {
	uv_work_t look;
	bool is_looking;
	int64_t ticks;
	int64_t assignment; /* intake->assignment when it began */
	bool ok;
	rd_kafka_topic_partition_list_t *ends;
	rd_kafka_topic_partition_list_t *committed;
	int64_t asked_ms; /* of the last look that was answered, monotonic; 0: none */
	int64_t began_ms; /* the look under way */
};

/* Every second. */
void watch_tick(struct intake *intake);

/* Partitions that stand still, as of the last tick. */
int watch_stalled(const struct intake *intake);

/* Before a scrape: lag, offsets, replays.  Since when (wall clock) a record waits that a calendar
 * may lack; 0: none does. */
int64_t watch_refresh_stats(struct intake *intake, int64_t now_ms);

#endif
