/* holds.h - that nothing breaks the rules in a world of the explorer. */
#ifndef CALRELAY_TESTS_UNIT_WORKER_HOLDS_H
#define CALRELAY_TESTS_UNIT_WORKER_HOLDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/worker/explore.h"

/* Under both things that Graph may do with the transactionId of a deleted event. */
static inline void holds(struct model_config config, const char *history)
{
	config.history = history;
	config.name = "Graph refuses";
	assert_null(explore(&config).violation);
	config.name = "Graph forgets";
	config.forgets_transactions = true;
	assert_null(explore(&config).violation);
}

#endif
