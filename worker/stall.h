/* stall.h - whether a partition stands still in a way that only a restart can mend.
 *
 * Pure.  What waits for somebody outside (Microsoft, PostgreSQL, Kafka, a place, a drain) is no
 * stall: a restart would wait for the same.  What is left is a fault of ours or of librdkafka's. */
#ifndef CALRELAY_WORKER_STALL_H
#define CALRELAY_WORKER_STALL_H

#include <stdbool.h>
#include <stdint.h>

#define STALL_IDLE_MS	30000  /* nothing delivered, nothing done for so long */
#define STALL_SILENT_MS 600000 /* beyond every deadline of a step, a dead letter, a commit */

enum stall {
	STALL_NONE,
	STALL_UNSERVED, /* records are open, there is a place, and no run takes them */
	STALL_UNREAD,	/* Kafka has more, nothing is open, and nothing is delivered */
	STALL_SILENT,	/* what is under way never answers */
	STALLS
};

/* What is seen of one partition. */
struct stall_view {
	bool is_read;	 /* its queue is being read: no drain, no claim, no comparison under way */
	bool has_room;	 /* for more records: neither window nor ceiling is reached */
	bool has_place;	 /* for another run */
	bool has_failed; /* Kafka said why it gives nothing */
	bool is_end_known; /* Kafka answered what the end is, in time */
	int64_t end;	   /* of the log */
	int64_t position;  /* what would be delivered next */
	int64_t open;	   /* records delivered and not done */
	int64_t holds;	   /* runs and dead letters under way */
	int64_t idle_ms;   /* since a record was delivered or done, or the end was reached */
	int64_t silent_ms; /* since what is under way for longest began to be; 0: nothing */
};

enum stall stall_of(const struct stall_view *view);
const char *stall_name(enum stall stall);

#endif
