/* slot.h - the replication slot and the epoch: what is there, and so what has to be done.
 *
 * Pure: values in, decisions out.  relay asks PostgreSQL. */
#ifndef CALRELAY_PRODUCER_SLOT_H
#define CALRELAY_PRODUCER_SLOT_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/fault.h"
#include "producer/settings.h"

#define SLOT_TEXT_SIZE 64

/* What PostgreSQL says it is (IDENTIFY_SYSTEM). */
struct slot_system {
	char identifier[SLOT_TEXT_SIZE];
	int32_t timeline;
};

/* What SLOT_VIEW_SQL answers: the slot, and the newest epoch. */
struct slot_view {
	char database[SLOT_TEXT_SIZE];
	int64_t sender_timeout_ms; /* 0: none */
	bool exists;
	bool is_lost; /* the server has removed WAL that it needs */
	uint64_t confirmed_lsn;
	uint64_t flush_lsn; /* the end of the server's log */
	bool has_rows;	    /* the assignments' table has, or had */
	bool has_epoch;
	uint32_t epoch;
	struct slot_system system; /* the epoch's */
	char slot[SLOT_TEXT_SIZE];
	bool snapshot_finished;
	bool given_up;
	uint64_t consistent_point;
	char snapshot_from[SLOT_TEXT_SIZE]; /* where it goes on; "": from the first row */
};

extern const char
    SLOT_VIEW_SQL[]; /* parameters: the slot's name; schema and table of assignments */

bool slot_read_view(const PGresult *result, struct slot_view *view, struct fault *fault) MUST_CHECK;
bool slot_read_system(const PGresult *result, struct slot_system *system,
		      struct fault *fault) MUST_CHECK;
bool slot_read_lsn(const char *text, uint64_t *lsn);

/* After how long without a word from us the server gives the slot away: our session's own
 * wal_sender_timeout, the server's where that is shorter.  Short, so that a standby takes over from
 * a frozen owner within 10 s. */
#define SLOT_SENDER_TIMEOUT_MS 8000

/* How long a record may wait for Kafka: it expires before anybody else can hold the slot. */
int slot_record_timeout_ms(const struct slot_view *view);

enum slot_plan { SLOT_USE, SLOT_CREATE, SLOT_STOP };

/* SLOT_STOP with FAULT_FATAL: changes are lost, and somebody has to say what is to happen. */
enum slot_plan slot_decide(const struct slot_view *view, const struct slot_system *system,
			   const char *slot, struct fault *fault);

/* What Kafka has, as far as it tells whether it came from this server's log. */
struct slot_topics {
	uint32_t epoch;		  /* the highest; 0: no record */
	uint64_t transaction_lsn; /* of the newest transaction of the view's epoch; 0: none */
	bool is_empty;		  /* no assignment at all */
	bool is_other;		  /* the stream passed by transaction_lsn and did not meet it */
};

struct slot_epoch {
	uint32_t number;
	bool is_new;
	bool needs_snapshot;
	uint64_t consistent_point; /* the position its snapshot's records carry */
	char snapshot_from[SLOT_TEXT_SIZE];
};

/* A new one wherever positions can't be compared, also because the server was set back to an older
 * state of itself, slot and all; or where Kafka has lost what an epoch began with. */
struct slot_epoch slot_decide_epoch(const struct slot_view *view, const struct slot_system *system,
				    const char *slot, const struct slot_topics *topics);

/* A transaction that the slot has to send again, because Kafka has it and the slot was not told; or
 * 0. */
uint64_t slot_expected(const struct slot_view *view, const struct slot_topics *topics);

/* Commands of the replication protocol, names quoted. */
void slot_write_create(struct buf *out, const char *slot);
void slot_write_start(struct buf *out, const struct settings *settings);

#endif
