/* oversee.h - looks now and then whether somebody else wrote into the partitions where we are
 * quiet.
 *
 * Where we write, the offsets of our own records tell at once (producer/publish.h). */
#ifndef CALRELAY_PRODUCER_OVERSEE_H
#define CALRELAY_PRODUCER_OVERSEE_H

#include "producer/flow.h"

struct oversee {
	struct loop *loop;
	struct flow *flow;
	uv_timer_t timer;
	uv_work_t work; /* the calls wait, so they run beside the loop, on publish's client */
	bool looking;
	struct fault fault;
	struct tails ends;				      /* next_offset only */
	int64_t expected[TAILS_TOPICS][TAILS_PARTITIONS_MAX]; /* -1: not quiet */
	/* Somebody did.  Or a look that went on after oversee_stop has ended (fault FAULT_NONE). */
	void (*ended)(struct oversee *oversee, const struct fault *fault);
};

void oversee_init(struct oversee *oversee, struct loop *loop, struct flow *flow);
void oversee_start(struct oversee *oversee);
/* False where a look is still under way: ended comes within seconds; publish must stay open
 * until then. */
bool oversee_stop(struct oversee *oversee);
void oversee_close(struct oversee *oversee); /* after it stopped */

#endif
