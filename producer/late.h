/* late.h - records that stand behind newer ones, and so are older than they look.
 *
 * Pure.  A producer that was frozen may have records under way that land after its successor's.
 * Whoever compares positions is safe from them, but compaction and a replay go by the last record
 * of a key.  So they are found, by reading a partition's end in order, and their keys are told
 * again. */
#ifndef CALRELAY_PRODUCER_LATE_H
#define CALRELAY_PRODUCER_LATE_H

#include <stdbool.h>
#include <stddef.h>
#include <uthash.h>

#include "common/pos.h"
#include "producer/scope.h"

#define LATE_KEYS_MAX 2048

struct late_key {
	struct scope scope; /* SCOPE_KEY; hashed by its two ids */
	UT_hash_handle hh;
};

struct late {
	struct late_key *keys;
	bool overflowed; /* more than LATE_KEYS_MAX: tell all again */
};

void late_clear(struct late *late); /* named end */

/* Takes a record of a partition, in offset order.  newest: the highest position before it there,
 * NULL where there is none.  A key that names no user and assignment is none of ours. */
void late_take(struct late *late, const char *key, size_t length, const struct pos *pos,
	       const struct pos *newest);

size_t late_count(const struct late *late);

#endif
