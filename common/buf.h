/* buf.h - growing bytes with a ceiling; failure is remembered, so check once at the end. */
#ifndef CALRELAY_COMMON_BUF_H
#define CALRELAY_COMMON_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct buf {
	char *data; /* NUL-terminated whenever not NULL */
	size_t length;
	size_t capacity;
	size_t ceiling; /* bytes; past it the buffer fails */
	bool failed;	/* ceiling passed or no memory: later appends do nothing */
};

/* Named end: buf_close.  Nothing is allocated before the first append. */
void buf_init(struct buf *buf, size_t ceiling_bytes);
void buf_close(struct buf *buf);
void buf_reset(struct buf *buf); /* length 0, not failed; keeps the memory */

void buf_add(struct buf *buf, const void *bytes, size_t length);
void buf_char(struct buf *buf, char c);
void buf_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Here, so that the length of a literal is known when it is compiled. */
static inline void buf_text(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

/* The text so far, never NULL; "" when nothing was added or the buffer failed. */
const char *buf_string(const struct buf *buf);

/* Hands the memory to the caller, who frees it; NULL when failed or out of memory. */
char *buf_steal(struct buf *buf);

#endif
