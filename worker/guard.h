/* guard.h - asks whether this database is armed, before anything is read, called or committed.
 *
 * Asked for every assignment (behind claim.c's look-up), and again whenever a connection to
 * PostgreSQL is made: the server may be another one by then.  A worker that can't see all rows
 * ends. */
#ifndef CALRELAY_WORKER_GUARD_H
#define CALRELAY_WORKER_GUARD_H

#include "common/hostmap.h"
#include "common/pg.h"
#include "common/rowsec.h"
#include "worker/armed.h"
#include "worker/cluster.h"

/* A table of one row: where we are.  The timeline is that of the log being written, which the
 * control file learns of only with a checkpoint. */
#define GUARD_HERE                                                                                 \
	"(SELECT s.system_identifier::text AS system_identifier,"                                  \
	" ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::integer"        \
	" AS timeline, d.oid::bigint AS database"                                                  \
	" FROM pg_control_system() s, pg_database d WHERE d.datname = current_database())"

/* A value: the first table of which row security hides rows from us, or NULL.  $1 the host's
 * schema, $2 and $3 its tables of assignments and projects.  What is hidden would look as if it
 * were gone. */
#define GUARD_HIDDEN                                                                               \
	"(SELECT min(t.name) FROM (VALUES (format('%I.%I', $1::text, $2::text)),"                  \
	" (format('%I.%I', $1::text, $3::text)), ('public.calendar_connections'),"                 \
	" ('public.synced_calendar_events'), ('public.calendar_sync_requests')) t(name)"           \
	" WHERE " ROWSEC_HIDES("to_regclass(t.name)") ")"

/* What GUARD_HIDDEN needs, Kafka's commits as cluster_look_up has them, the group. */
extern const char GUARD_VIEW_SQL[];
/* system, timeline, database, cluster: a new row, or the same place on a newer timeline. */
extern const char GUARD_ARM_SQL[];

/* The table, twice. */
#define GUARD_HIDDEN_FINDING                                                                       \
	"row security hides rows of %s, which would look as if they were gone: run CREATE POLICY " \
	"calrelay_reads ON %s FOR SELECT TO calrelay_worker USING (true)"

#define GUARD_VIEW_PARAMS 5
void guard_write_view(const char *params[], const struct hostmap *map,
		      const struct cluster *cluster, const char *group);

/* Of GUARD_VIEW_SQL's row; the cluster's id is the caller's to fill in. */
bool guard_read_view(const PGresult *result, struct armed_view *view);

/* Writes a place as GUARD_ARM_SQL takes it; params point into it. */
struct guard_place {
	char timeline[12];
	char database[24];
	const char *params[4];
};
void guard_write_place(struct guard_place *text, const struct armed_place *place);

struct intake;

struct guard {
	struct cluster cluster; /* as last looked up */
	struct pg_request request;
	bool is_asking;
	bool must_ask; /* again: what is under way began before it was needed */
	bool is_armed; /* known to be, since the last connection was made */
	bool is_held;
	char reason[ARMED_REASON_SIZE]; /* of is_held */
};

void guard_ask(struct intake *intake);	 /* ends in claim_send where an assignment waits for it */
void guard_tick(struct intake *intake);	 /* asks again what was not answered */
void guard_doubt(struct intake *intake); /* a connection was made: nothing is sent until we know */

#endif
