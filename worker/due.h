/* due.h - finds what is due in the partitions we own: sync requests, and tokens to be used before
 * they age out. */
#ifndef CALRELAY_WORKER_DUE_H
#define CALRELAY_WORKER_DUE_H

#include "common/pg.h"

struct worker;

struct due {
	struct worker *worker;
	struct pg_request requests;
	struct pg_request parked;
	struct pg_request idle;
	bool is_asking;
	bool is_counting;
	bool is_touching;
	int ticks;
	int64_t asked_ms;  /* since when the oldest request is due, wall clock; 0: none is */
	int64_t parked_ms; /* since when a parked user's calendar lacks something; 0: none does */
};

void due_init(struct due *due, struct worker *worker);

/* Every second: asks for due requests, now and then counts the parked and uses idle tokens. */
void due_tick(struct due *due);

/* No partition is ours. */
void due_forget(struct due *due);

/* Since when (wall clock) somebody of ours waits outside the log; 0: nobody does. */
int64_t due_late(const struct due *due);

#endif
