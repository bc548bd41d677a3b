/* row.h - a mapping row (synced_calendar_events) as one read of the database gave it. */
#ifndef CALRELAY_WORKER_ROW_H
#define CALRELAY_WORKER_ROW_H

#include <stdbool.h>
#include <uthash.h>

#include "common/pos.h"
#include "common/uuid.h"
#include "worker/outlook.h"

enum row_state { ROW_SYNCED, ROW_DELETED, ROW_FAILED };

struct row {
	struct uuid assignment;
	enum row_state state;
	char *event_id;	  /* NULL: none known */
	char *change_key; /* NULL: none known */
	int incarnation;
	char hash[OUTLOOK_HASH_SIZE];	 /* "": none */
	char applied_pos[POS_TEXT_SIZE]; /* "": none */
	char pending_pos[POS_TEXT_SIZE]; /* "": no intent under way */
	bool is_dirty;
	UT_hash_handle hh;
};

#endif
