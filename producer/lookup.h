/* lookup.h - the projects that events show: looked up in batches, kept true by the stream.
 *
 * What is exact here.  Let the stream stand at a change D.  An entry holds the project's state as
 * some snapshot S saw it, or as a later change in the stream left it, and it is never older than D:
 *  - A look-up's answer is taken only if every transaction decoded when it was asked was finished
 * in its S (pg_current_snapshot() in the same statement; otherwise it is asked again).  So it holds
 *    all changes up to the newest decoded then, D included.
 *  - Changes decoded later pass through here in stream order, before any record behind them is
 * made. One that S had seen finished is in the entry already, or the entry is newer still; any
 * other replaces it.  A row's changes become visible in the order of their commits (its lock is
 * held until then), so no replacement goes back in time. An entry may be newer than D; then the
 * changes between are still to come and will be published. */
#ifndef CALRELAY_PRODUCER_LOOKUP_H
#define CALRELAY_PRODUCER_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "common/buf.h"
#include "common/pg.h"
#include "common/uuid.h"
#include "producer/ack.h"
#include "producer/catalog.h"

/* A look-up that has waited this long ends the session: a server that shuts down answers nobody
 * until its replication streams have ended, and ours would not end while it waits for an answer. */
#define LOOKUP_PATIENCE_MS 2000

#define LOOKUP_BATCH	   500
#define LOOKUP_ENTRIES_MAX 20000
#define LOOKUP_MAX_BYTES                                                                           \
	(4u << 20) /* entries that nobody waits for or used lately go beyond this */

struct lookup_entry {
	struct uuid id;
	char *json; /* "null" where there is no such project; NULL: not known yet */
	size_t json_length;
	struct visible *seen; /* NULL: as the stream left it */
	int references;	      /* records that wait for it */
	bool used;	      /* since eviction last came by */
	bool asked;
	struct lookup_entry *next_wanted;
	UT_hash_handle hh;
};

struct lookup {
	struct loop *loop;
	struct pg *pg;
	struct catalog *catalog;
	struct ack *ack;
	struct lookup_entry *entries; /* in the order in which eviction comes by */
	size_t bytes;
	struct lookup_entry *first_wanted;
	struct lookup_entry **last_wanted;
	struct lookup_entry *batch[LOOKUP_BATCH];
	int batch_count;
	struct buf batch_text;
	uint64_t asked_before; /* transactions numbered below must be finished in the answer */
	struct pg_request request;
	bool asking;
	uv_timer_t again;
	int again_ms;
	/* Something may go on; or it can't (fault). */
	void (*answered)(struct lookup *lookup, const struct fault *fault);
};

void lookup_init(struct lookup *lookup, struct loop *loop, struct pg *pg, struct catalog *catalog,
		 struct ack *ack);
void lookup_clear(struct lookup *lookup); /* a new session knows nothing; nobody waits any more */
void lookup_close(struct lookup *lookup);

/* The entry, held; asks for it where it is not known.  NULL without memory. */
struct lookup_entry *lookup_hold(struct lookup *lookup, const struct uuid *id);
void lookup_let_go(struct lookup *lookup, struct lookup_entry *entry);
void lookup_ask(struct lookup *lookup); /* sends what is wanted */

/* The stream left the project so (json; "null": gone).  xid: the change's transaction. */
void lookup_learn(struct lookup *lookup, const struct uuid *id, const char *json, uint32_t xid);

#endif
