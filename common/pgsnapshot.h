/* pgsnapshot.h - PostgreSQL's pg_snapshot as a value: which transactions it saw finished.
 *
 * Pure.  Logical decoding names transactions by 32 bits, a snapshot by 64: the one meant is the one
 * nearest to xmax. */
#ifndef CALRELAY_COMMON_PGSNAPSHOT_H
#define CALRELAY_COMMON_PGSNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fault.h"

struct pgsnapshot {
	uint64_t xmin; /* everything below is finished */
	uint64_t xmax; /* nothing from here on is */
	size_t count;
	uint64_t running[]; /* between the two, and not finished */
};

/* `xmin:xmax:xid,xid,…` (pg_current_snapshot()::text).  NULL with FAULT_FATAL where it is nothing
 * of the kind (a NULL text too) or memory fails.  Named end: free. */
struct pgsnapshot *pgsnapshot_read(const char *text, struct fault *fault) MUST_CHECK;

bool pgsnapshot_has_finished(const struct pgsnapshot *snapshot, uint32_t xid);

#endif
