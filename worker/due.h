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
};

void due_init(struct due *due, struct worker *worker);

/* Every second: asks for due requests, now and then counts the parked and uses idle tokens. */
void due_tick(struct due *due);

#endif
