/* pg.c - a small pool of libpq connections on the loop.
 *
 * A connection is in one state at a time: down ─▶ connecting ─▶ settling (session settings) ─▶ idle
 * ─▶ preparing ─▶ running ─▶ idle.  Any break goes back to down.  Only libpq's own name resolution
 * blocks, and only while connecting. */
#include "common/pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/pgqueue.h"
#include "common/sqlstate.h"
#include "common/watch.h"

#define PG_CONNECT_MAX_MS   10000
#define PG_BACKOFF_FIRST_MS 1000
#define PG_BACKOFF_MOST_MS  10000
#define PG_STATEMENTS_MAX   128
#define PG_CONNECTIONS_MAX  16

/* Shorter than PGQUEUE_PATIENCE_MS, so that the server gives up before we stop listening. */
static const char SESSION_SETTINGS[] =
    "SET statement_timeout = '25s'; SET timezone = 'UTC'; SET datestyle = 'ISO'; "
    "SET intervalstyle = 'postgres'; SET bytea_output = 'hex'; SET extra_float_digits = 3; "
    "SET lc_monetary = 'C'";

enum pg_state { PG_DOWN, PG_CONNECTING, PG_SETTLING, PG_IDLE, PG_PREPARING, PG_RUNNING };

struct pg_connection {
	struct pg *pg;
	PGconn *conn;
	enum pg_state state;
	int64_t since_ms;
	struct watch *watch;
	struct pg_request *request;
	PGresult *result;			   /* the last one of the statement under way */
	const char *statements[PG_STATEMENTS_MAX]; /* prepared here; their addresses are compared */
	int statement_count;
};

struct pg {
	struct loop *loop;
	const char *url;
	const char *application_name;
	struct pg_connection connections[PG_CONNECTIONS_MAX];
	int connection_count;
	struct pgqueue queue;
	uv_timer_t tick;
	struct loop_call pump;
	void (*connected)(void *context); /* or NULL */
	void *context;
	bool pump_due;
	bool is_up;
	bool is_freed; /* the memory goes when the last deferred call has run */
	int64_t backoff_ms;
	int64_t not_before_ms;
};

static void connection_step(struct pg_connection *connection);

/* ---- the watched socket ---- */

static void connection_unwatch(struct pg_connection *connection)
{
	watch_free(connection->watch);
	connection->watch = NULL;
}

static void on_readiness(struct watch *watch, int status, int events)
{
	(void)status; /* libpq sees a broken socket for itself */
	(void)events;
	connection_step(watch->owner);
}

static bool connection_watch(struct pg_connection *connection, int events)
{
	if (connection->watch == NULL) {
		connection->watch = watch_new(connection->pg->loop, PQsocket(connection->conn),
					      connection, on_readiness);
	}
	return connection->watch != NULL && watch_start(connection->watch, events);
}

/* ---- one connection ---- */

static void pg_pump_later(struct pg *pg);

static void connection_enter(struct pg_connection *connection, enum pg_state state)
{
	connection->state = state;
	connection->since_ms = clock_mono_ms();
}

/* Back to down; the request under way, if any, is answered. */
static void connection_drop(struct pg_connection *connection, const char *why)
{
	struct pg *pg = connection->pg;
	struct pg_request *request = connection->request;
	bool was_up = connection->state > PG_SETTLING;
	char message[200];

	snprintf(message, sizeof message, "%s", why);
	message[strcspn(message, "\n")] = '\0';
	if (pg->is_up || was_up) {
		log_warn("PostgreSQL connection lost", LOG_TEXT("error", message));
	}
	connection_unwatch(connection);
	PQclear(connection->result);
	PQfinish(connection->conn);
	*connection = (struct pg_connection){.pg = pg};
	pg->is_up = false;
	pg->backoff_ms = pg->backoff_ms > 0 ? pg->backoff_ms * 2 : PG_BACKOFF_FIRST_MS;
	if (pg->backoff_ms > PG_BACKOFF_MOST_MS) {
		pg->backoff_ms = PG_BACKOFF_MOST_MS;
	}
	pg->not_before_ms = clock_mono_ms() + (was_up ? 0 : pg->backoff_ms);
	pg_pump_later(pg);
	if (request != NULL) {
		pgqueue_fail(request, message);
	}
}

