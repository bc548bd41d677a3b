/* category.h - an event's categories: which one is ours, and which are the person's own.
 *
 * Pure.  Ours are exactly the names of the mapping file, Outlook's and our own ones, and the one
 * that we wrote last, because the file may have changed since.  All others are the person's, and
 * stay. A list of categories is one text: joined by \x1f, with one at each end; "" or "\x1f": none.
 * Names compare without case, as Outlook's master list compares them. */
#ifndef CALRELAY_WORKER_CATEGORY_H
#define CALRELAY_WORKER_CATEGORY_H

#include "common/buf.h"
#include "common/hostmap.h"
#include "common/json.h"

/* What an operation can carry of the person's own.  Where there are more, an event keeps all of its
 * categories as they are. */
#define CATEGORY_LIST_SIZE 2048

struct category_names {
	const struct hostmap *map;
	const char *wanted;  /* ours, that the event is to carry; NULL: none */
	const char *written; /* ours, that we wrote last; NULL: unknown */
};

/* Adds the list of a JSON array's texts.  A name that holds the separator, which Exchange can't
 * store, is passed over. */
void category_list_add(struct buf *out, const cJSON *categories);

/* Takes ours out of list, which leaves the person's own.  Whether exactly the wanted one was there.
 */
bool category_take_ours(char *list, const struct category_names *names);

bool category_list_is_empty(const char *list);

/* The JSON array: ours, then theirs (a list). */
void category_write(struct buf *out, const char *ours, const char *theirs);

#endif
