/* part.h - one assigned partition: where it stands, what it may commit, who owns it. */
#ifndef CALRELAY_WORKER_PART_H
#define CALRELAY_WORKER_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "common/kafka.h"
#include "worker/ledger.h"
#include "worker/stall.h"

/* claiming ─▶ reading, or folding ─▶ replaying ─▶ reading; released from anywhere */
enum part_state {
	PART_CLAIMING,	/* the fence is not ours, or not proven; its queue is not read */
	PART_FOLDING,	/* a replay: records become the newest state per assignment */
	PART_REPLAYING, /* the fold is compared with the mailboxes; its queue is not read */
	PART_READING,
	PART_RELEASED, /* given back or lost: whatever still runs for it is dropped */
	PART_STATES
};

/* A record that can't be read, on its way to the dead letters. */
struct dead_record {
	struct part *part;
	struct dead_record *prev; /* utlist's */
	struct dead_record *next;
	int64_t sent_ms; /* monotonic */
	int64_t offset;
	size_t key_length;
	size_t value_length;
	bool has_key;
	bool has_value;
	char reason[256];
	rd_kafka_headers_t *headers; /* NULL: none */
	struct loop_call again;
	char
	    bytes[]; /* a copy, because librdkafka's message goes with its event: key, then value */
};

struct part {
	struct intake *intake;
	struct kafka_queue queue;
	bool has_queue;
	bool is_requests;	/* of the sync requests' topic; else of the assignments' */
	bool is_proven;		/* Kafka took a commit of ours since the epoch was claimed */
	bool has_folded;	/* of a replay: the fold is whole */
	bool has_unread;	/* records wait that there is no room for */
	bool has_failed;	/* Kafka said why it gives nothing */
	bool replay_from_start; /* the fold began at the log's start: it knows every assignment */
	bool is_log_new;	/* another one than the known offsets are of */
	bool was_skipped;	/* the log does not tell what was not done: the tables have to */
	const char *topic;	/* borrowed from the intake */
	int32_t partition;
	enum part_state state;
	int64_t epoch; /* of our claim: the fence; 0: none yet */
	struct ledger ledger;
	int64_t start;	       /* the position reading began at */
	int64_t position;      /* behind what was delivered, or seen to be a gap */
	int64_t low_watermark; /* as looked up at assignment */
	int64_t high_watermark;
	int64_t known;		  /* below it every record was done once, as far as is known */
	int64_t replay_to;	  /* the fold runs up to this offset; -1: none */
	int replay_users;	  /* in the fold */
	int replay_lanes;	  /* of them not yet compared with their mailbox */
	int64_t saving;		  /* done_offset under way to PostgreSQL; -1: not in this round */
	int64_t committed;	  /* acknowledged by Kafka; -1: nothing yet */
	int64_t progress_ms;	  /* when a record was last delivered or done, monotonic */
	int holds;		  /* runs and dead letters under way that point here */
	size_t held_bytes;	  /* by its records that are not done, as lane.c counts them */
	struct dead_record *dead; /* dead letters under way, the oldest first */

	/* lag.h's: wall clock; 0: none */
	int64_t unread_ms;    /* since when the log is seen to hold more than was delivered */
	int64_t fold_ms;      /* the oldest record of a replay, by its own time */
	int64_t fold_late_ms; /* the oldest change that a calendar may lack until it is over */

	/* watch.c */
	enum stall stall;
	int64_t acked;	 /* committed, and */
	int64_t reached; /* position, or the end of a fold, when Kafka was asked */
	int short_looks; /* in a row that found the log shorter than it was */
};

/* Where an assigned partition goes on, and whether somebody has reset it: pure. */
struct part_progress {
	bool is_known;	   /* a row was there */
	int64_t done;	   /* -1: none */
	int64_t committed; /* -1: none */
	int64_t replay_to; /* -1: none */
};

/* committed: the group's offset in Kafka, -1: none.  Sets start, known, replay_to,
 * replay_from_start, was_skipped, is_log_new. */
void part_decide(struct part *part, int64_t committed, const struct part_progress *progress);

/* What may be committed now: everything below is done. */
int64_t part_committable(const struct part *part);

#endif
