/* badge.h - what state a connection is in, in as few words as a badge has.
 *
 * Pure. */
#ifndef CALRELAY_CONNECT_BADGE_H
#define CALRELAY_CONNECT_BADGE_H

#include <stdbool.h>

#include "common/buf.h"
#include "connect/view.h"

struct badge {
	const char *name; /* of the state, and of its look in page.css */
	const char *words;
	const char *icon; /* path data in a box of 16: decoration, the words say the same */
};

const struct badge *badge_of(const struct view *view);

/* "Connected", "Syncing 12 of 40", … */
void badge_words(struct buf *out, const struct view *view);

/* Whether something is under way that changes what there is to see. */
bool badge_is_busy(const struct view *view);

#endif
