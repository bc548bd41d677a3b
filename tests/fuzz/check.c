/* check.c - what every fuzz target holds the producer's text to.
 *
 * cJSON is lenient with numbers and control characters, so a reader of RFC 8259's grammar goes
 * first. */
#include "check.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

#define DEPTH_MAX 32

struct reader {
	const char *at;
	const char *end;
	char open[DEPTH_MAX]; /* braces and brackets */
	int depth;
};

void check_that(bool is_true, const char *words)
{
	if (!is_true) {
		fprintf(stderr, "not so: %s\n", words);
		abort();
	}
}

char *check_copy(const void *bytes, size_t length)
{
	char *copy = malloc(length > 0 ? length : 1);

	if (copy == NULL) {
		abort();
	}
	memcpy(copy, bytes, length);
	return copy;
}

static char peek(const struct reader *in)
{
	if (in->at == in->end) {
		return '\0';
	}
	return *in->at;
}

static bool take(struct reader *in, char wanted)
{
	if (in->at < in->end && *in->at == wanted) {
		in->at++;
		return true;
	}
	return false;
}

static size_t take_digits(struct reader *in)
{
	size_t count = 0;

	for (; peek(in) >= '0' && peek(in) <= '9'; count++) {
		in->at++;
	}
	return count;
}

static bool read_number(struct reader *in)
{
	take(in, '-');
	if (!take(in, '0') && take_digits(in) == 0) {
		return false;
	}
	if (take(in, '.') && take_digits(in) == 0) {
		return false;
	}
	if (take(in, 'e') || take(in, 'E')) {
		if (!take(in, '-')) {
			take(in, '+');
		}
		return take_digits(in) > 0;
	}
	return true;
}

static bool read_hex4(struct reader *in)
{
	for (int i = 0; i < 4; i++) {
		char c = peek(in);

		if (c == '\0' || strchr("0123456789abcdefABCDEF", c) == NULL) {
			return false;
		}
		in->at++;
	}
	return true;
}

static bool read_string(struct reader *in)
{
	if (!take(in, '"')) {
		return false;
	}
	while (in->at < in->end && *in->at != '"') {
		if ((unsigned char)*in->at < 0x20) {
			return false;
		}
		if (!take(in, '\\')) {
			in->at++;
		} else if (take(in, 'u')) {
			if (!read_hex4(in)) {
				return false;
			}
		} else if (peek(in) == '\0' || strchr("\"\\/bfnrt", *in->at++) == NULL) {
			return false;
		}
	}
	return take(in, '"');
}

static bool read_word(struct reader *in, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0) {
		return false;
	}
	in->at += length;
	return true;
}

static bool read_scalar(struct reader *in)
{
	char c = peek(in);

	if (c == '"') {
		return read_string(in);
	}
	if (c == '-' || (c >= '0' && c <= '9')) {
		return read_number(in);
	}
	return read_word(in, "true") || read_word(in, "false") || read_word(in, "null");
}

static bool read_key(struct reader *in)
{
	return in->open[in->depth - 1] != '{' || (read_string(in) && take(in, ':'));
}

/* Behind a value: closes what ends here; true where another value has to follow. */
static bool next_value(struct reader *in, bool *ok)
{
	while (in->depth > 0 && take(in, in->open[in->depth - 1] == '{' ? '}' : ']')) {
		in->depth--;
	}
	if (in->depth == 0) {
		return false;
	}
	*ok = take(in, ',') && read_key(in);
	return *ok;
}

/* Opens an object or a list; true where it is empty, so that a value has been read. */
static bool open_empty(struct reader *in, bool *ok)
{
	char c = peek(in);

	*ok = in->depth < DEPTH_MAX;
	if (!*ok) {
		return true;
	}
	in->at++;
	in->open[in->depth++] = c;
	if (take(in, c == '{' ? '}' : ']')) {
		in->depth--;
		return true;
	}
	*ok = read_key(in);
	return !*ok;
}

/* No white space: we write none. */
static bool is_json(const char *text, size_t length)
{
	struct reader in = {.at = text, .end = text + length};
	bool ok = true;
	bool again = true;

	while (ok && again) {
		if (peek(&in) == '{' || peek(&in) == '[') {
			if (!open_empty(&in, &ok)) {
				continue;
			}
		} else {
			ok = read_scalar(&in);
		}
		again = ok && next_value(&in, &ok);
	}
	return ok && in.at == in.end;
}

void check_json(const struct buf *out)
{
	const char *end = NULL;
	cJSON *document;

	check_that(!out->failed, "there is room");
	check_that(utf8_prefix(buf_string(out), out->length) == out->length, "it is UTF-8");
	check_that(is_json(buf_string(out), out->length), "it is JSON");
	document = cJSON_ParseWithLengthOpts(buf_string(out), out->length, &end, 0);
	check_that(document != NULL && end == buf_string(out) + out->length, "cJSON reads it");
	cJSON_Delete(document);
}
