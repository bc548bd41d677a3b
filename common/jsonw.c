/* jsonw.c - writes JSON into a buf as Jackson does. */
#include "common/jsonw.h"

#include <string.h>

#include "common/digits.h"
#include "common/utf8.h"

static void jsonw_escape(struct buf *out, unsigned char c)
{
	static const char SHORT[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
				     ['\r'] = 'r', ['"'] = '"',	 ['\\'] = '\\'};

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

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Whether one of eight bytes is below limit, which is at most 0x80.
 * Source: Sean Eron Anderson, "Bit Twiddling Hacks", "Determine if a word has a byte less than n".
 */
static bool jsonw_has_less(uint64_t bytes, uint8_t limit)
{
	return ((bytes - EACH_BYTE(limit)) & ~bytes & EACH_BYTE(0x80)) != 0;
}

static bool jsonw_is_plain_word(const char *text)
{
	uint64_t bytes;

	memcpy(&bytes, text, sizeof bytes);
	return (bytes & EACH_BYTE(0x80)) == 0 && !jsonw_has_less(bytes, 0x20) &&
	       !jsonw_has_less(bytes ^ EACH_BYTE('"'), 1) &&
	       !jsonw_has_less(bytes ^ EACH_BYTE('\\'), 1);
}

/* How many of the next bytes stand for themselves. */
static size_t jsonw_plain_run(const char *text, size_t length)
{
	size_t run = 0;

	while (length - run >= sizeof(uint64_t) && jsonw_is_plain_word(text + run)) {
		run += sizeof(uint64_t);
	}
	while (run < length && jsonw_is_plain((unsigned char)text[run])) {
		run++;
	}
	return run;
}

/* Writes the character at text, returns how many bytes it took. */
static size_t jsonw_character(struct buf *out, const char *text, size_t length)
{
	uint32_t code = 0;
	size_t size = utf8_character(text, length, &code);

	if (size == 0) {
		buf_text(out, "\xEF\xBF\xBD"); /* U+FFFD */
		return 1;
	}
	if (size == 1) {
		jsonw_escape(out, (unsigned char)text[0]);
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
	const char *at = text;
	const char *end = at + length;

	buf_char(out, '"');
	while (at < end) {
		size_t run = jsonw_plain_run(at, (size_t)(end - at));

		buf_add(out, at, run);
		at += run;
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
	char digits[DIGITS_MAX];

	buf_add(out, digits, digits_write(digits, number));
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
