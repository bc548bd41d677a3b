/* fanout.h - many assignments told again, one `r` each: everybody on a project that was edited, or
 * whatever somebody asked for.
 *
 * In chunks, in assignment-id order, each read in a snapshot in which everything decoded so far is
 * finished; so in bounded memory, however many there are. */
#ifndef CALRELAY_PRODUCER_FANOUT_H
#define CALRELAY_PRODUCER_FANOUT_H

#include "producer/ack.h"
#include "producer/catalog.h"
#include "producer/chunk.h"
#include "producer/emit.h"
#include "producer/keyset.h"
#include "producer/scope.h"

struct fanout {
	struct loop *loop;
	struct pg *pg;
	struct catalog *catalog;
	struct ack *ack;
	struct emit *emit;

	bool active;
	struct scope scope;
	char scope_id[UUID_TEXT_SIZE];
	struct keyset keyset;
	struct chunk chunk;
	bool has_key; /* SCOPE_KEY: the table has the row, and it is the user's */
	uint64_t asked_before;
	struct pg_request request;
	bool asking;
	bool is_stale; /* stopped while asking */
	bool paused;   /* for room in Kafka's queue */
	uv_timer_t again;
	int again_ms;
	/* The fan-out is complete; or it can't go on (fault). */
	void (*ended)(struct fanout *fanout, const struct fault *fault);
};

/* Where in the stream it stands. */
struct fanout_place {
	struct pos pos; /* its own, without an id */
	int64_t commit_time_us;
	uint64_t number; /* the transaction's */
};

void fanout_init(struct fanout *fanout, struct loop *loop);
void fanout_close(struct fanout *fanout);

/* Begins one; ended comes later, once. */
void fanout_start(struct fanout *fanout, const struct scope *scope, const char *cause,
		  const struct fanout_place *place);
void fanout_resume(struct fanout *fanout); /* there may be room again */
void fanout_stop(struct fanout *fanout);   /* ended will not come */

#endif
