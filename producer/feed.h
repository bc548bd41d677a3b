/* feed.h - decoded changes wait here, in stream order, until what they need is known; then they go
 * out.
 *
 * stream ─▶ [feed] ─▶ emit ─▶ publish.  Many changes wait at once, so that their projects are
 * looked up in batches, but only the first ever leaves: a partition's records keep the stream's
 * order.  A change that has nothing to wait for, and nobody before it, leaves as it comes, without
 * a copy. */
#ifndef CALRELAY_PRODUCER_FEED_H
#define CALRELAY_PRODUCER_FEED_H

#include "producer/ack.h"
#include "producer/emit.h"
#include "producer/fanout.h"
#include "producer/lookup.h"
#include "producer/pgoutput.h"

#define FEED_ITEMS_MAX 8192
#define FEED_MAX_BYTES (4u << 20)

/* Where in the stream a change stands. */
struct feed_place {
	uint64_t number; /* the transaction's, of ack */
	uint64_t commit_lsn;
	int64_t commit_time_us;
	uint32_t xid;
	uint64_t last_commit_lsn; /* end of the last commit before this transaction; 0: unknown */
	const char *origin;	  /* where the transaction was first; NULL: here.  The stream's */
	uint64_t origin_lsn;
	uint64_t lsn;	   /* start of the frame that carried the change */
	uint32_t row;	   /* number of the row message in the transaction */
	uint32_t messages; /* logical messages of the transaction before it */
};

/* A row message as it came; the message points into the bytes. */
struct feed_frame {
	char *bytes; /* PQfreemem */
	size_t length;
	const struct pgoutput_message *message;
};

/* How many events of a transaction went by, also of projects, which have none of ours. */
struct feed_count {
	uint64_t number; /* of the transaction */
	uint32_t total;
	uint32_t of_role[RELATION_REQUESTS_TABLE + 1];
};

struct feed_item;

struct feed {
	struct loop *loop;
	struct emit *emit;
	struct ack *ack;
	struct lookup *lookup;
	struct fanout *fanout;
	struct feed_item *first;
	struct feed_item **last;
	size_t count;
	size_t bytes;
	bool tells_transaction; /* CALRELAY_TRANSACTION_METADATA */
	struct feed_count events;
	bool pumping;
	bool stopped;
	/* Something left, or was acknowledged as empty; there may be room again. */
	void (*moved)(struct feed *feed);
	void (*failed)(struct feed *feed, const struct fault *fault);
};

void feed_init(struct feed *feed);
void feed_clear(struct feed *feed); /* what waits is forgotten: the slot will send it again */
bool feed_has_room(const struct feed *feed); /* here and in Kafka's queue */

/* Takes over the frame's bytes, whatever it answers. */
bool feed_take_row(struct feed *feed, const struct feed_frame *frame, struct relation *relation,
		   const struct feed_place *place, struct fault *fault) MUST_CHECK;
/* A request to tell assignments again, which stands in the stream like a row. */
bool feed_take_scope(struct feed *feed, const struct scope *scope, const struct feed_place *place,
		     struct fault *fault) MUST_CHECK;
bool feed_take_commit(struct feed *feed, uint64_t number, uint64_t end_lsn,
		      struct fault *fault) MUST_CHECK;

/* Lets out what may leave.  Call it after taking, and when anything it waits for may have come. */
void feed_pump(struct feed *feed);

#endif
