/* month.h - where a person's events stand in a month: bars in lanes, none over another.
 *
 * Pure. */
#ifndef CALRELAY_FAKE_MONTH_H
#define CALRELAY_FAKE_MONTH_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/fake/mailbox.h"

#define MONTH_BARS_MAX 64 /* of one person */

struct month {
	int year;
	int month; /* 1 to 12 */
};

struct month_bar {
	const struct event *event;
	int first; /* days of the month, 1 and up, both within it */
	int last;
	int lane;	    /* 0 and up */
	bool begins_before; /* the event does */
	bool ends_after;
};

struct month month_before(struct month month);
struct month month_after(struct month month);
const char *month_name(struct month month);

/* Fills bars by their first day and returns how many; *more counts what had no place. */
size_t month_layout(struct month month, const struct mailbox *mailbox,
		    struct month_bar bars[MONTH_BARS_MAX], size_t *more);

int month_lanes(const struct month_bar *bars, size_t count); /* how many the bars take */

/* The colour (#rrggbb) of an event's first category: by Outlook's own names, by the owner's master
 * list, else one that depends on the name alone. */
const char *month_colour(const char *category, const char *preset);

#endif
