/* jsonw.c - writes JSON into a buf as Jackson does. */
#include "common/jsonw.h"

#include <stdio.h>
#include <string.h>

/* Length of the valid UTF-8 sequence at text (RFC 3629), its code point in *code; 0 if invalid. */
static size_t utf8_sequence(const unsigned char *text, size_t length, uint32_t *code)
{
	static const uint32_t LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size = text[0] < 0x80 ? 1 : text[0] < 0xC2 ? 0 : text[0] < 0xE0 ? 2
	    : text[0] < 0xF0                                                  ? 3
	    : text[0] < 0xF5                                                  ? 4
	                                                                      : 0;

	if (size == 0 || size > length) {
		return 0;
	}
	if (size == 1) {
		*code = text[0];
		return 1;
	}
	*code = text[0] & (0xFFu >> (size + 1));
	for (size_t i = 1; i < size; i++) {
		if ((text[i] & 0xC0) != 0x80) {
			return 0;
		}
		*code = *code << 6 | (text[i] & 0x3Fu);
	}
	if (*code < LEAST[size] || *code > 0x10FFFF || (*code >= 0xD800 && *code <= 0xDFFF)) {
		return 0;
	}
	return size;
}

static void jsonw_escape(struct buf *out, unsigned char c)
{
	static const char SHORT[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
	    ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\'};

	if (c < sizeof SHORT && SHORT[c] != 0) {
		char pair[2] = {'\\', SHORT[c]};
		buf_add(out, pair, sizeof pair);
	} else {
		buf_format(out, "\\u%04X", c);
	}
}

static bool jsonw_is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Writes the character at text, returns how many bytes it took. */
static size_t jsonw_character(struct buf *out, const unsigned char *text, size_t length)
{
	uint32_t code = 0;
	size_t size = utf8_sequence(text, length, &code);

	if (size == 0) {
		buf_text(out, "\xEF\xBF\xBD"); /* U+FFFD */
		return 1;
	}
	if (size == 1) {
		jsonw_escape(out, text[0]);
	} else if (size == 4) {
		code -= 0x10000;
		buf_format(out, "\\u%04X\\u%04X", 0xD800 | code >> 10, 0xDC00 | (code & 0x3FF));
	} else {
		buf_add(out, text, size);
	}
	return size;
}

void jsonw_string(struct buf *out, const char *text, size_t length)
{
	const unsigned char *at = (const unsigned char *)text;
	const unsigned char *end = at + length;

	buf_char(out, '"');
	while (at < end) {
		const unsigned char *run = at;

		while (run < end && jsonw_is_plain(*run)) {
			run++;
		}
		buf_add(out, at, (size_t)(run - at));
		at = run;
		if (at < end) {
			at += jsonw_character(out, at, (size_t)(end - at));
		}
	}
	buf_char(out, '"');
}

void jsonw_text(struct buf *out, const char *text)
{
	if (text == NULL) {
		buf_text(out, "null");
	} else {
		jsonw_string(out, text, strlen(text));
	}
}

void jsonw_number(struct buf *out, int64_t number)
{
	char digits[24];
	int length = snprintf(digits, sizeof digits, "%lld", (long long)number);

	buf_add(out, digits, (size_t)length);
}

void jsonw_comma(struct buf *out)
{
	if (out->length > 0 && out->data[out->length - 1] != '{' &&
	    out->data[out->length - 1] != '[') {
		buf_char(out, ',');
	}
}

void jsonw_key(struct buf *out, const char *key)
{
	jsonw_comma(out);
	jsonw_string(out, key, strlen(key));
	buf_char(out, ':');
}

void jsonw_member_text(struct buf *out, const char *key, const char *text)
{
	jsonw_key(out, key);
	jsonw_text(out, text);
}

void jsonw_member_number(struct buf *out, const char *key, int64_t number)
{
	jsonw_key(out, key);
	jsonw_number(out, number);
}
