/* html.c - text inside HTML. */
#include "common/html.h"

#include <string.h>

static const char *html_entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void html_escape_part(struct buf *out, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		const char *entity = html_entity(text[i]);

		if (entity != NULL) {
			buf_text(out, entity);
		} else {
			buf_char(out, text[i]);
		}
	}
}

void html_escape(struct buf *out, const char *text)
{
	html_escape_part(out, text, strlen(text));
}
