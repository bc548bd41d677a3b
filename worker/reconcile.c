/* reconcile.c - finds assignments' events in a listing. */
#include "worker/reconcile.h"

#include <string.h>

const struct listed *reconcile_find(const struct listing *listing, const struct uuid *assignment,
				    const struct row *row)
{
	const struct listed *first = NULL;

	for (size_t i = 0; i < listing->count; i++) {
		const struct listed *listed = &listing->events[i];

		if (!listed->has_assignment || uuid_compare(&listed->assignment, assignment) != 0) {
			continue;
		}
		if (row != NULL && row->is.event_id != NULL &&
		    strcmp(row->is.event_id, listed->id) == 0) {
			return listed;
		}
		if (first == NULL) {
			first = listed;
		}
	}
	return first;
}

bool reconcile_needs_word(size_t orphans, size_t listed)
{
	return orphans > RECONCILE_BRAKE_COUNT && orphans * 100 > listed * RECONCILE_BRAKE_PERCENT;
}
