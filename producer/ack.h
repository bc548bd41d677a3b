/* ack.h - up to which LSN everything is safely in Kafka.
 *
 * Pure.  A queue of the transactions that were decoded and are not done, in commit order.  One is
 * done when all of it was handed over (committed), Kafka acknowledged every record of it, and a
 * snapshot saw it finished.  The last is for the look-ups: a commit is decoded before it is
 * visible, so a transaction that is forgotten too early could be missed by a look-up of the next
 * session. Only the end of a COMMIT is ever acknowledged, in order, or the server's own position
 * when there is nothing on its way. */
#ifndef CALRELAY_PRODUCER_ACK_H
#define CALRELAY_PRODUCER_ACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "producer/visible.h"

#define ACK_TRANSACTIONS_MAX 16384 /* a power of two */

struct ack_transaction {
	uint32_t xid;
	uint32_t unacknowledged; /* records that Kafka has not confirmed */
	uint64_t end_lsn;
	int64_t commit_time_us;
	bool committed; /* its last record was handed over */
	bool finished;	/* a snapshot saw it */
};

struct ack {
	struct ack_transaction ring[ACK_TRANSACTIONS_MAX];
	uint64_t first; /* number of the oldest; numbers only grow */
	uint64_t next;
	uint64_t flushed_lsn; /* what may be acknowledged */
	uint64_t server_lsn;  /* the newest position the server itself told */
	uint64_t done_lsn;    /* end of the last COMMIT that is done; 0: none yet */
};

void ack_init(struct ack *ack);
size_t ack_count(const struct ack *ack);
bool ack_is_full(const struct ack *ack); /* begin no more until one is done */

/* The transaction's number. */
uint64_t ack_begin(struct ack *ack, uint32_t xid, int64_t commit_time_us);
void ack_sent(struct ack *ack, uint64_t number);
/* True when that was the last one of a committed transaction. */
bool ack_delivered(struct ack *ack, uint64_t number);
void ack_commit(struct ack *ack, uint64_t number, uint64_t end_lsn);

/* Notes which transactions a snapshot saw finished.  True where all numbered below `before` are. */
bool ack_see(struct ack *ack, const struct visible *visible, uint64_t before);
bool ack_wants_snapshot(const struct ack *ack); /* the oldest waits for nothing else */

void ack_keepalive(struct ack *ack, uint64_t server_lsn);
/* Takes what is done off the queue; true when flushed_lsn moved. */
bool ack_advance(struct ack *ack);
const struct ack_transaction *ack_oldest(const struct ack *ack); /* NULL: none */
const struct ack_transaction *ack_find(const struct ack *ack, uint64_t number);

#endif
