/* view.h - what a person may know about their connection: filled by store, shown by page and api.
 */
#ifndef CALRELAY_CONNECT_VIEW_H
#define CALRELAY_CONNECT_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "common/uuid.h"

#define VIEW_COOLDOWN_S 60 /* between the newest request and the next "sync now" */
#define VIEW_BUSY_S	10 /* Retry-After while a synchronisation runs */
#define VIEW_REASONS	5  /* of one kind, the most frequent */

struct view_request {
	char id[UUID_TEXT_SIZE]; /* "" where there is none */
	char kind[16];		 /* full, disconnect */
	char state[16];		 /* requested, running, done, failed */
	int64_t total;
	int64_t done;
	int64_t failed;
	char error[512]; /* in words; "" where all is well */
	int64_t created_s;
	int64_t finished_s; /* 0 while it is not */
	bool is_removal;    /* of a disconnect: our events leave the calendar too */
};

/* Events that one reason keeps from being as they should. */
struct view_reason {
	int64_t count;
	char told[256]; /* as the worker wrote it: reason.h has the words */
};

struct view_reasons {
	int64_t count; /* of all reasons, those beyond VIEW_REASONS too */
	struct view_reason most[VIEW_REASONS];
	int most_count;
};

struct view {
	bool is_connected;
	char status[20]; /* active, needs_reconnect, disconnecting; not_connected without a row */
	char status_reason[256];
	char email[321];
	int64_t connected_s;   /* seconds since 1970 */
	int64_t last_synced_s; /* 0: never */
	int64_t in_calendar;
	int64_t waiting;
	int64_t hidden;		      /* deleted by their person, and left so */
	struct view_reasons failed;   /* Microsoft does not take them */
	struct view_reasons left_out; /* the plan itself gives them no event */
	int64_t next_try_s;	      /* Microsoft is not asked before; 0: it may be */
	int64_t wait_s;		      /* until "sync now" may be asked for again; 0: now */
	struct view_request running;
	struct view_request latest;
};

#endif
