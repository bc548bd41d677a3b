/* row.h - a mapping row (synced_calendar_events) as one read of the database gave it. */
#ifndef CALRELAY_WORKER_ROW_H
#define CALRELAY_WORKER_ROW_H

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "common/uuid.h"

enum row_state {
	ROW_SYNCED,  /* the calendar shows event_id, or an intent to create is under way */
	ROW_DELETED, /* a tombstone: no event is wanted, or none can be; event_id: one has yet to go
		      */
	ROW_FAILED,  /* Graph will not have it: see error */
	ROW_HIDDEN,  /* the person deleted the event, and is respected */
	ROW_STATES
};

/* What a row says.  Texts are NULL where there is none; who owns them is said where they stand. */
struct row_values {
	enum row_state state;
	int incarnation;	/* of the event: part of its transactionId */
	const char *event_id;	/* Graph's immutable id */
	const char *change_key; /* as of our last write */
	const char *hash;	/* of what we wrote */
	const char *category;	/* of ours, that the event carried then; NULL: unknown */
	const char *applied_pos;
	const char *pending_pos; /* of an intent under way */
	struct uuid attempt;	 /* the intent's unique name; read only where pending_pos is set */
	const char *error;
	bool shares_categories; /* and some of the person's own */
	bool is_behind; /* shows a record that may be older than what the last sync had read */
	bool is_dirty;	/* a request may still land: compare again once it can't any more */
};

struct row {
	struct uuid assignment;
	struct row_values is; /* texts stand behind the struct */
	uint32_t version;     /* PostgreSQL's xmin: what a compare-and-set compares */
	bool is_settleable;   /* dirty, and no request could land any more when this was read */
	UT_hash_handle hh;
	char texts[];
};

/* One allocation with copies of the texts; NULL without memory.  Named end: free(). */
struct row *row_new(const struct uuid *assignment, const struct row_values *values,
		    uint32_t version);

/* The database's names of the states; row_state_of: ROW_STATES for an unknown one. */
const char *row_state_name(enum row_state state);
enum row_state row_state_of(const char *name);

#endif
