/* arm.c - looks where this database is, and binds it to that place. */
#include "worker/arm.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "common/program.h"
#include "common/text.h"

/* Unlike GUARD_ARM_SQL it replaces whatever was there. */
static const char ARM_SQL[] =
    "INSERT INTO public.calrelay_armed"
    "    (system_identifier, timeline, database, kafka_cluster)"
    "  VALUES ($1, $2::integer, $3::bigint, $4)"
    "  ON CONFLICT (only_row) DO UPDATE SET system_identifier = excluded.system_identifier,"
    "    timeline = excluded.timeline, database = excluded.database,"
    "    kafka_cluster = excluded.kafka_cluster, armed_at = now(), armed_by = session_user";

/* ---- looking ---- */

static bool postgres_failed(const PGconn *conn, struct fault *fault)
{
	char why[160];

	text_copy(why, sizeof why, PQerrorMessage(conn));
	why[strcspn(why, "\n")] = '\0';
	return fault_retry(fault, "PostgreSQL: %s", why);
}

static bool look_at_postgres(PGconn *conn, const char *const params[GUARD_VIEW_PARAMS],
			     struct armed_view *view, struct fault *fault)
{
	PGresult *result;
	bool ok;

	if (PQstatus(conn) != CONNECTION_OK) {
		return postgres_failed(conn, fault);
	}
	result = PQexecParams(conn, GUARD_VIEW_SQL, GUARD_VIEW_PARAMS, NULL, params, NULL, NULL, 0);
	ok = PQresultStatus(result) == PGRES_TUPLES_OK && guard_read_view(result, view);
	PQclear(result);
	return ok || postgres_failed(conn, fault);
}

static bool look(const struct worker_config *config, PGconn *conn, struct armed_view *view,
		 struct fault *fault)
{
	const char *params[GUARD_VIEW_PARAMS];
	struct cluster cluster = {0};
	struct hostmap map;
	bool ok = hostmap_load(&map, config->mapping_file, fault) &&
		  cluster_ask(&cluster, config, &map, fault);

	if (ok) {
		guard_write_view(params, &map, &cluster, config->group);
		ok = look_at_postgres(conn, params, view, fault);
		text_copy(view->here.kafka, sizeof view->here.kafka, cluster.id);
	}
	cluster_close(&cluster);
	return ok;
}

bool arm_look(const struct worker_config *config, struct armed_view *view, struct fault *fault)
{
	PGconn *conn = PQconnectdb(config->database_url);
	bool ok = look(config, conn, view, fault);

	PQfinish(conn);
	return ok;
}

/* ---- arming ---- */

static void print_place(const char *when, const struct armed_place *place)
{
	printf("%s: PostgreSQL %s, timeline %" PRId32 ", database %" PRId64 "; Kafka %s\n", when,
	       place->system, place->timeline, place->database, place->kafka);
}

static bool bind_here(PGconn *conn, const struct armed_view *view, struct fault *fault)
{
	struct guard_place text;
	PGresult *result;
	bool ok;

	guard_write_place(&text, &view->here);
	result = PQexecParams(conn, ARM_SQL, 4, NULL, text.params, NULL, NULL, 0);
	ok = PQresultStatus(result) == PGRES_COMMAND_OK;
	PQclear(result);
	return ok || postgres_failed(conn, fault);
}

int arm_run(const struct worker_config *config, int argc, char **argv)
{
	struct armed_view view = {0};
	struct fault fault;
	PGconn *conn;
	bool ok;

	(void)argv;
	if (argc != 0) {
		fputs("usage: calrelay-worker arm\n", stderr);
		return PROGRAM_EXIT_USAGE;
	}
	conn = PQconnectdb(config->database_url);
	ok = look(config, conn, &view, &fault) && bind_here(conn, &view, &fault);
	PQfinish(conn);
	if (!ok) {
		fprintf(stderr, "calrelay-worker: %s\n", fault.what);
		return 1;
	}
	if (view.has_row) {
		print_place("was armed", &view.row);
	} else {
		puts("was never armed");
	}
	print_place("is armed", &view.here);
	return 0;
}
