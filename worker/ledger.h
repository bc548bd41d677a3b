/* ledger.h - which offset of one partition may be committed.
 *
 * intake ─▶ lane ─▶ run ─▶ [ledger] ─▶ commit.  Offsets are entered as they are delivered (gaps are
 * legal: transaction markers, compaction) and marked done in any order; what may be committed is
 * the offset behind the longest run of done ones. */
#ifndef CALRELAY_WORKER_LEDGER_H
#define CALRELAY_WORKER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGER_WINDOW 8192 /* offsets delivered and not yet behind the committable one */

struct ledger_entry {
	int64_t offset;
	bool is_done;
	int64_t since_ms; /* when the record came to be, wall clock, for lag in seconds */
};

struct ledger {
	struct ledger_entry *entries; /* ring of LEDGER_WINDOW */
	size_t first;
	size_t count;
	size_t open;  /* entries that are not done */
	int64_t next; /* the committable offset: everything below is done */
};

/* start: the offset that reading begins at.  False without memory.  Named end: ledger_close. */
bool ledger_init(struct ledger *ledger, int64_t start);
void ledger_close(struct ledger *ledger);

bool ledger_is_full(const struct ledger *ledger);

/* Enters a delivered offset, larger than any before; false (and nothing changes) where it isn't,
 * or the ledger is full. */
bool ledger_deliver(struct ledger *ledger, int64_t offset, int64_t since_ms);

/* False where offset is not in the window (a result of an earlier life of the partition). */
bool ledger_mark_done(struct ledger *ledger, int64_t offset);

/* Everything below may be committed.  Monotonic. */
int64_t ledger_committable(const struct ledger *ledger);

/* Since when the oldest record not done exists, or 0 where all are done. */
int64_t ledger_oldest_ms(const struct ledger *ledger);

/* The same of one record in the window, or 0 where it isn't. */
int64_t ledger_since_ms(const struct ledger *ledger, int64_t offset);

/* How many delivered records are not done. */
size_t ledger_open_count(const struct ledger *ledger);

#endif
