/* resnapshot.c - the command `resnapshot`: has assignments read and published again.
 *
 * ask (a message in the log, so the request has its place in the stream) ─▶ wait until the slot is
 * acknowledged behind it, which is when Kafka has all of it. */
#include "producer/resnapshot.h"

#include <stdio.h>
#include <string.h>

#include "common/loop.h"
#include "common/pg.h"
#include "common/program.h"
#include "producer/scope.h"

#define RESNAPSHOT_LOOK_MS 200

/* Only where there is a slot that keeps the message. */
static const char ASK_SQL[] = "SELECT pg_logical_emit_message(true, $2, $3)::text, active "
			      "FROM pg_replication_slots WHERE slot_name = $1";
static const char END_SQL[] = "SELECT pg_current_wal_insert_lsn()::text";
static const char LOOK_SQL[] = "SELECT confirmed_flush_lsn >= $2::pg_lsn FROM "
			       "pg_replication_slots WHERE slot_name = $1";

struct resnapshot {
	const struct settings *settings;
	struct loop loop;
	struct pg *pg;
	struct pg_request request;
	uv_timer_t timer;
	char scope[SCOPE_TEXT_SIZE];
	char end_lsn[32];
	int status;
};

static void end(struct resnapshot *resnapshot, int status, const char *what)
{
	printf("%s\n", what);
	resnapshot->status = status;
	loop_stop(&resnapshot->loop);
}

/* True where the answer has a row to go on with. */
static bool has_row(struct resnapshot *resnapshot, const struct pg_request *request)
{
	if (request->fault.kind != FAULT_NONE) {
		end(resnapshot, 1, request->fault.what);
		return false;
	}
	if (PQntuples(request->result) != 1) {
		end(resnapshot, 1,
		    "the slot (CALRELAY_SLOT) does not exist: start a producer, it makes a whole "
		    "snapshot");
		return false;
	}
	return true;
}

static void on_timer(uv_timer_t *timer);

static void on_looked(struct pg_request *request)
{
	struct resnapshot *resnapshot = container_of(request, struct resnapshot, request);

	if (!has_row(resnapshot, request)) {
		return;
	}
	if (strcmp(PQgetvalue(request->result, 0, 0), "t") == 0) {
		end(resnapshot, 0, "done: Kafka has all of it");
		return;
	}
	uv_timer_start(&resnapshot->timer, on_timer, RESNAPSHOT_LOOK_MS, 0);
}

static void look(struct resnapshot *resnapshot)
{
	resnapshot->request =
	    (struct pg_request){.sql = LOOK_SQL,
				.params = {resnapshot->settings->slot, resnapshot->end_lsn},
				.param_count = 2,
				.done = on_looked};
	pg_send(resnapshot->pg, &resnapshot->request);
}

static void on_timer(uv_timer_t *timer)
{
	look(container_of(timer, struct resnapshot, timer));
}

static void on_end(struct pg_request *request)
{
	struct resnapshot *resnapshot = container_of(request, struct resnapshot, request);

	if (has_row(resnapshot, request)) {
		snprintf(resnapshot->end_lsn, sizeof resnapshot->end_lsn, "%s",
			 PQgetvalue(request->result, 0, 0));
		look(resnapshot);
	}
}

static void on_asked(struct pg_request *request)
{
	struct resnapshot *resnapshot = container_of(request, struct resnapshot, request);

	if (!has_row(resnapshot, request)) {
		return;
	}
	printf("asked for at %s: %s\n", PQgetvalue(request->result, 0, 0), resnapshot->scope);
	if (strcmp(PQgetvalue(request->result, 0, 1), "t") != 0) {
		puts("no producer holds the slot now; the next one that does publishes it");
	}
	fflush(stdout);
	resnapshot->request = (struct pg_request){.sql = END_SQL, .done = on_end};
	pg_send(resnapshot->pg, &resnapshot->request);
}

static bool read_scope(int argc, char **argv, struct scope *scope)
{
	*scope = (struct scope){.kind = SCOPE_ALL};
	if (argc == 0) {
		return true;
	}
	if (argc != 2) {
		return false;
	}
	scope->kind = strcmp(argv[0], "--user") == 0 ? SCOPE_USER : SCOPE_PROJECT;
	return (scope->kind == SCOPE_USER || strcmp(argv[0], "--project") == 0) &&
	       uuid_parse(argv[1], &scope->id);
}

int resnapshot_run(const struct settings *settings, int argc, char **argv)
{
	static struct resnapshot resnapshot; /* large */
	struct scope scope;

	if (!read_scope(argc, argv, &scope)) {
		fputs("resnapshot takes nothing, --user UUID or --project UUID\n", stderr);
		return PROGRAM_EXIT_USAGE;
	}
	resnapshot = (struct resnapshot){.settings = settings};
	scope_format(&scope, resnapshot.scope);
	loop_init(&resnapshot.loop);
	uv_timer_init(&resnapshot.loop.uv, &resnapshot.timer);
	resnapshot.pg = pg_new(&resnapshot.loop, settings->database_url, "calrelay-resnapshot", 1);
	resnapshot.request =
	    (struct pg_request){.sql = ASK_SQL,
				.params = {settings->slot, SCOPE_MESSAGE, resnapshot.scope},
				.param_count = 3,
				.done = on_asked};
	pg_send(resnapshot.pg, &resnapshot.request);
	loop_run(&resnapshot.loop);
	pg_free(resnapshot.pg);
	uv_close((uv_handle_t *)&resnapshot.timer, NULL);
	loop_close(&resnapshot.loop);
	return resnapshot.status;
}
