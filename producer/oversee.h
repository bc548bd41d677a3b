/* oversee.h - looks now and then whether somebody else wrote into the partitions where we are
 * quiet.
 *
 * Where we write, the offsets of our own records tell at once (producer/publish.h). */
#ifndef CALRELAY_PRODUCER_OVERSEE_H
#define CALRELAY_PRODUCER_OVERSEE_H

#include "producer/flow.h"
#include "producer/topics.h"

struct oversee {
	struct loop *loop;
	struct flow *flow;
	uv_timer_t timer;
	struct topics_job job;
	bool looking;
	int64_t expected[TAILS_TOPICS][TAILS_PARTITIONS_MAX]; /* -1: not quiet */
	/* Somebody did.  Or a look that went on after oversee_stop has ended (fault FAULT_NONE). */
	void (*ended)(struct oversee *oversee, const struct fault *fault);
};

void oversee_init(struct oversee *oversee, struct loop *loop, struct flow *flow);
void oversee_start(struct oversee *oversee);
/* False where a look is still under way: it ends early, and ended comes. */
bool oversee_stop(struct oversee *oversee);
void oversee_close(struct oversee *oversee); /* after it stopped */

#endif
