/* visible.c - whether a transaction was visible in a snapshot. */
#include "worker/visible.h"

#include <stdlib.h>

#include "common/pgsnapshot.h"

bool visible_in_snapshot(const char *text, uint32_t xid)
{
	struct fault fault;
	struct pgsnapshot *snapshot = pgsnapshot_read(text, &fault);
	bool is_visible = snapshot != NULL && xid != 0 && pgsnapshot_has_finished(snapshot, xid);

	free(snapshot);
	return is_visible;
}
