/* fanout.h - a project's edit, told to everybody on the project: one `r` per assignment.
 *
 * In chunks, in assignment-id order, each read in a snapshot in which everything decoded so far is
 * finished; so in bounded memory, however many there are. */
#ifndef CALRELAY_PRODUCER_FANOUT_H
#define CALRELAY_PRODUCER_FANOUT_H

#include "producer/ack.h"
#include "producer/catalog.h"
#include "producer/emit.h"
#include "producer/keyset.h"

struct fanout {
	struct loop *loop;
	struct pg *pg;
	struct catalog *catalog;
	struct ack *ack;
	struct emit *emit;

	bool active;
	char project[UUID_TEXT_SIZE];
	struct keyset keyset;
	struct pos pos;
	int64_t commit_time_us;
	uint64_t number; /* the edit's transaction */
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

void fanout_init(struct fanout *fanout, struct loop *loop);
void fanout_close(struct fanout *fanout);

/* Begins one; ended comes later, once.  pos is the edit's own, without an id. */
void fanout_start(struct fanout *fanout, const struct uuid *project, const struct pos *pos,
		  int64_t commit_time_us, uint64_t number);
void fanout_resume(struct fanout *fanout); /* there may be room again */
void fanout_stop(struct fanout *fanout);   /* ended will not come */

#endif
