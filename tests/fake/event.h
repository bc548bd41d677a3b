/* event.h - one event of a mailbox, its two ids, and how Graph shows it. */
#ifndef CALRELAY_FAKE_EVENT_H
#define CALRELAY_FAKE_EVENT_H

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "common/buf.h"
#include "tests/fake/draft.h"

#define EVENT_CORE_SIZE 25 /* 18 random bytes as base64url, and the NUL */
#define EVENT_ID_SIZE	160
#define EVENT_ETAG_SIZE 64
#define EVENT_VIEW_ALL	UINT64_MAX

struct mailbox;

struct event {
	char core[EVENT_CORE_SIZE]; /* what both ids have in common */
	uint64_t number;	    /* in order of creation */
	uint32_t moves;		    /* each gives it another regular id */
	bool is_deleted;	    /* lies in Deleted Items */
	bool is_in_transactions;
	uint64_t change;  /* what changeKey says */
	uint32_t version; /* 1, and one more with each edit */
	int64_t created_ms;
	int64_t modified_ms;
	uint64_t content; /* draft_hash at creation: transactionId compares it */
	struct draft draft;
	struct mailbox *mailbox;
	struct event *prev; /* in its mailbox's folder */
	struct event *next;
	UT_hash_handle hh;	       /* by core, of the whole server */
	UT_hash_handle by_transaction; /* by transactionId, of its mailbox */
};

/* What the client asked to see. */
struct event_view {
	bool is_immutable;
	bool is_text;	    /* Prefer: outlook.body-content-type="text" */
	const char *zone;   /* Prefer: outlook.timezone, or NULL */
	const char *expand; /* normalised id of an extended property, or NULL */
	uint64_t select;    /* bit per property, EVENT_VIEW_ALL for all */
};

void event_id(const struct event *event, bool is_immutable, char id[EVENT_ID_SIZE]);

/* The core within an id of that kind; false where Graph would call the id malformed. */
bool event_core(const char *id, bool is_immutable, char core[EVENT_CORE_SIZE]);

void event_change_key(const struct event *event, char text[EVENT_ETAG_SIZE]);
void event_etag(const struct event *event, char text[EVENT_ETAG_SIZE]); /* W/"changeKey" */

void event_write(const struct event *event, const struct event_view *view, struct buf *out);

/* $select's names as view bits. */
bool event_select(const char *names, uint64_t *select, struct problem *problem);

/* {"dateTime","timeZone"} */
void event_write_time(const struct draft_time *time, const char *zone, struct buf *out);

#endif
