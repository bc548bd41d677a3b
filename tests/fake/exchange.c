/* exchange.c - how Exchange hands a body back. */
#include "tests/fake/exchange.h"

#include <stddef.h>
#include <string.h>

#include "common/html.h"

#define HEAD                                                                                       \
	"<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; "                  \
	"charset=utf-8\">\r\n"
#define TEXT_HEAD                                                                                  \
	"<meta name=\"Generator\" content=\"Microsoft Exchange Server\">\r\n"                      \
	"<!-- converted from text -->\r\n<style><!-- .EmailQuote { margin-left: 1pt; "             \
	"padding-left: 4pt; border-left: #800000 2px solid; } --></style>"                         \
	"</head>\r\n<body>\r\n<font size=\"2\"><span style=\"font-size:11pt;\">"                   \
	"<div class=\"PlainText\">"

/* Exchange leaves apostrophes as they are. */
static void exchange_escape(const char *text, size_t length, struct buf *out)
{
	const char *end = text + length;

	while (text < end) {
		const char *apostrophe = memchr(text, '\'', (size_t)(end - text));
		const char *stop = apostrophe != NULL ? apostrophe : end;

		html_escape_part(out, text, (size_t)(stop - text));
		if (apostrophe != NULL) {
			buf_char(out, '\'');
		}
		text = apostrophe != NULL ? stop + 1 : end;
	}
}

static void exchange_write_line_break(struct buf *out, bool is_html)
{
	buf_text(out, is_html ? "<br>\r\n" : "\r\n");
}

/* Each line by itself, so that LF, CR and CRLF all become one line break. */
static void exchange_write_lines(const char *text, bool as_html, struct buf *out)
{
	while (*text != '\0') {
		size_t length = strcspn(text, "\r\n");

		if (as_html) {
			exchange_escape(text, length, out);
		} else {
			buf_add(out, text, length);
		}
		text += length;
		if (*text == '\r' || *text == '\n') {
			exchange_write_line_break(out, as_html);
			text += *text == '\r' && text[1] == '\n' ? 2 : 1;
		}
	}
}

void exchange_write_html(const char *body, bool is_html, struct buf *out)
{
	buf_text(out, HEAD);
	if (is_html) {
		buf_text(out, "</head>\r\n<body>\r\n");
		buf_text(out, body);
		buf_text(out, "\r\n</body>\r\n</html>\r\n");
		return;
	}
	buf_text(out, TEXT_HEAD);
	exchange_write_lines(body, true, out);
	buf_text(out, "</div></span></font>\r\n</body>\r\n</html>\r\n");
}

void exchange_write_text(const char *body, bool is_html, struct buf *out)
{
	if (!is_html) {
		exchange_write_lines(body, false, out);
	}
	while (is_html && *body != '\0') {
		size_t text = strcspn(body, "<");

		buf_add(out, body, text);
		body += text;
		body += strcspn(body, ">");
		body += *body == '>';
	}
	buf_text(out, "\r\n");
}
