/* plan.h - what a record asks of the calendar, given the mapping row: the position guard.
 *
 * Pure.  A record older than what is applied or under way changes nothing; the position under way
 * itself is done again, because we may have died behind the intent. */
#ifndef CALRELAY_WORKER_PLAN_H
#define CALRELAY_WORKER_PLAN_H

#include "worker/outlook.h"
#include "worker/row.h"

enum plan {
	PLAN_SKIP,   /* nothing to send, nothing to write */
	PLAN_RECORD, /* nothing to send: the row alone learns the position */
	PLAN_SEND,   /* an operation on the calendar */
};

/* row NULL: there is none.  pos: the record's.  event: what the record wants. */
enum plan plan_record(const struct row *row, const char *pos, const struct outlook_event *event);

#endif
