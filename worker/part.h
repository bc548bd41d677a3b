/* part.h - one assigned partition: where it stands, what it may commit, who owns it. */
#ifndef CALRELAY_WORKER_PART_H
#define CALRELAY_WORKER_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "common/kafka.h"
#include "worker/ledger.h"

/* claiming ─▶ reading, or folding ─▶ replaying ─▶ reading; released from anywhere */
enum part_state {
	PART_CLAIMING,	/* the fence is not ours, or not proven; its queue is not read */
	PART_FOLDING,	/* a replay: records become the newest state per assignment */
	PART_REPLAYING, /* the fold is compared with the mailboxes; its queue is not read */
	PART_READING,
	PART_RELEASED, /* given back or lost: whatever still runs for it is dropped */
	PART_STATES
};

struct part {
	struct intake *intake;
	struct kafka_queue queue;
	bool has_queue;
	bool is_requests;	/* of the sync requests' topic; else of the assignments' */
	bool is_proven;		/* Kafka took a commit of ours since the epoch was claimed */
	bool has_folded;	/* of a replay: the fold is whole */
	bool has_unread;	/* records wait that the window has no room for */
	bool replay_from_start; /* the fold began at the log's start: it knows every assignment */
	const char *topic;	/* borrowed from the intake */
	int32_t partition;
	enum part_state state;
	int64_t epoch; /* of our claim: the fence; 0: none yet */
	struct ledger ledger;
	int64_t start;	       /* the position reading began at */
	int64_t low_watermark; /* as looked up at assignment */
	int64_t high_watermark;
	int64_t replay_to;   /* the fold runs up to this offset; -1: none */
	int replay_lanes;    /* not yet compared with their mailbox */
	int64_t saving;	     /* done_offset under way to PostgreSQL; -1: not in this round */
	int64_t committed;   /* acknowledged by Kafka; -1: nothing yet */
	int64_t progress_ms; /* when a record was last delivered or done, monotonic */
	int holds;	     /* runs and dead letters under way that point here */
};

/* Where an assigned partition goes on, and whether somebody has reset it: pure. */
struct part_progress {
	bool is_known;	   /* a row was there */
	int64_t done;	   /* -1: none */
	int64_t committed; /* -1: none */
	int64_t replay_to; /* -1: none */
};

/* committed: the group's offset in Kafka, -1: none.  Sets start, replay_to, replay_from_start. */
void part_decide(struct part *part, int64_t committed, const struct part_progress *progress);

/* What may be committed now: everything below is done. */
int64_t part_committable(const struct part *part);

#endif
