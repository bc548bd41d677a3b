/* session.h - one libpq connection on the loop, for what needs a session of its own: replication,
 * and a transaction that spans statements.
 *
 * One step at a time: start it, and its done comes exactly once, from the loop, never before the
 * start returned, unless the session is freed before.  A session that broke stays broken. */
#ifndef CALRELAY_PRODUCER_SESSION_H
#define CALRELAY_PRODUCER_SESSION_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "common/fault.h"
#include "common/loop.h"

struct session;

struct session_step {
	void (*done)(struct session_step *step);
	/* valid inside done only */
	struct fault fault; /* FAULT_RETRY: no connection; FAULT_INPUT: the server refused;
			     * FAULT_FATAL: a pooler, which can't replicate */
	char sqlstate[6];
	PGresult *result; /* NULL on a fault; freed when done returns */
};

/* url is borrowed.  NULL never: what fails is told by the first step. */
struct session *session_new(struct loop *loop, const char *url, bool replication);
void session_free(struct session *session); /* NULL is fine; a step under way gets no answer */

/* Connects within 10 s and settles the text formats the decoders rely on. */
void session_connect(struct session *session, struct session_step *step);
void session_command(struct session *session, struct session_step *step, const char *sql);
void session_query(struct session *session, struct session_step *step, const char *sql,
		   const char *const *params, int count);

/* ---- in COPY BOTH mode, which a START_REPLICATION that was answered begins ---- */

/* readable: bytes may be there, or the connection broke. */
void session_on_readable(struct session *session, void (*readable)(void *context), void *context);
void session_read(struct session *session, bool wanted); /* watch for bytes or leave them */
/* Next frame: > 0 its length (free with PQfreemem), 0 nothing yet, < 0 ended or broken (fault). */
int session_frame(struct session *session, char **frame, struct fault *fault);
bool session_put(struct session *session, const char *bytes, int length,
		 struct fault *fault) MUST_CHECK;

#endif
