/* category.c - a mailbox's master list of categories. */
#include "tests/fake/category.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/jsonw.h"
#include "tests/fake/memory.h"

#define COLOURS 25 /* preset0 to preset24 */

void category_list_open(struct category_list *list)
{
	static const char *const OWN[][2] = {
	    {"Red category", "preset0"},    {"Orange category", "preset1"},
	    {"Yellow category", "preset3"}, {"Green category", "preset4"},
	    {"Blue category", "preset7"},   {"Purple category", "preset8"}};

	if (list->items != NULL) {
		return;
	}
	list->items = memory_zeroed(CATEGORY_MAX, sizeof *list->items);
	for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++) {
		category_list_add(list, OWN[i][0], OWN[i][1]);
	}
}

void category_list_close(struct category_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].name);
	}
	free(list->items);
	*list = (struct category_list){0};
}

struct category *category_list_find(struct category_list *list, const char *id)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].id, id) == 0) {
			return &list->items[i];
		}
	}
	return NULL;
}

const char *category_list_colour(const struct category_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcasecmp(list->items[i].name, name) == 0) {
			return list->items[i].colour;
		}
	}
	return NULL;
}

struct category *category_list_add(struct category_list *list, const char *name, const char *colour)
{
	struct uuid uuid = uuid_random();
	struct category *category;

	if (list->count == CATEGORY_MAX) {
		return NULL;
	}
	category = &list->items[list->count++];
	category->name = memory_text(name);
	snprintf(category->colour, sizeof category->colour, "%s", colour);
	uuid_format(&uuid, category->id);
	return category;
}

void category_list_remove(struct category_list *list, struct category *category)
{
	size_t index = (size_t)(category - list->items);

	free(category->name);
	list->count--;
	memmove(category, category + 1, (list->count - index) * sizeof *category);
}

bool category_is_colour(const char *text)
{
	char *end;
	long number;

	if (strcmp(text, "none") == 0) {
		return true;
	}
	if (strncmp(text, "preset", 6) != 0 || text[6] < '0' || text[6] > '9') {
		return false;
	}
	number = strtol(text + 6, &end, 10);
	return *end == '\0' && number < COLOURS;
}

void category_write(const struct category *category, struct buf *out)
{
	jsonw_comma(out);
	buf_char(out, '{');
	jsonw_member_text(out, "id", category->id);
	jsonw_member_text(out, "displayName", category->name);
	jsonw_member_text(out, "color", category->colour);
	buf_char(out, '}');
}

void category_list_write(const struct category_list *list, struct buf *out)
{
	buf_char(out, '[');
	for (size_t i = 0; i < list->count; i++) {
		category_write(&list->items[i], out);
	}
	buf_char(out, ']');
}
