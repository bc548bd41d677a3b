/* form.c - decodes a form into one block of name and value texts. */
#include "common/form.h"

#include <stdlib.h>
#include <string.h>

static int hex_value(char c)
{
	const char *digits = "0123456789abcdef0123456789ABCDEF";
	const char *digit = c != '\0' ? strchr(digits, c) : NULL;

	return digit != NULL ? (int)((digit - digits) % 16) : -1;
}

/* Decodes the bytes up to end behind out, ends them with a NUL, returns what follows it. */
static char *form_decode(char *out, const char *at, const char *end)
{
	for (; at < end; at++) {
		int high = end - at > 2 && *at == '%' ? hex_value(at[1]) : -1;
		int low = high >= 0 ? hex_value(at[2]) : -1;
		char c = (char)(*at == '+' ? ' ' : *at);

		if (low >= 0) {
			c = (char)(high << 4 | low);
			at += 2;
		}
		if (c != '\0') {
			*out++ = c;
		}
	}
	*out++ = '\0';
	return out;
}

bool form_parse(struct form *form, const char *bytes, size_t length)
{
	const char *end = bytes + length;
	char *out = malloc(2 * length + 2); /* a lone & or = grows to two NULs at most */

	*form = (struct form){.pairs = out};
	if (out == NULL) {
		return false;
	}
	while (bytes < end) {
		const char *stop = memchr(bytes, '&', (size_t)(end - bytes));
		const char *equals;

		stop = stop != NULL ? stop : end;
		equals = memchr(bytes, '=', (size_t)(stop - bytes));
		if (stop > bytes) {
			out = form_decode(out, bytes, equals != NULL ? equals : stop);
			out = form_decode(out, equals != NULL ? equals + 1 : stop, stop);
		}
		bytes = stop < end ? stop + 1 : end;
	}
	form->length = (size_t)(out - form->pairs);
	return true;
}

void form_close(struct form *form)
{
	free(form->pairs);
	*form = (struct form){0};
}

const char *form_field(const struct form *form, const char *name)
{
	const char *at = form->pairs;

	while (at != NULL && at < form->pairs + form->length) {
		const char *value = at + strlen(at) + 1;

		if (strcmp(at, name) == 0) {
			return value;
		}
		at = value + strlen(value) + 1;
	}
	return NULL;
}
