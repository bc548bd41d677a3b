/* lag.h - how far a partition is behind, in records and in time.
 *
 * Pure.  Times are wall-clock ms since when something waits; 0: nothing does. */
#ifndef CALRELAY_WORKER_LAG_H
#define CALRELAY_WORKER_LAG_H

#include <stdint.h>

#include "worker/part.h"

struct lag {
	int64_t records; /* the log's end, less what is committed: as Kafka's own tool counts */
	/* The oldest record that is not done, by its own time; in a replay that is one of those to
	 * be done once more. */
	int64_t oldest_ms;
	/* The oldest change that a calendar may lack.  What a replay repeats was shown before: it
	 * counts from the replay's beginning. */
	int64_t late_ms;
};

void lag_of(const struct part *part, struct lag *lag);

/* Since when a record waits that carries timestamp_ms (-1: none) and is delivered now: a clock that
 * is ahead of ours makes it no younger than that. */
int64_t lag_since(int64_t timestamp_ms, int64_t now_ms);

/* The earlier of two times, 0 being none. */
int64_t lag_earlier(int64_t one_ms, int64_t other_ms);

/* A record of a replay's fold, that waits since then. */
void lag_fold(struct part *part, int64_t offset, int64_t since_ms);

/* The log ends there.  What is not delivered has an age that nobody knows: it is at least the time
 * since it was first seen. */
void lag_see_end(struct part *part, int64_t end, int64_t now_ms);

/* A replay that begins, or its end. */
void lag_begin_replay(struct part *part, int64_t now_ms);
void lag_end_replay(struct part *part);

/* Seconds since then; 0 where nothing waits, or the clock was put back behind it. */
double lag_seconds(int64_t since_ms, int64_t now_ms);

#endif
