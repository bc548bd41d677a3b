/* breaker.h - whether a service that everybody needs is worth calling: Graph, or the sign-in.
 *
 * Pure.  Failures of several people without one success between them are the service's, not theirs:
 * then only one call at a time tries it, with pauses that grow to 30 s, and nobody is parked or
 * buried for it.  The first success lets everybody on. */
#ifndef CALRELAY_WORKER_BREAKER_H
#define CALRELAY_WORKER_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/uuid.h"

#define BREAKER_USERS	       3 /* this many people in trouble, and nobody served */
#define BREAKER_PROBE_FIRST_MS 1000
#define BREAKER_PROBE_MOST_MS  30000

struct breaker {
	struct uuid failed[BREAKER_USERS];
	int failed_count;
	bool is_open;
	int64_t probe_at_ms; /* monotonic, while open */
	int64_t pause_ms;
};

/* Whether a call may be made now; while open, a true takes this pause's only probe. */
bool breaker_may_call(struct breaker *breaker, int64_t now_ms);

/* A call for user failed as a whole.  True where that opened the breaker. */
bool breaker_failed(struct breaker *breaker, const struct uuid *user, int64_t now_ms);

/* The service says that it is not about a user: opens at once.  True where that opened it. */
bool breaker_trip(struct breaker *breaker, int64_t now_ms);

/* A call was served.  True where that closed the breaker. */
bool breaker_succeeded(struct breaker *breaker);

#endif
