/* listing.h - which events a GET asks for, and the page of them. */
#ifndef CALRELAY_FAKE_LISTING_H
#define CALRELAY_FAKE_LISTING_H

#include "tests/fake/filter.h"
#include "tests/fake/mailbox.h"
#include "tests/fake/prefer.h"
#include "tests/fake/query.h"

#define LISTING_PAGE	 10
#define LISTING_PAGE_MAX 1000

enum listing_kind {
	LISTING_ONE,	/* GET /me/events/{id}: only $select and $expand */
	LISTING_EVENTS, /* GET /me/events */
	LISTING_VIEW,	/* GET /me/calendarView */
};

struct listing {
	enum listing_kind kind;
	struct filter filter;
	struct event_view view; /* its expand points to expand */
	char expand[PROPERTY_ID_SIZE];
	size_t top;
	size_t skip;
	struct datetime from; /* of a calendar view */
	struct datetime until;
	int64_t found_until_ms; /* $filter sees what was created by then */
	const char *base_url;	/* for @odata.nextLink */
	const char *path;
};

/* listing must stay where it is afterwards. */
bool listing_read(const struct query *query, enum listing_kind kind, struct listing *listing,
		  struct problem *problem);
void listing_prefer(struct listing *listing, const struct prefer *prefer);

/* {"value":[...],"@odata.nextLink":...} */
void listing_write(const struct listing *listing, const struct query *query,
		   const struct mailbox *mailbox, struct buf *out);

#endif