/* libpq would print it; its text may hold data, so the code has to do. */
static void on_notice(void *context, const PGresult *notice)
{
	(void)context;
	log_debug("PostgreSQL notice",
		  LOG_TEXT("sqlstate", PQresultErrorField(notice, PG_DIAG_SQLSTATE)));
}

static void connection_start(struct pg_connection *connection)
{
	const char *const keywords[] = {"dbname", "application_name", NULL};
	const char *const values[] = {connection->pg->url, connection->pg->application_name, NULL};

	connection_enter(connection, PG_CONNECTING);
	connection->conn = PQconnectStartParams(keywords, values, 1);
	if (connection->conn == NULL || PQstatus(connection->conn) == CONNECTION_BAD) {
		connection_drop(connection, connection->conn != NULL
						? PQerrorMessage(connection->conn)
						: "out of memory");
		return;
	}
	PQsetNoticeReceiver(connection->conn, on_notice, NULL);
	if (!connection_watch(connection, UV_WRITABLE)) {
		connection_drop(connection, "can't watch the socket");
	}
}

/* Sends what libpq holds back and listens for the answer. */
static void connection_flush(struct pg_connection *connection)
{
	int flushed = PQflush(connection->conn);
	int events = flushed == 1 ? UV_READABLE | UV_WRITABLE : UV_READABLE;

	if (flushed < 0 || !connection_watch(connection, events)) {
		connection_drop(connection, PQerrorMessage(connection->conn));
	}
}

static void connection_poll_connect(struct pg_connection *connection)
{
	PostgresPollingStatusType polled;

	connection_unwatch(connection); /* libpq may change the socket inside PQconnectPoll */
	polled = PQconnectPoll(connection->conn);
	if (polled == PGRES_POLLING_OK) {
		PQsetnonblocking(connection->conn, 1);
		connection_enter(connection, PG_SETTLING);
		if (PQsendQuery(connection->conn, SESSION_SETTINGS) != 1) {
			connection_drop(connection, PQerrorMessage(connection->conn));
			return;
		}
		connection_flush(connection);
		return;
	}
	if (polled == PGRES_POLLING_FAILED ||
	    !connection_watch(connection,
			      polled == PGRES_POLLING_READING ? UV_READABLE : UV_WRITABLE)) {
		connection_drop(connection, PQerrorMessage(connection->conn));
	}
}

static void statement_name(int number, char name[16])
{
	snprintf(name, 16, "s%d", number);
}

static void connection_execute(struct pg_connection *connection, int number)
{
	struct pg_request *request = connection->request;
	char name[16];

	statement_name(number, name);
	connection_enter(connection, PG_RUNNING);
	if (PQsendQueryPrepared(connection->conn, name, request->param_count,
				request->copied->params, NULL, NULL, 0) != 1) {
		connection_drop(connection, PQerrorMessage(connection->conn));
		return;
	}
	connection_flush(connection);
}

static void connection_prepare(struct pg_connection *connection)
{
	const char *sql = connection->request->sql;
	char name[16];

	if (connection->statement_count == PG_STATEMENTS_MAX) {
		connection_drop(connection, "no room for another prepared statement");
		return;
	}
	statement_name(connection->statement_count, name);
	connection->statements[connection->statement_count++] = sql;
	connection_enter(connection, PG_PREPARING);
	if (PQsendPrepare(connection->conn, name, sql, 0, NULL) != 1) {
		connection_drop(connection, PQerrorMessage(connection->conn));
		return;
	}
	connection_flush(connection);
}

