/* reconcile.h - what is wanted of a mailbox against what a complete listing shows.
 *
 * Pure.  Gives one finding per assignment or stray event; deletes only from positive knowledge. */
#ifndef CALRELAY_WORKER_RECONCILE_H
#define CALRELAY_WORKER_RECONCILE_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/listing.h"
#include "worker/outlook.h"
#include "worker/row.h"

/* More orphans than this many, and more than this share of the listed events, and we ask first. */
#define RECONCILE_BRAKE_COUNT	10
#define RECONCILE_BRAKE_PERCENT 50

enum finding {
	FINDING_RIGHT,	/* the event and its row are as they should be */
	FINDING_RECORD, /* only the row has to learn */
	FINDING_CREATE,
	FINDING_UPDATE,
	FINDING_REMOVE,
};

/* What is to be done for one wanted assignment.  listed: its event in the mailbox, or NULL. */
enum finding reconcile_wanted(const struct outlook_event *event, const struct row *row,
			      const struct listed *listed);

/* The event of a listing that is assignment's: the one its row knows, else the first. */
const struct listed *reconcile_find(const struct listing *listing, const struct uuid *assignment,
				    const struct row *row);

/* Whether removing orphans of listed events needs somebody's word first. */
bool reconcile_needs_word(size_t orphans, size_t listed);

#endif
