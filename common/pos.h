/* pos.h - calrelay.pos: where in the history of the source a record belongs.
 *
 * `<epoch, 8 hex>:<commit LSN, 16 hex>:<ordinal, 8 hex>`, and for fan-out and snapshot records
 * `:<assignment id, 32 hex>`.  The text compares (strcmp) exactly as the position does: every part
 * has a fixed width, and a position without an id stands before those with one. */
#ifndef CALRELAY_COMMON_POS_H
#define CALRELAY_COMMON_POS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/uuid.h"

#define POS_TEXT_SIZE 68 /* 8+1+16+1+8+1+32 and the terminating NUL */
#define POS_HEADER    "calrelay.pos"

struct pos {
	uint32_t epoch;
	uint64_t commit_lsn;
	uint32_t ordinal;
	bool has_id;
	struct uuid id;
};

void pos_format(const struct pos *pos, char text[POS_TEXT_SIZE]);
bool pos_parse(const char *text, size_t length, struct pos *pos);
int pos_compare(const struct pos *a, const struct pos *b);

#endif
