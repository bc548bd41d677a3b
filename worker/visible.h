/* visible.h - whether a transaction was visible in a snapshot (PostgreSQL's pg_snapshot text). */
#ifndef CALRELAY_WORKER_VISIBLE_H
#define CALRELAY_WORKER_VISIBLE_H

#include <stdbool.h>
#include <stdint.h>

/* text: pg_current_snapshot()::text; where it can't be read (NULL, malformed, no memory), nothing
 * is visible, so that a change is looked at once more rather than skipped.  xid: the 32 bits that
 * logical decoding gives; 0 is none. */
bool visible_in_snapshot(const char *text, uint32_t xid);

#endif
