/* palette.h - which of our own categories a mailbox's master list lacks.
 *
 * Pure.  One that is there keeps its colour, also where that is another one than the mapping
 * file's: the person has chosen it.  Source: Graph, "outlookCategory resource type". */
#ifndef CALRELAY_WORKER_PALETTE_H
#define CALRELAY_WORKER_PALETTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/hostmap.h"

/* The looks (1 << hostmap_look_at's index) whose own category is to be made, each name once, given
 * the answer to GET /me/outlook/masterCategories.  False where that can't be read. */
bool palette_read(const struct hostmap *map, const char *body, size_t length, uint64_t *missing);

/* The body that makes the look's own category. */
void palette_write(struct buf *out, const struct hostmap_look *look);

#endif
