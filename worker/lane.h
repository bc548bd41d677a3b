/* lane.h - one lane per user: the newest state per assignment waits here for the user's run.
 *
 * intake ─▶ [lane] ─▶ run ─▶ ledger.  A user has at most one run at a time; users never wait for
 * each other, only for one of the in-flight places. */
#ifndef CALRELAY_WORKER_LANE_H
#define CALRELAY_WORKER_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "worker/change.h"
#include "worker/part.h"

/* The newest known state of one assignment, and every record whose fate hangs on it. */
struct item {
	struct uuid id;
	struct change *change; /* owned */
	char *raw; /* the record's value, for the dead-letter topic; owned, may be NULL */
	size_t raw_length;
	int64_t *offsets; /* owned */
	size_t offset_count;
	size_t offset_capacity;
	size_t held_bytes;    /* as counted */
	struct part *part;    /* whose, and */
	struct lanes *counts; /* where it is counted until it is freed; borrowed */
	UT_hash_handle hh;
};

struct lane {
	struct uuid user;
	char user_text[UUID_TEXT_SIZE];
	struct part *part;  /* the assignments' partition of this user */
	struct item *items; /* waiting, by assignment */
	bool wants_sync;    /* a sync request may be due: the database knows */
	bool wants_replay;  /* items are a fold, to be compared with the mailbox */
	struct run *run;    /* the one under way */
	struct lane *next_ready;
	bool is_ready;
	UT_hash_handle hh;
};

/* What records that are not done may hold, in lanes, runs and dead letters, as estimated: then
 * partitions are read no further.  None is kept from its own share by what others hold. */
#define LANES_MOST_BYTES ((size_t)9 << 20)

struct lanes {
	struct lane *by_user;
	struct lane *first_ready;
	struct lane **last_ready;
	size_t waiting_items;
	size_t held_bytes; /* by every item that is not freed */
};

void lanes_init(struct lanes *lanes);

/* Frees every lane of part without a run (part NULL: all); items are dropped, not done. */
void lanes_drop(struct lanes *lanes, const struct part *part);

/* The user's lane, made where there is none; NULL without memory. */
struct lane *lanes_get(struct lanes *lanes, const struct uuid *user, struct part *part);

/* Takes change and raw over.  An older state of the same assignment gives way, its offsets stay to
 * be done with the newer one; a state older by position than what waits only adds its offset.
 * offset -1: a fold, nothing to mark.  False without memory. */
bool lane_put(struct lanes *lanes, struct lane *lane, struct change *change, char *raw,
	      size_t raw_length, int64_t offset);

/* Counts what else is held for a part's records, and lets go of it. */
void lanes_hold(struct lanes *lanes, struct part *part, size_t bytes);
void lanes_let_go(struct lanes *lanes, struct part *part, size_t bytes);

/* Whether part, one of count, may be read on. */
bool lanes_has_room(const struct lanes *lanes, const struct part *part, int count);

/* Takes all items out; the caller frees each with item_free. */
struct item *lane_take(struct lanes *lanes, struct lane *lane);

/* Puts items that a run could not finish back; what came since is newer and wins. */
bool lane_put_back(struct lanes *lanes, struct lane *lane, struct item *item);
void item_free(struct item *item);

/* Queues a lane that has something to do and no run. */
void lanes_make_ready(struct lanes *lanes, struct lane *lane);
struct lane *lanes_next_ready(struct lanes *lanes); /* NULL: none */

/* Frees the lane where it has nothing left to do. */
void lanes_release(struct lanes *lanes, struct lane *lane);

#endif
