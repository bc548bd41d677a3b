/* later.h - calls in order of their time, on one timer: latencies and delays by the thousand. */
#ifndef CALRELAY_FAKE_LATER_H
#define CALRELAY_FAKE_LATER_H

#include <stdint.h>

#include "common/loop.h"

/* Embedded by its owner, who may free it once fn was called or later_cancel returned. */
struct later {
	struct later *next;
	struct later *prev;
	int64_t due_ms; /* 0: not waiting */
	void (*fn)(struct later *later);
};

struct later_queue {
	uv_timer_t timer;
	struct later *first; /* soonest first */
};

void later_init(struct later_queue *queue, struct loop *loop);

/* Calls fn once, from the loop, after delay_ms. */
void later_add(struct later_queue *queue, struct later *later, int64_t delay_ms,
	       void (*fn)(struct later *later));
void later_cancel(struct later_queue *queue, struct later *later); /* nothing where not waiting */

#endif
