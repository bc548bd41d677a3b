/* pooler.h - tells a connection pooler from the server itself: it can't replicate.
 *
 * Pure.  A pooler that is not recognized here refuses the replication connection in other words. */
#ifndef CALRELAY_PRODUCER_POOLER_H
#define CALRELAY_PRODUCER_POOLER_H

#include <stdbool.h>

#define POOLER_FINDING                                                                             \
	"DATABASE_URL leads to a connection pooler, which can't replicate: use the direct "        \
	"connection, port 5432 (Supabase: db.<project>.supabase.co, not port 6543)"

enum pooler_guess {
	POOLER_UNLIKELY,
	POOLER_LIKELY, /* a pooler's usual port */
	POOLER_CERTAIN /* Supabase's transaction pooler */
};

/* What the URL alone says; of a malformed one, nothing. */
enum pooler_guess pooler_guess(const char *url);

/* Whether a pooler answers so to a connection that asks for replication (PgBouncer), */
bool pooler_refuses(const char *message);
/* to a command of the replication protocol, which it took for SQL, */
bool pooler_misreads(const char *sqlstate);
/* or to a prepared statement, because another client prepared it on the same connection, or this
 * client did on another one. */
bool pooler_mixes_up(const char *sqlstate, const char *message);

#endif
