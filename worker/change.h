/* change.h - one change of one assignment, as a record or the host's tables tell it. */
#ifndef CALRELAY_WORKER_CHANGE_H
#define CALRELAY_WORKER_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/pos.h"
#include "common/uuid.h"

#define CHANGE_NO_DAY INT32_MIN

/* What an assignment is; texts are NULL where the source has NULL. */
struct assignment {
	const char *client_name;
	const char *status;
	const char *notes;
	const char *project_notes;
	int32_t start_day; /* days since 1970-01-01; CHANGE_NO_DAY: missing or not a date */
	int32_t end_day;   /* the last day, inclusive */
};

/* One allocation: texts stand behind the struct.  Named end: free(). */
struct change {
	struct uuid user;
	struct uuid id; /* the assignment's */
	bool is_gone;	/* deleted, or another user's now; assignment is then empty */
	bool has_xid;
	uint32_t xid;		 /* source.txId: the transaction that made it */
	int64_t commit_us;	 /* source.ts_us, PostgreSQL's commit time; 0 where unknown */
	char pos[POS_TEXT_SIZE]; /* calrelay.pos; compares with strcmp */
	struct assignment assignment;
};

/* The first position of all: what the tables told, before any record. */
#define CHANGE_POS_FLOOR "00000000:0000000000000000:00000000"

/* A copy of assignment's texts in one allocation; NULL where there is no memory. */
struct change *change_new(const struct assignment *assignment);

#endif
