/* reason.h - what the worker wrote down as a reason, as a sentence for people with a way on.
 *
 * Pure.  The worker writes codes (calendar_connections.status_reason), short clauses
 * (synced_calendar_events.last_error) and sentences (calendar_sync_requests.error); unknown ones
 * are shown as they are. */
#ifndef CALRELAY_CONNECT_REASON_H
#define CALRELAY_CONNECT_REASON_H

#include <stdbool.h>

struct reason {
	const char *told; /* by the worker; a star stands for any text, at an end or both */
	const char *text; /* NULL: what was told is a sentence already */
	const char *way_on;
	bool has_detail; /* what was told says more than the text, or how many remain */
};

/* Never NULL. */
const struct reason *reason_find(const char *told);

/* The sentence to show. */
const char *reason_text(const char *told);

#endif
