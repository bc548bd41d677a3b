/* visible.h - pg_current_snapshot() as a value: which transactions it saw finished.
 *
 * Pure.  The stream names transactions by 32 bits, a snapshot by 64: the one meant is the one
 * within 2^31 of the snapshot's own. */
#ifndef CALRELAY_PRODUCER_VISIBLE_H
#define CALRELAY_PRODUCER_VISIBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fault.h"

struct visible {
	uint64_t xmin; /* everything below is finished */
	uint64_t xmax; /* nothing from here on is */
	size_t count;
	int references;
	uint64_t running[]; /* between the two, and not finished */
};

/* `xmin:xmax:xid,xid,...`; one reference, the caller's.  NULL with FAULT_FATAL. */
struct visible *visible_read(const char *text, struct fault *fault) MUST_CHECK;
struct visible *visible_hold(struct visible *visible);
void visible_let_go(struct visible *visible); /* NULL is fine */

/* Whether the transaction was finished; no snapshot (NULL) has seen none finish. */
bool visible_has_finished(const struct visible *visible, uint32_t xid);

#endif
