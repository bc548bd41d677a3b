/* visible.c - pg_current_snapshot() as a value that several hold. */
#include "producer/visible.h"

#include <stdlib.h>

struct visible *visible_read(const char *text, struct fault *fault)
{
	struct pgsnapshot *snapshot = pgsnapshot_read(text, fault);
	struct visible *visible;

	if (snapshot == NULL) {
		return NULL;
	}
	visible = calloc(1, sizeof *visible);
	if (visible == NULL) {
		free(snapshot);
		fault_fatal(fault, "out of memory");
		return NULL;
	}
	*visible = (struct visible){.snapshot = snapshot, .references = 1};
	return visible;
}

struct visible *visible_hold(struct visible *visible)
{
	visible->references++;
	return visible;
}

void visible_let_go(struct visible *visible)
{
	if (visible != NULL && --visible->references == 0) {
		free(visible->snapshot);
		free(visible);
	}
}

bool visible_has_finished(const struct visible *visible, uint32_t xid)
{
	return visible != NULL && pgsnapshot_has_finished(visible->snapshot, xid);
}
