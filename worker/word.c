/* word.c - files the sync request that carries the word. */
#include "worker/word.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "common/program.h"
#include "common/uuid.h"

static const char WORD_SQL[] =
    "INSERT INTO public.calendar_sync_requests (user_id, kind, remove_events)"
    " SELECT user_id, 'full', true FROM public.calendar_connections"
    "  WHERE user_id = $1::uuid AND provider = 'microsoft' AND status = 'active' RETURNING id";

static int word_answer(PGconn *conn, const PGresult *result)
{
	if (PQresultStatus(result) != PGRES_TUPLES_OK) {
		fprintf(stderr, "calrelay-worker: PostgreSQL: %s", PQerrorMessage(conn));
		return 1;
	}
	if (PQntuples(result) == 0) {
		fputs("calrelay-worker: no calendar is connected for that user\n", stderr);
		return 1;
	}
	printf("asked for: sync request %s\n", PQgetvalue(result, 0, 0));
	return 0;
}

int word_run(const struct worker_config *config, int argc, char **argv)
{
	struct uuid user;
	PGconn *conn;
	PGresult *result = NULL;
	int status;

	if (argc != 2 || strcmp(argv[0], "--user") != 0 || !uuid_parse(argv[1], &user)) {
		fputs("usage: calrelay-worker remove-orphans --user ID\n", stderr);
		return PROGRAM_EXIT_USAGE;
	}
	conn = PQconnectdb(config->database_url);
	if (PQstatus(conn) == CONNECTION_OK) {
		const char *params[] = {argv[1]};

		result = PQexecParams(conn, WORD_SQL, 1, NULL, params, NULL, NULL, 0);
	}
	status = word_answer(conn, result);
	PQclear(result);
	PQfinish(conn);
	return status;
}
