/* query.c - a relative URL's path and parameters, percent-decoded. */
#include "tests/fake/query.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/http.h"
#include "tests/fake/ascii.h"
#include "tests/fake/memory.h"

/* Decodes text[0..length) into a fresh string; NULL where a % is not followed by two digits. */
static char *query_decode(const char *text, size_t length, bool plus_is_space)
{
	char *decoded = memory_zeroed(length + 1, 1);
	char *out = decoded;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '%') {
			if (length - i < 3 || !isxdigit((unsigned char)text[i + 1]) ||
			    !isxdigit((unsigned char)text[i + 2])) {
				free(decoded);
				return NULL;
			}
			*out++ = ascii_hex(text[i + 1], text[i + 2]);
			i += 2;
		} else if (plus_is_space && text[i] == '+') {
			*out++ = ' ';
		} else {
			*out++ = text[i];
		}
	}
	return decoded;
}

static bool query_take(struct query *query, char *name, char *value)
{
	if (name == NULL || value == NULL || query->count == QUERY_PARAMS_MAX) {
		free(name);
		free(value);
		return false;
	}
	query->params[query->count++] = (struct query_param){name, value};
	return true;
}

bool query_add(struct query *query, const char *name, const char *value)
{
	return query_take(query, memory_text(name), memory_text(value != NULL ? value : ""));
}

static bool query_parse_params(const char *at, struct query *query)
{
	while (*at != '\0') {
		size_t length = strcspn(at, "&");
		size_t name = strcspn(at, "=&");
		size_t skip = name < length ? name + 1 : length;

		if (length > 0 && !query_take(query, query_decode(at, name, true),
					      query_decode(at + skip, length - skip, true))) {
			return false;
		}
		at += length + (at[length] == '&');
	}
	return true;
}

bool query_parse(const char *url, char **path, struct query *query)
{
	size_t length = strcspn(url, "?");

	*query = (struct query){0};
	*path = query_decode(url, length, false);
	if (*path == NULL) {
		*path = memory_text("");
		return false;
	}
	return url[length] == '\0' || query_parse_params(url + length + 1, query);
}

void query_close(struct query *query)
{
	for (size_t i = 0; i < query->count; i++) {
		free(query->params[i].name);
		free(query->params[i].value);
	}
	*query = (struct query){0};
}

const char *query_get(const struct query *query, const char *name)
{
	for (size_t i = 0; i < query->count; i++) {
		if (strcmp(query->params[i].name, name) == 0) {
			return query->params[i].value;
		}
	}
	return NULL;
}

void query_write(const struct query *query, const char *without, struct buf *out)
{
	for (size_t i = 0; i < query->count; i++) {
		if (strcmp(query->params[i].name, without) == 0) {
			continue;
		}
		http_encode(out, query->params[i].name);
		buf_char(out, '=');
		http_encode(out, query->params[i].value);
		buf_char(out, '&');
	}
}