static void connection_run(struct pg_connection *connection, struct pg_request *request)
{
	connection->request = request;
	for (int i = 0; i < connection->statement_count; i++) {
		if (connection->statements[i] == request->sql) {
			connection_execute(connection, i);
			return;
		}
	}
	connection_prepare(connection);
}

static bool result_is_good(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

static void connection_finish_request(struct pg_connection *connection, PGresult *result)
{
	struct pg_request *request = connection->request;

	if (!result_is_good(result)) {
		const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

		if (sqlstate_needs_new_session(state) ||
		    PQstatus(connection->conn) == CONNECTION_BAD) {
			connection_drop(connection, PQresultErrorMessage(result));
			PQclear(result);
			return;
		}
		snprintf(request->sqlstate, sizeof request->sqlstate, "%s",
			 state != NULL ? state : "");
		sqlstate_fault(state, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
			       &request->fault);
		PQclear(result);
		result = NULL;
		if (connection->state == PG_PREPARING) {
			connection->statement_count--; /* it was the last one */
		}
	}
	connection->request = NULL;
	connection->pg->is_up = true;
	connection_enter(connection, PG_IDLE);
	pg_pump_later(connection->pg);
	request->result = result;
	pgqueue_answer(request);
}

/* The statement under way has given all its results; the last one counts. */
static void connection_finish(struct pg_connection *connection)
{
	PGresult *result = connection->result;

	connection->result = NULL;
	if (connection->state == PG_SETTLING && result_is_good(result)) {
		connection->pg->is_up = true;
		connection->pg->backoff_ms = 0;
		connection_enter(connection, PG_IDLE);
		pg_pump_later(connection->pg);
		PQclear(result);
		if (connection->pg->connected != NULL) {
			connection->pg->connected(connection->pg->context);
		}
	} else if (connection->state == PG_SETTLING) {
		connection_drop(connection, PQresultErrorMessage(result));
		PQclear(result);
	} else if (connection->state == PG_PREPARING && result_is_good(result)) {
		PQclear(result);
		connection_execute(connection, connection->statement_count - 1);
	} else {
		connection_finish_request(connection, result);
	}
}

static void connection_read(struct pg_connection *connection)
{
	if (PQconsumeInput(connection->conn) != 1) {
		connection_drop(connection, PQerrorMessage(connection->conn));
		return;
	}
	if (connection->state == PG_IDLE) {
		/* a notice, or the server's goodbye, which the next consume reports */
		connection_flush(connection);
		return;
	}
	while (!PQisBusy(connection->conn)) {
		PGresult *result = PQgetResult(connection->conn);

		if (result == NULL) {
			if (connection->result == NULL) {
				connection_drop(connection, PQerrorMessage(connection->conn));
			} else {
				connection_finish(connection);
			}
			return;
		}
		PQclear(connection->result);
		connection->result = result;
	}
	connection_flush(connection);
}

static void connection_step(struct pg_connection *connection)
{
	if (connection->state == PG_CONNECTING) {
		connection_poll_connect(connection);
	} else {
		connection_read(connection);
	}
}

/* ---- the pool ---- */

static struct pg_connection *pg_find(struct pg *pg, enum pg_state state)
{
	for (int i = 0; i < pg->connection_count; i++) {
		if (pg->connections[i].state == state) {
			return &pg->connections[i];
		}
	}
	return NULL;
}

static void on_pump(struct loop_call *call)
{
	struct pg *pg = container_of(call, struct pg, pump);
	struct pg_connection *connection;

	pg->pump_due = false;
	pgqueue_answer_ended(&pg->queue);
	while (pg->queue.waiting.count > 0 && (connection = pg_find(pg, PG_IDLE)) != NULL) {
		connection_run(connection, pgqueue_take(&pg->queue));
	}
	connection = pg_find(pg, PG_DOWN);
	if (!pg->is_freed && (pg->queue.waiting.count > 0 || !pg->is_up) && connection != NULL &&
	    pg_find(pg, PG_CONNECTING) == NULL && pg_find(pg, PG_SETTLING) == NULL &&
	    clock_mono_ms() >= pg->not_before_ms) {
		connection_start(connection);
	}
}

static void pg_pump_later(struct pg *pg)
{
	if (!pg->pump_due) {
		pg->pump_due = true;
		loop_defer(pg->loop, &pg->pump, on_pump);
	}
}

static void on_tick(uv_timer_t *timer)
{
	struct pg *pg = container_of(timer, struct pg, tick);
	int64_t now_ms = clock_mono_ms();

	for (int i = 0; i < pg->connection_count; i++) {
		struct pg_connection *connection = &pg->connections[i];
		int64_t age_ms = now_ms - connection->since_ms;

		if (connection->state == PG_CONNECTING && age_ms > PG_CONNECT_MAX_MS) {
			connection_drop(connection, "connecting took too long");
		} else if (connection->state > PG_CONNECTING && connection->state != PG_IDLE &&
			   age_ms > PGQUEUE_PATIENCE_MS) {
			connection_drop(connection, "a statement took too long");
		}
	}
	pgqueue_end_impatient(&pg->queue, now_ms);
	pg_pump_later(pg);
}

struct pg *pg_new(struct loop *loop, const char *url, const char *application_name, int connections)
{
	struct pg *pg = calloc(1, sizeof *pg);

	if (pg == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	pg->loop = loop;
	pg->url = url;
	pg->application_name = application_name;
	pgqueue_init(&pg->queue);
	pg->connection_count = connections < PG_CONNECTIONS_MAX ? connections : PG_CONNECTIONS_MAX;
	for (int i = 0; i < pg->connection_count; i++) {
		pg->connections[i].pg = pg;
	}
	uv_timer_init(&loop->uv, &pg->tick);
	uv_timer_start(&pg->tick, on_tick, 1000, 1000);
	pg_pump_later(pg);
	return pg;
}

void pg_tell(struct pg *pg, void (*connected)(void *context), void *context)
{
	pg->connected = connected;
	pg->context = context;
}

void pg_send(struct pg *pg, struct pg_request *request)
{
	request->fault = (struct fault){0};
	request->sqlstate[0] = '\0';
	request->result = NULL;
	request->next = NULL;
	pgqueue_add(&pg->queue, request);
	pg_pump_later(pg);
}

bool pg_is_up(const struct pg *pg)
{
	return pg->is_up;
}

static void on_last_pump(struct loop_call *call)
{
	free(container_of(call, struct pg, pump));
}

static void on_tick_closed(uv_handle_t *handle)
{
	struct pg *pg = container_of(handle, struct pg, tick);

	if (pg->pump_due) {
		pg->pump.fn = on_last_pump; /* a call that waits must not outlive its memory */
	} else {
		free(pg);
	}
}

void pg_free(struct pg *pg)
{
	struct pg_request *request;

	pg->is_freed = true;
	for (int i = 0; i < pg->connection_count; i++) {
		if (pg->connections[i].state != PG_DOWN) {
			struct pg_connection *connection = &pg->connections[i];

			request = connection->request;
			connection_unwatch(connection);
			PQclear(connection->result);
			PQfinish(connection->conn);
			*connection = (struct pg_connection){.pg = pg};
			if (request != NULL) {
				pgqueue_fail(request, "the program is stopping");
			}
		}
	}
	pgqueue_answer_ended(&pg->queue);
	while ((request = pgqueue_take(&pg->queue)) != NULL) {
		pgqueue_fail(request, "the program is stopping");
	}
	uv_close((uv_handle_t *)&pg->tick, on_tick_closed);
}

const char *pg_text(const PGresult *result, int row, int column)
{
	return PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column);
}

int64_t pg_integer(const PGresult *result, int row, int column, int64_t if_null)
{
	const char *text = pg_text(result, row, column);

	return text != NULL ? strtoll(text, NULL, 10) : if_null;
}
