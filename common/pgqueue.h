/* pgqueue.h - statements that wait for a connection of the pool, and those that wait in vain. */
#ifndef CALRELAY_COMMON_PGQUEUE_H
#define CALRELAY_COMMON_PGQUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "common/pg.h"

#define PGQUEUE_PATIENCE_MS 30000

struct pg_copy {
	int64_t sent_ms;
	const char *params[PG_PARAMS_MAX]; /* into bytes, or NULL */
	char bytes[];
};

struct pgqueue_list {
	struct pg_request *first;
	struct pg_request **last;
	size_t count;
};

struct pgqueue {
	struct pgqueue_list waiting;
	struct pgqueue_list ended; /* with their fault; nobody answered them yet */
};

void pgqueue_init(struct pgqueue *queue);

/* Copies the parameters.  Where the queue is full or there is no memory, the request ends. */
void pgqueue_add(struct pgqueue *queue, struct pg_request *request);

/* The one that has waited longest, or NULL. */
struct pg_request *pgqueue_take(struct pgqueue *queue);

/* Those whose patience is over end. */
void pgqueue_end_impatient(struct pgqueue *queue, int64_t now_ms);

/* Answers those that have ended so far; what their callbacks send waits for the next time. */
void pgqueue_answer_ended(struct pgqueue *queue);

/* Answers one request that is in no list, with its result or its fault. */
void pgqueue_answer(struct pg_request *request);
void pgqueue_fail(struct pg_request *request, const char *what);

#endif
