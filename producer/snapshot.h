/* snapshot.h - the first fill of an epoch: every assignment and every open request as an `r`.
 *
 * In key order and in chunks, on a session of its own; how far it is, is
 * saved now and then.  Where the slot was just created, the
 * session holds the slot's exported snapshot, and the records are exactly what the stream goes on
 * from.  That snapshot dies with its session; after that (or where the slot is older) each chunk is
 * read as it is now: newer than the position it is given, never older, and the stream repeats what
 * came between. */
#ifndef CALRELAY_PRODUCER_SNAPSHOT_H
#define CALRELAY_PRODUCER_SNAPSHOT_H

#include "producer/catalog.h"
#include "producer/emit.h"
#include "producer/keyset.h"
#include "producer/session.h"

enum snapshot_table { SNAPSHOT_ASSIGNMENTS, SNAPSHOT_REQUESTS, SNAPSHOT_TABLES };

struct snapshot {
	struct catalog *catalog;
	struct emit *emit;
	struct pg *pg;
	struct session *session; /* borrowed */
	uint32_t epoch;
	const char *from;   /* the assignment's id to start at; "": the first */
	bool is_consistent; /* the session holds the slot's exported snapshot */
	uint64_t consistent_point;

	bool active;
	bool paused; /* for room in Kafka's queue */
	enum snapshot_table table;
	struct keyset keyset;
	bool any_sent;	   /* a record of any table was made */
	bool any_in_table; /* a record of this table was made */
	bool has_requests; /* so the assignments are not the last table */
	int64_t time_us;
	uint32_t xid;
	size_t unacknowledged;
	int64_t records;
	bool all_sent;
	struct session_step step;

	int unsaved;	    /* rows that were read since it was saved */
	bool save_due;	    /* as soon as Kafka has all that was sent */
	bool awaiting_save; /* go on when it is saved */
	bool saving;	    /* the request is on its way, perhaps an earlier session's */
	struct pg_request save;
	/* Kafka has all of it; or it can't go on (fault). */
	void (*ended)(struct snapshot *snapshot, const struct fault *fault);
};

/* Begins with the fields above `active` and `ended` filled in; ended comes later, once. */
void snapshot_start(struct snapshot *snapshot);
void snapshot_delivered(struct snapshot *snapshot); /* Kafka confirmed one of its records */
void snapshot_resume(struct snapshot *snapshot);    /* there may be room again */
void snapshot_stop(struct snapshot *snapshot);	    /* ended will not come */

#endif
