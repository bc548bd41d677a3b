/* visible.h - whether a transaction was visible in a snapshot (PostgreSQL's pg_snapshot text). */
#ifndef CALRELAY_WORKER_VISIBLE_H
#define CALRELAY_WORKER_VISIBLE_H

#include <stdbool.h>
#include <stdint.h>

/* snapshot: `xmin:xmax:xip,xip,…` of 64-bit ids (pg_current_snapshot()::text); NULL or malformed:
 * false.  xid: the 32 bits that logical decoding gives; taken as the one nearest to xmax. */
bool visible_in_snapshot(const char *snapshot, uint32_t xid);

#endif
