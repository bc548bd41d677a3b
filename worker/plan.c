/* plan.c - the position guard and the content comparison. */
#include "worker/plan.h"

#include <string.h>

static bool plan_is_old(const struct row *row, const char *pos)
{
	if (strcmp(pos, row->pending_pos) < 0 || strcmp(pos, row->applied_pos) < 0) {
		return true;
	}
	return row->pending_pos[0] == '\0' && strcmp(pos, row->applied_pos) == 0;
}

static bool row_is_settled(const struct row *row)
{
	return row->pending_pos[0] == '\0' && !row->is_dirty;
}

enum plan plan_record(const struct row *row, const char *pos, const struct outlook_event *event)
{
	bool wants_event = event->verdict == OUTLOOK_EVENT;

	if (row == NULL) {
		return wants_event ? PLAN_SEND : PLAN_RECORD;
	}
	if (plan_is_old(row, pos)) {
		return PLAN_SKIP;
	}
	if (!row_is_settled(row)) {
		return PLAN_SEND;
	}
	if (wants_event) {
		bool is_shown = row->state == ROW_SYNCED && row->event_id != NULL &&
				strcmp(row->hash, event->hash) == 0;

		return is_shown ? PLAN_RECORD : PLAN_SEND;
	}
	return row->event_id != NULL ? PLAN_SEND : PLAN_RECORD;
}
