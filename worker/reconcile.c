/* reconcile.c - compares one assignment's wish, row and event. */
#include "worker/reconcile.h"

#include <string.h>

static bool row_says(const struct row *row, const struct outlook_event *event,
		     const struct listed *listed)
{
	return row != NULL && row->state == ROW_SYNCED && !row->is_dirty &&
	       row->pending_pos[0] == '\0' && row->event_id != NULL &&
	       strcmp(row->event_id, listed->id) == 0 && row->change_key != NULL &&
	       strcmp(row->change_key, listed->change_key) == 0 &&
	       strcmp(row->hash, event->hash) == 0;
}

static bool row_says_none(const struct row *row)
{
	return row == NULL ||
	       (row->event_id == NULL && !row->is_dirty && row->pending_pos[0] == '\0');
}

enum finding reconcile_wanted(const struct outlook_event *event, const struct row *row,
			      const struct listed *listed)
{
	if (event->verdict != OUTLOOK_EVENT) {
		if (listed != NULL) {
			return FINDING_REMOVE;
		}
		return row_says_none(row) ? FINDING_RIGHT : FINDING_RECORD;
	}
	if (listed == NULL) {
		return FINDING_CREATE;
	}
	if (row_says(row, event, listed)) {
		return FINDING_RIGHT;
	}
	return listed_matches(listed, event) ? FINDING_RECORD : FINDING_UPDATE;
}

const struct listed *reconcile_find(const struct listing *listing, const struct uuid *assignment,
				    const struct row *row)
{
	const struct listed *first = NULL;

	for (size_t i = 0; i < listing->count; i++) {
		const struct listed *listed = &listing->events[i];

		if (!listed->has_assignment || uuid_compare(&listed->assignment, assignment) != 0) {
			continue;
		}
		if (row != NULL && row->event_id != NULL &&
		    strcmp(row->event_id, listed->id) == 0) {
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
