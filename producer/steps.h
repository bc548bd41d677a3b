/* steps.h - the steps of the producer's life, as a table. */
#ifndef CALRELAY_PRODUCER_STEPS_H
#define CALRELAY_PRODUCER_STEPS_H

#include "producer/relay.h"

struct step {
	const char *name;
	void (*begin)(struct relay *relay); /* answers later, through relay_resume */
	/* What follows.  May turn success into a fault, or a fault into success; NULL for a step
	 * that lasts until something breaks. */
	enum relay_step (*finish)(struct relay *relay, struct fault *fault);
};

extern const struct step STEPS[RELAY_STEPS];

#endif
