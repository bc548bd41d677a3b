/* category.h - a mailbox's master list of categories: names and their colours. */
#ifndef CALRELAY_FAKE_CATEGORY_H
#define CALRELAY_FAKE_CATEGORY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/uuid.h"

#define CATEGORY_MAX	     100
#define CATEGORY_COLOUR_SIZE 12

struct category {
	char *name;
	char colour[CATEGORY_COLOUR_SIZE]; /* none, preset0 to preset24 */
	char id[UUID_TEXT_SIZE];
};

struct category_list {
	struct category *items; /* NULL until somebody looks: then Outlook's own six */
	size_t count;
};

/* Fills a list that nobody has looked at yet; every other function needs that. */
void category_list_open(struct category_list *list);
void category_list_close(struct category_list *list);

struct category *category_list_find(struct category_list *list, const char *id); /* or NULL */

/* By name, in any case; NULL where there is none. */
const char *category_list_colour(const struct category_list *list, const char *name);

/* The new one, or NULL where the list is full. */
struct category *category_list_add(struct category_list *list, const char *name,
				   const char *colour);
void category_list_remove(struct category_list *list, struct category *category);

bool category_is_colour(const char *text);

/* {"id","displayName","color"} */
void category_write(const struct category *category, struct buf *out);

/* [...] */
void category_list_write(const struct category_list *list, struct buf *out);

#endif
