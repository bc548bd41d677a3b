/* armed.c - is this the database that was armed, where it was armed? */
#include "worker/armed.h"

#include <stdio.h>
#include <string.h>

static enum armed held(char reason[ARMED_REASON_SIZE], const char *why)
{
	snprintf(reason, ARMED_REASON_SIZE, "%s", why);
	return ARMED_HELD;
}

enum armed armed_decide(const struct armed_view *view, char reason[ARMED_REASON_SIZE])
{
	const struct armed_place *row = &view->row;
	const struct armed_place *here = &view->here;

	reason[0] = '\0';
	if (!view->has_row) {
		return ARMED_FIRST;
	}
	if (strcmp(row->system, here->system) != 0) {
		return held(reason, "this database was armed on another PostgreSQL server");
	}
	if (row->database != here->database) {
		return held(reason, "this database is a copy: another one was armed here");
	}
	if (strcmp(row->kafka, here->kafka) != 0) {
		return held(reason, "this database was armed with another Kafka cluster");
	}
	if (row->timeline == here->timeline) {
		return ARMED_YES;
	}
	/* done_offset is saved before Kafka has a commit, so Kafka ahead of it is a state that this
	 * database had, and has lost */
	if (here->timeline < row->timeline || view->behind > 0) {
		return held(reason, "this database was set back: Kafka has offsets that it lost");
	}
	return ARMED_MOVED;
}
