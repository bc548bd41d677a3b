/* explore.h - tries every order of events in the model, breadth first. */
#ifndef CALRELAY_TESTS_UNIT_WORKER_EXPLORE_H
#define CALRELAY_TESTS_UNIT_WORKER_EXPLORE_H

#include <stddef.h>

#include "tests/unit/worker/model.h"

#define EXPLORE_STATES_MAX 8000000

struct explore_result {
	const char *violation; /* of the first state, on a shortest way, that breaks the rules;
				* NULL: none does, and every state can come to rest */
	size_t states;
	size_t transitions;
	size_t resting; /* quiescent states */
};

/* Prints the numbers and, where something is violated, the events that lead there. */
struct explore_result explore(const struct model_config *config);

#endif
