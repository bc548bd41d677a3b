/* reconcile.h - whose event a listed one is, and how many may be removed unasked.
 *
 * Pure.  What is to be done about one assignment is protocol.h's. */
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

/* The event of a listing that is assignment's: the one its row knows, else the first. */
const struct listed *reconcile_find(const struct listing *listing, const struct uuid *assignment,
				    const struct row *row);

/* Whether removing orphans of listed events needs somebody's word first. */
bool reconcile_needs_word(size_t orphans, size_t listed);

#endif
