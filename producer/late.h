/* late.h - keys whose last record in the topic is not true any more.
 *
 * Pure; fed with a partition's records in order.  Two ways lead there.  A producer that was frozen
 * may have records under way that land after its successor's: whoever compares positions is safe
 * from them, but compaction and a replay go by the last record of a key.  And what was deleted
 * while no slot kept the log is in no log: its key has no record in the new epoch.  Such keys are
 * told again. */
#ifndef CALRELAY_PRODUCER_LATE_H
#define CALRELAY_PRODUCER_LATE_H

#include <stdbool.h>
#include <stddef.h>
#include <uthash.h>

#include "common/pos.h"
#include "producer/scope.h"

#define LATE_KEYS_MAX	  2048	 /* beyond them, all is told again */
#define LATE_VANISHED_MAX 200000 /* keys of an older epoch in memory, some 120 bytes each */

struct late_key {
	struct scope scope; /* SCOPE_KEY; hashed by its two ids */
	UT_hash_handle hh;
};

struct late {
	struct late_key *keys;
	size_t most;
	bool overflowed; /* there were more, or no memory for them */
};

void late_init(struct late *late, size_t most);
void late_clear(struct late *late); /* named end */

/* Takes a record of a partition, in offset order.  newest: the highest position before it there,
 * NULL where there is none.  A key that names no user and assignment is none of ours. */
void late_take(struct late *late, const char *key, size_t length, const struct pos *pos,
	       const struct pos *newest);

/* Likewise, for keys that have no record of the epoch.  is_removal: a tombstone. */
void late_take_old(struct late *late, const char *key, size_t length, const struct pos *pos,
		   bool is_removal, uint32_t epoch);

/* Whether nothing is to be told: what did not fit is not forgotten when the rest was told since. */
bool late_is_empty(const struct late *late);
size_t late_count(const struct late *late);

#endif
