/* buf.c - growing bytes with a ceiling. */
#include "common/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST_BYTES 256

void buf_init(struct buf *buf, size_t ceiling_bytes)
{
	*buf = (struct buf){.ceiling = ceiling_bytes};
}

void buf_close(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){.ceiling = buf->ceiling};
}

void buf_reset(struct buf *buf)
{
	buf->length = 0;
	buf->failed = false;
	if (buf->data != NULL) {
		buf->data[0] = '\0';
	}
}

/* Never more than the ceiling and a NUL, so that what fits is not beyond the ceiling. */
static bool buf_enlarge(struct buf *buf, size_t length)
{
	size_t wanted;
	char *data;

	if (buf->failed || length > buf->ceiling || buf->length > buf->ceiling - length) {
		buf->failed = true;
		return false;
	}
	wanted = buf->capacity > 0 ? buf->capacity : BUF_FIRST_BYTES;
	while (wanted <= buf->length + length) {
		wanted *= 2;
	}
	if (wanted > buf->ceiling) {
		wanted = buf->ceiling + 1;
	}
	data = realloc(buf->data, wanted);
	if (data == NULL) {
		buf->failed = true;
		return false;
	}
	buf->data = data;
	buf->capacity = wanted;
	return true;
}

/* Makes room for length more bytes and a NUL; false and failed where that isn't to be had. */
static bool buf_reserve(struct buf *buf, size_t length)
{
	return (!buf->failed && length < buf->capacity - buf->length) || buf_enlarge(buf, length);
}

void buf_add(struct buf *buf, const void *bytes, size_t length)
{
	if (!buf_reserve(buf, length)) {
		return;
	}
	if (length > 0) {
		memcpy(buf->data + buf->length, bytes, length);
	}
	buf->length += length;
	buf->data[buf->length] = '\0';
}

void buf_char(struct buf *buf, char c)
{
	if (buf_reserve(buf, 1)) {
		buf->data[buf->length++] = c;
		buf->data[buf->length] = '\0';
	}
}

void buf_format(struct buf *buf, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0 || !buf_reserve(buf, (size_t)length)) {
		buf->failed = true;
		return;
	}
	va_start(args, format);
	vsnprintf(buf->data + buf->length, (size_t)length + 1, format, args);
	va_end(args);
	buf->length += (size_t)length;
}

const char *buf_string(const struct buf *buf)
{
	return buf->data != NULL && !buf->failed ? buf->data : "";
}

char *buf_steal(struct buf *buf)
{
	char *data;

	buf_add(buf, "", 0);
	if (buf->failed) {
		return NULL;
	}
	data = buf->data;
	*buf = (struct buf){.ceiling = buf->ceiling};
	return data;
}
