/* mailbox.h - a person's calendar and Deleted Items, and what Exchange does to their events.
 *
 * Pure: time comes in as now_ms. */
#ifndef CALRELAY_FAKE_MAILBOX_H
#define CALRELAY_FAKE_MAILBOX_H

#include <stddef.h>
#include <stdint.h>

#include "tests/fake/event.h"
#include "tests/fake/settings.h"

#define MAILBOX_EVENTS_MAX  500000 /* of the whole server, both folders */
#define MAILBOX_DELETED_MAX 1000   /* in one Deleted Items; the oldest goes for good */
#define MAILBOX_WINDOW_MS   600000 /* that the rate limit counts */

/* All events of the server, by the core of their ids. */
struct store {
	struct event *events;
	size_t count;
	uint64_t last_number;
	uint64_t last_change;
};

struct mailbox {
	struct event *calendar; /* in order of creation */
	struct event *deleted;	/* in order of deletion */
	size_t calendar_count;
	size_t deleted_count;
	struct event *transactions; /* by transactionId, deleted ones too */
	int in_flight;		    /* operations that Exchange works on now */
	int calls;		    /* HTTP requests under way */
	int64_t window_started_ms;
	int64_t window_count;
};

/* An event by an id that a client sent.  Deleted ones are not found unless settings show them. */
struct event *mailbox_find(const struct store *store, const struct settings *settings,
			   struct mailbox *mailbox, const char *id, bool is_immutable,
			   struct problem *problem);

/* POST: the new event, or the one that transactionId stands for.  Takes what draft holds. */
struct event *mailbox_create(struct store *store, const struct settings *settings,
			     struct mailbox *mailbox, struct draft *draft, int64_t now_ms,
			     struct problem *problem);

/* PATCH.  Takes what change holds. */
bool mailbox_change(struct store *store, struct event *event, struct draft *change, int64_t now_ms,
		    struct problem *problem);

/* DELETE: to Deleted Items; from there, for good. */
void mailbox_delete(struct store *store, struct event *event, int64_t now_ms);

/* Counts a request; false with 429 and how long to wait where the window is full. */
bool mailbox_count_request(struct mailbox *mailbox, const struct settings *settings, int64_t now_ms,
			   int64_t *retry_after_s, struct problem *problem);

void mailbox_close(struct store *store, struct mailbox *mailbox); /* every event goes */

#endif
