/* bytes.c - a bounds-checked reader of big-endian wire formats. */
#include "producer/bytes.h"

#include <string.h>

struct bytes bytes_of(const void *data, size_t length)
{
	const uint8_t *at = data;

	return (struct bytes){.at = at, .end = at + length};
}

bool bytes_ok(const struct bytes *bytes)
{
	return !bytes->failed;
}

size_t bytes_left(const struct bytes *bytes)
{
	return bytes->failed ? 0 : (size_t)(bytes->end - bytes->at);
}

const char *bytes_take(struct bytes *bytes, size_t length)
{
	const uint8_t *at = bytes->at;

	if (bytes_left(bytes) < length) {
		bytes->failed = true;
	}
	if (bytes->failed) {
		return "";
	}
	bytes->at += length;
	return (const char *)at;
}

static uint64_t bytes_number(struct bytes *bytes, size_t length)
{
	const char *at = bytes_take(bytes, length);
	uint64_t value = 0;

	if (bytes->failed) {
		return 0;
	}
	for (size_t i = 0; i < length; i++) {
		value = value << 8 | (uint8_t)at[i];
	}
	return value;
}

uint8_t bytes_u8(struct bytes *bytes)
{
	return (uint8_t)bytes_number(bytes, 1);
}

uint16_t bytes_u16(struct bytes *bytes)
{
	return (uint16_t)bytes_number(bytes, 2);
}

uint32_t bytes_u32(struct bytes *bytes)
{
	return (uint32_t)bytes_number(bytes, 4);
}

uint64_t bytes_u64(struct bytes *bytes)
{
	return bytes_number(bytes, 8);
}

const char *bytes_cstr(struct bytes *bytes)
{
	const void *nul = bytes_left(bytes) > 0 ? memchr(bytes->at, 0, bytes_left(bytes)) : NULL;

	if (nul == NULL) {
		bytes->failed = true;
		return "";
	}
	return bytes_take(bytes, (size_t)((const uint8_t *)nul - bytes->at) + 1);
}
