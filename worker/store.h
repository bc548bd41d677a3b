/* store.h - the worker's statements: what a run reads from and writes to PostgreSQL.
 *
 * load and write are grouped: while one statement is under way, the runs that come next
 * gather for the following one, so that many users share a transaction.  Every mapping write checks
 * the partition's epoch FOR SHARE in the same statement: without it, run->is_fenced. */
#ifndef CALRELAY_WORKER_STORE_H
#define CALRELAY_WORKER_STORE_H

#include "common/buf.h"
#include "common/hostmap.h"
#include "common/pg.h"

#define STORE_GROUP_MAX 64

/* A refresh token that nobody uses for 90 days is gone.  One that has not been used for so long is
 * used, also where nothing is to be done: that makes it a new one.
 * Source: Microsoft identity platform, "Refresh tokens". */
#define STORE_IDLE "refreshed_at < now() - interval '30 days'"

struct worker;
struct run;
struct group;

struct store {
	struct worker *worker;
	struct group *load;
	struct group *write;
	char *read_sql; /* with the mapping's names */
};

bool store_init(struct store *store, struct worker *worker);
void store_close(struct store *store);

/* Each answers through run_resume. */
void store_load(struct run *run);  /* connection, rows, due requests */
void store_write(struct run *run); /* run->wrote's values, each where its row is unchanged */
void store_rows(struct run *run);  /* run->wrote's rows, read again */
void store_read(struct run *run);  /* the host's tables, with their snapshot */
void store_lease(struct run *run); /* the right to refresh this connection's tokens */
void store_renew(struct run *run, const char *access_sealed, const char *refresh_sealed,
		 int64_t expires_in_s);
void store_progress(struct run *run); /* the sync requests' counts */
void store_finish(struct run *run);   /* the sync requests' end */
void store_park(struct run *run);

/* ---- between the store's own files ---- */

/* Adds rows, as STORE_ROW writes them, to the run's.  text NULL: none.  False with the fault set.
 */
bool store_take_rows(struct run *run, const char *text);

#endif
