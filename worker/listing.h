/* listing.h - one page of a mailbox's marked events, and how they differ from what is wanted. */
#ifndef CALRELAY_WORKER_LISTING_H
#define CALRELAY_WORKER_LISTING_H

#include "common/buf.h"
#include "common/fault.h"
#include "common/uuid.h"
#include "worker/outlook.h"

#define LISTING_EVENTS_MAX     50000 /* marked events of one mailbox */
#define LISTING_PAGE_MAX_BYTES (8u << 20)
#define LISTING_PAGES_MAX      5000	    /* Graph may send pages without any event */
#define LISTING_TEXT_MAX_BYTES (128u << 20) /* of all listed events */

/* One event as the mailbox has it.  All text in one allocation of the listing. */
struct listed {
	bool has_assignment; /* our property's value is a UUID */
	struct uuid assignment;
	char *id; /* Graph's immutable id */
	char *change_key;
	char *subject;
	char *body;	/* as text, line ends \n, outer white space trimmed */
	char start[11]; /* YYYY-MM-DD of start.dateTime, whatever zone it is labelled with */
	char end[11];
	bool is_midnight; /* both begin at 00:00 */
	bool is_all_day;
	bool is_reminder_on;
	char show_as[20];
	char *categories; /* a list of category.h's */
};

struct listing {
	struct listed *events;
	size_t count;
	size_t capacity;
	char *next_url; /* of the next page; NULL: this was the last */
	size_t pages;
	size_t text_bytes;
	void *seen; /* tree of ids: an event that moves between pages is listed once */
};

/* Path and query of the first page, below /v1.0: every event that carries our property, 100 a page,
 * with the property expanded.  property is CALRELAY_EXTENDED_PROPERTY's value. */
void listing_first_path(struct buf *out, const char *property);

/* Path and query that find one assignment's events (id, changeKey, categories). */
void listing_find_path(struct buf *out, const char *property, const struct uuid *assignment);

/* Path of one event; is_read: with the query that reads the same of it. */
void listing_event_path(struct buf *out, const char *event_id, bool is_read);

/* Adds a page's events; a listing begins as {0}.  False with FAULT_RETRY where the page can't be
 * read whole or a ceiling is passed: an incomplete listing is no listing, close it.  The next
 * page's URL must begin with graph_url (else FAULT_RETRY). */
bool listing_add_page(struct listing *listing, const char *body, size_t length,
		      const char *property, const char *graph_url, struct fault *fault) MUST_CHECK;
void listing_close(struct listing *listing);

/* Whether the event shows what is wanted, categories aside: subject, dates, all day, showAs,
 * reminder off, and the body's text (line ends and outer white space aside). */
bool listed_matches(const struct listed *listed, const struct outlook_event *event);

#endif
