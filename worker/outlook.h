/* outlook.h - an assignment as a calendar event: subject, body, dates, category, showAs.
 *
 * Rules: design of the event in ARCHITECTURE.md; all-day events per Graph's event resource:
 * midnight to midnight in one zone, end exclusive. */
#ifndef CALRELAY_WORKER_OUTLOOK_H
#define CALRELAY_WORKER_OUTLOOK_H

#include "common/buf.h"
#include "common/hostmap.h"
#include "common/scope.h"
#include "worker/change.h"

#define OUTLOOK_SUBJECT_MAX_CHARACTERS 255
#define OUTLOOK_BODY_MAX_BYTES	       32768
#define OUTLOOK_HASH_SIZE	       65
#define OUTLOOK_EVENT_MAX_BYTES	       131072

/* Why an assignment has no event; OUTLOOK_EVENT: it has one. */
enum outlook_verdict {
	OUTLOOK_EVENT,
	OUTLOOK_GONE,	/* deleted or another user's */
	OUTLOOK_STATUS, /* its status has no event in the mapping */
	OUTLOOK_DATES_MISSING,
	OUTLOOK_DATES_REVERSED, /* the end lies before the start */
	OUTLOOK_DATES_BEYOND,	/* outside 1601-01-01 .. 4500-12-31, which Outlook can't show */
	OUTLOOK_VERDICTS
};

struct outlook_event {
	enum outlook_verdict verdict;
	char *subject;	/* cleaned and cut, or "(untitled project)" */
	char *body;	/* plain text: status, blank line, notes, blank line, the project's notes */
	char start[11]; /* YYYY-MM-DD */
	char end[11];	/* exclusive: the day after the last */
	const char *time_zone;		 /* borrowed */
	const struct hostmap_look *look; /* borrowed */
	const char *category;		 /* borrowed; NULL without an event */
	char hash[OUTLOOK_HASH_SIZE]; /* SHA-256 of what a PATCH would send; "" without an event */
};

/* For people, e.g. "the project has no start or end date"; NULL for OUTLOOK_EVENT. */
const char *outlook_reason(enum outlook_verdict verdict);

/* What was granted of the mailbox decides which category: one of our own, or Outlook's.  Named end:
 * outlook_event_close.  False without memory. */
bool outlook_event_make(struct outlook_event *event, const struct change *change,
			const struct hostmap *map, const char *time_zone,
			enum scope_mailbox mailbox);
void outlook_event_close(struct outlook_event *event);

/* The members of a PATCH body, without the braces: subject, body, isAllDay, start, end, showAs,
 * categories, isReminderOn.  theirs: the list of categories that stay beside ours; NULL: no word
 * about categories. */
void outlook_write_members(struct buf *out, const struct outlook_event *event, const char *theirs);

#endif
