/* skip.h - whoever has records that were skipped gets a full sync, before the skip is believed. */
#ifndef CALRELAY_WORKER_SKIP_H
#define CALRELAY_WORKER_SKIP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/pg.h"
#include "common/uuid.h"

struct intake;

struct skip {
	struct pg_request request;
	bool is_busy;
	bool is_stale;		    /* the parts it was for are gone */
	char after[UUID_TEXT_SIZE]; /* the last user who is dealt with; "": none yet */
	char last[UUID_TEXT_SIZE];  /* of the page under way */
	int64_t filed;
};

/* Every part has its epoch.  Where records were skipped (part->was_skipped), files a full sync for
 * each connected user of those partitions, page by page; then calls intake_claimed.  done_offset is
 * saved after that, so a crash in between finds the skip again.  What fails is tried again. */
void skip_begin(struct intake *intake);

/* The parts are gone. */
void skip_forget(struct skip *skip);

#endif
