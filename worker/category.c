/* category.c - takes an event's categories apart, and puts them together again. */
#include "worker/category.h"

#include <string.h>
#include <strings.h>

#include "common/jsonw.h"

#define SEPARATOR '\x1f'

void category_list_add(struct buf *out, const cJSON *categories)
{
	const cJSON *item;

	buf_char(out, SEPARATOR);
	cJSON_ArrayForEach(item, categories)
	{
		const char *name = cJSON_GetStringValue(item);

		if (name != NULL && *name != '\0' && strchr(name, SEPARATOR) == NULL) {
			buf_text(out, name);
			buf_char(out, SEPARATOR);
		}
	}
}

static bool name_is(const char *name, const char *other)
{
	return name != NULL && strcasecmp(name, other) == 0;
}

bool category_take_ours(char *list, const struct category_names *names)
{
	size_t wanted = 0;
	size_t ours = 0;
	char *out = list + (*list == SEPARATOR);

	for (char *at = out; *at != '\0';) {
		size_t length = strcspn(at, "\x1f");
		char *next = at + length + (at[length] == SEPARATOR);

		at[length] = '\0';
		if (name_is(names->wanted, at)) {
			wanted++;
		} else if (name_is(names->written, at) || hostmap_has_category(names->map, at)) {
			ours++;
		} else {
			memmove(out, at, length);
			out += length;
			*out++ = SEPARATOR;
		}
		at = next;
	}
	*out = '\0';
	return wanted == 1 && ours == 0;
}

bool category_list_is_empty(const char *list)
{
	return list[strspn(list, "\x1f")] == '\0';
}

void category_write(struct buf *out, const char *ours, const char *theirs)
{
	buf_char(out, '[');
	jsonw_text(out, ours);
	for (const char *at = theirs + (*theirs == SEPARATOR); *at != '\0';) {
		size_t length = strcspn(at, "\x1f");

		jsonw_comma(out);
		jsonw_string(out, at, length);
		at += length + (at[length] == SEPARATOR);
	}
	buf_char(out, ']');
}
