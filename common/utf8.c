/* utf8.c - reads UTF-8 one character at a time. */
#include "common/utf8.h"

#include <string.h>

static size_t utf8_size(unsigned char lead)
{
	if (lead < 0x80) {
		return 1;
	}
	if (lead < 0xC2) {
		return 0;
	}
	if (lead < 0xE0) {
		return 2;
	}
	if (lead < 0xF0) {
		return 3;
	}
	return lead < 0xF5 ? 4 : 0;
}

size_t utf8_character(const char *text, size_t length, uint32_t *code)
{
	static const uint32_t LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *at = (const unsigned char *)text;
	size_t size = utf8_size(at[0]);

	*code = at[0];
	if (size <= 1) {
		return size;
	}
	if (size > length) {
		return 0;
	}
	*code = at[0] & (0xFFu >> (size + 1));
	for (size_t i = 1; i < size; i++) {
		if ((at[i] & 0xC0) != 0x80) {
			return 0;
		}
		*code = *code << 6 | (at[i] & 0x3Fu);
	}
	if (*code < LEAST[size] || *code > 0x10FFFF || (*code >= 0xD800 && *code <= 0xDFFF)) {
		return 0;
	}
	return size;
}

/* How many characters of ASCII text begins with, eight at a time. */
static size_t ascii_prefix(const char *text, size_t length)
{
	size_t at = 0;
	uint64_t eight;

	while (length - at >= sizeof eight) {
		memcpy(&eight, text + at, sizeof eight);
		if ((eight & UINT64_C(0x8080808080808080)) != 0) {
			break;
		}
		at += sizeof eight;
	}
	return at;
}

size_t utf8_prefix(const char *text, size_t length)
{
	size_t at = ascii_prefix(text, length);
	uint32_t code;

	while (at < length) {
		size_t size = utf8_character(text + at, length - at, &code);

		if (size == 0) {
			break;
		}
		at += size;
		at += size > 1 ? ascii_prefix(text + at, length - at) : 0;
	}
	return at;
}

void utf8_copy(char *out, size_t size, const char *text)
{
	size_t length = strlen(text);

	length = utf8_prefix(text, length < size ? length : size - 1);
	memcpy(out, text, length);
	out[length] = '\0';
}
