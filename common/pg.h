/* pg.h - libpq on the loop: one statement, one callback, a small pool of connections.
 *
 * One statement is one transaction: what must be atomic is written as one statement (CTEs, arrays,
 * jsonb_to_recordset).  A request whose connection breaks answers FAULT_RETRY, and may or may not
 * have taken effect; statements are written so that repeating them is harmless.  The first
 * connection is made at once and whenever the server seems down, the others when they are needed;
 * after a failure with back-off (1 s doubling to 10 s).  Each prepares each distinct sql text once.
 */
#ifndef CALRELAY_COMMON_PG_H
#define CALRELAY_COMMON_PG_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/fault.h"
#include "common/loop.h"

#define PG_PARAMS_MAX 13

struct pg; /* a pool */

struct pg_request {
	const char *sql; /* a string that lives as long as the program, or at least as the pool */
	const char *params[PG_PARAMS_MAX]; /* text form; NULL is SQL NULL; copied by pg_send */
	int param_count;
	int64_t patience_ms; /* how long it may wait for a connection; 0: 30 s */
	void (*done)(struct pg_request *request);

	/* valid inside done only */
	struct fault fault; /* FAULT_RETRY: broken, refused, or out of resources; FAULT_INPUT: SQL
			     * data error (class 22, 23); FAULT_FATAL: bug or missing privilege */
	char sqlstate[6];
	PGresult *result; /* NULL on a fault; freed by pg when done returns */

	struct pg_request *next; /* pg's own */
	struct pg_copy *copied;
};

/* url: a libpq URI.  connections: how many at most.  Borrows both until pg_free. */
struct pg *pg_new(struct loop *loop, const char *url, const char *application_name,
		  int connections);

/* Calls connected, from the loop, for each connection that is made, before a statement runs on it:
 * the server may be another one than before.  Set it before the loop runs. */
void pg_tell(struct pg *pg, void (*connected)(void *context), void *context);

/* Calls request->done exactly once, from the loop, never before this returns.  Borrows request
 * until then (embed it).  Waits in the queue while no connection is free; a request that has waited
 * or run 30 s answers FAULT_RETRY. */
void pg_send(struct pg *pg, struct pg_request *request);

/* Whether the last attempt to reach the server worked (readiness). */
bool pg_is_up(const struct pg *pg);

/* Every request still queued or running answers FAULT_RETRY (it must not be sent again from there);
 * then memory goes. */
void pg_free(struct pg *pg);

/* Text of a field, or NULL for SQL NULL. */
const char *pg_text(const PGresult *result, int row, int column);
int64_t pg_integer(const PGresult *result, int row, int column, int64_t if_null);

#endif
