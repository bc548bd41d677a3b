/* part.h - one assigned partition: where it stands, what it may commit, who owns it. */
#ifndef CALRELAY_WORKER_PART_H
#define CALRELAY_WORKER_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "common/kafka.h"
#include "worker/ledger.h"

/* assigned ─▶ claiming ─▶ reading ⇄ replaying ─▶ released */
enum part_state {
	PART_CLAIMING,  /* the fence is not ours yet; its queue is not read */
	PART_FOLDING,   /* a replay: records become the newest state per assignment */
	PART_REPLAYING, /* the fold is compared with the mailboxes; its queue is not read */
	PART_READING,
	PART_RELEASED,  /* given back or lost: whatever still runs for it is dropped */
	PART_STATES
};

struct part {
	struct intake *intake;
	struct kafka_queue queue;
	bool is_requests;     /* of the sync requests' topic; else of the assignments' */
	const char *topic;    /* borrowed */
	int32_t partition;
	enum part_state state;
	int64_t epoch;        /* of our claim: the fence */
	struct ledger ledger;
	int64_t replay_to;    /* the fold runs up to this offset; -1: none */
	bool replay_from_start; /* the fold began at the log's start: it knows every assignment */
	int replay_lanes;     /* not yet compared with their mailbox */
	int64_t start;        /* the position reading began at */
	int64_t high_watermark;
	int64_t persisted;    /* done_offset in PostgreSQL */
	int64_t committed;    /* acknowledged by Kafka */
	int64_t progress_ms;  /* when committed last moved or nothing was open, for stall detection */
	int runs;             /* that are under way for it */
	bool has_unread;      /* a message waits that the window has no room for */
};

#endif
