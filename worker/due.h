/* due.h - finds the sync requests that are due for the partitions we own. */
#ifndef CALRELAY_WORKER_DUE_H
#define CALRELAY_WORKER_DUE_H

#include "common/pg.h"

struct worker;

struct due {
	struct worker *worker;
	struct pg_request requests;
	struct pg_request parked;
	bool is_asking;
	bool is_counting;
	int ticks;
};

void due_init(struct due *due, struct worker *worker);

/* Every second: asks for due requests, now and then counts the parked. */
void due_tick(struct due *due);

#endif
