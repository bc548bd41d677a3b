/* frames.h - builds pgoutput messages by hand, byte for byte as PostgreSQL's proto.c writes them.
 */
#ifndef CALRELAY_TESTS_PRODUCER_FRAMES_H
#define CALRELAY_TESTS_PRODUCER_FRAMES_H

#include <stdint.h>
#include <string.h>

#include "common/buf.h"
#include "producer/pgoutput.h"

static inline void frame_number(struct buf *out, uint64_t value, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--) {
		buf_char(out, (char)(value >> 8 * i));
	}
}

static inline void frame_cstr(struct buf *out, const char *text)
{
	buf_add(out, text, strlen(text) + 1);
}

/* NULL is null, "<unchanged>" is an unchanged TOAST value. */
static inline void frame_tuple(struct buf *out, int count, const char *const *texts)
{
	frame_number(out, (uint64_t)count, 2);
	for (int i = 0; i < count; i++) {
		if (texts[i] == NULL) {
			buf_char(out, 'n');
		} else if (strcmp(texts[i], "<unchanged>") == 0) {
			buf_char(out, 'u');
		} else {
			buf_char(out, 't');
			frame_number(out, strlen(texts[i]), 4);
			buf_text(out, texts[i]);
		}
	}
}

static inline struct pgoutput_value frame_value(const char *text)
{
	if (text == NULL) {
		return (struct pgoutput_value){.kind = 'n', .text = ""};
	}
	if (strcmp(text, "<unchanged>") == 0) {
		return (struct pgoutput_value){.kind = 'u', .text = ""};
	}
	return (struct pgoutput_value){.kind = 't', .text = text, .length = (uint32_t)strlen(text)};
}

#endif
