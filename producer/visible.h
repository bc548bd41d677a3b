/* visible.h - pg_current_snapshot() as a value that several hold: which transactions it saw
 * finished.
 *
 * Pure. */
#ifndef CALRELAY_PRODUCER_VISIBLE_H
#define CALRELAY_PRODUCER_VISIBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/fault.h"
#include "common/pgsnapshot.h"

struct visible {
	struct pgsnapshot *snapshot;
	int references;
};

/* `xmin:xmax:xid,xid,...`; one reference, the caller's.  NULL with FAULT_FATAL. */
struct visible *visible_read(const char *text, struct fault *fault) MUST_CHECK;
struct visible *visible_hold(struct visible *visible);
void visible_let_go(struct visible *visible); /* NULL is fine */

/* Whether the transaction was finished; no snapshot (NULL) has seen none finish. */
bool visible_has_finished(const struct visible *visible, uint32_t xid);

#endif
