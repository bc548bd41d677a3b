/* pg.c - a small pool of libpq connections on the loop.
 *
 * A connection is in one state at a time: down ─▶ connecting ─▶ settling (session settings) ─▶ idle
 * ─▶ preparing ─▶ running ─▶ idle.  Any break goes back to down.  Only libpq's own name resolution
 * blocks, and only while connecting. */
#include "common/pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "common/clock.h"
#include "common/log.h"

#define PG_REQUEST_MAX_MS   30000
#define PG_CONNECT_MAX_MS   10000
#define PG_BACKOFF_FIRST_MS 1000
#define PG_BACKOFF_MOST_MS  10000
#define PG_QUEUE_MAX	    65536
#define PG_STATEMENTS_MAX   128
#define PG_CONNECTIONS_MAX  16

/* Shorter than PG_REQUEST_MAX_MS, so that the server gives up before we stop listening. */
static const char SESSION_SETTINGS[] =
    "SET statement_timeout = '25s'; SET timezone = 'UTC'; SET datestyle = 'ISO'";

enum pg_state { PG_DOWN, PG_CONNECTING, PG_SETTLING, PG_IDLE, PG_PREPARING, PG_RUNNING };

/* The watched socket has a life of its own, because uv closes it later than libpq does. */
struct pg_socket {
	uv_poll_t poll;
	struct pg_connection *owner; /* NULL once let go */
};

struct pg_statement {
	const char *sql; /* key: the address */
	char name[16];
	UT_hash_handle hh;
};

struct pg_connection {
	struct pg *pg;
	PGconn *conn;
	enum pg_state state;
	int64_t since_ms;
	struct pg_socket *socket;
	struct pg_request *request;
	PGresult *result; /* the last one of the statement under way */
	struct pg_statement *statements;
};

struct pg {
	struct loop *loop;
	const char *url;
	const char *application_name;
	struct pg_connection connections[PG_CONNECTIONS_MAX];
	int connection_count;
	struct pg_request *first;
	struct pg_request **last;
	size_t queued;
	uv_timer_t tick;
	struct loop_call pump;
	bool pump_due;
	bool is_up;
	bool freed;
	int64_t backoff_ms;
	int64_t not_before_ms;
};

struct pg_copy {
	int64_t sent_ms; /* then the bytes of all parameters */
};

static void connection_step(struct pg_connection *connection);

/* ---- requests ---- */

static void request_answer(struct pg_request *request)
{
	PGresult *result = request->result;

	free(request->copied);
	request->copied = NULL;
	request->done(request); /* may free or reuse the request */
	PQclear(result);
}

static void request_fail(struct pg_request *request, const char *what)
{
	fault_retry(&request->fault, "PostgreSQL: %s", what);
	request->result = NULL;
	request_answer(request);
}

/* Copies the parameters' text behind a time stamp, so that the caller may let go of them. */
static bool request_copy(struct pg_request *request)
{
	size_t size = sizeof(struct pg_copy);
	struct pg_copy stamp = {.sent_ms = clock_mono_ms()};
	char *at;

	for (int i = 0; i < request->param_count; i++) {
		size += request->params[i] != NULL ? strlen(request->params[i]) + 1 : 0;
	}
	request->copied = malloc(size);
	if (request->copied == NULL) {
		return false;
	}
	memcpy(request->copied, &stamp, sizeof stamp);
	at = request->copied + sizeof stamp;
	for (int i = 0; i < request->param_count; i++) {
		if (request->params[i] != NULL) {
			size_t length = strlen(request->params[i]) + 1;

			memcpy(at, request->params[i], length);
			request->params[i] = at;
			at += length;
		}
	}
	return true;
}

static int64_t request_sent_ms(const struct pg_request *request)
{
	struct pg_copy stamp;

	memcpy(&stamp, request->copied, sizeof stamp);
	return stamp.sent_ms;
}

static struct pg_request *pg_take(struct pg *pg)
{
	struct pg_request *request = pg->first;

	pg->first = request->next;
	if (pg->first == NULL) {
		pg->last = &pg->first;
	}
	pg->queued--;
	request->next = NULL;
	return request;
}

/* What an error asks of the caller, by SQLSTATE (PostgreSQL appendix A). */
static void fault_of_result(struct pg_request *request, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	state = state != NULL ? state : "08000";
	message = message != NULL ? message : "no answer";
	snprintf(request->sqlstate, sizeof request->sqlstate, "%s", state);
	if (strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0) {
		fault_input(&request->fault, "PostgreSQL %s: %.200s", state, message);
	} else if (strncmp(state, "42", 2) == 0 || strncmp(state, "28", 2) == 0) {
		fault_fatal(&request->fault, "PostgreSQL %s: %.200s", state, message);
	} else {
		fault_retry(&request->fault, "PostgreSQL %s: %.200s", state, message);
	}
}

/* ---- the watched socket ---- */

static void on_socket_closed(uv_handle_t *handle)
{
	free(container_of(handle, struct pg_socket, poll));
}

static void connection_unwatch(struct pg_connection *connection)
{
	if (connection->socket != NULL) {
		connection->socket->owner = NULL;
		uv_poll_stop(&connection->socket->poll);
		uv_close((uv_handle_t *)&connection->socket->poll, on_socket_closed);
		connection->socket = NULL;
	}
}

static void on_readiness(uv_poll_t *poll, int status, int events)
{
	struct pg_socket *watched = container_of(poll, struct pg_socket, poll);

	(void)status; /* libpq sees a broken socket for itself */
	(void)events;
	if (watched->owner != NULL) {
		connection_step(watched->owner);
	}
}

static bool connection_watch(struct pg_connection *connection, int events)
{
	if (connection->socket == NULL) {
		struct pg_socket *watched = calloc(1, sizeof *watched);

		if (watched == NULL) {
			return false;
		}
		if (uv_poll_init(&connection->pg->loop->uv, &watched->poll,
				 PQsocket(connection->conn)) != 0) {
			free(watched);
			return false;
		}
		watched->owner = connection;
		connection->socket = watched;
	}
	return uv_poll_start(&connection->socket->poll, events, on_readiness) == 0;
}

/* ---- one connection ---- */

static void pg_pump_later(struct pg *pg);

static void connection_enter(struct pg_connection *connection, enum pg_state state)
{
	connection->state = state;
	connection->since_ms = clock_mono_ms();
}

static void connection_forget_statements(struct pg_connection *connection)
{
	struct pg_statement *statement;
	struct pg_statement *next;

	HASH_ITER(hh, connection->statements, statement, next)
	{
		HASH_DEL(connection->statements, statement);
		free(statement);
	}
}

/* Back to down; the request under way, if any, is answered. */
static void connection_drop(struct pg_connection *connection, const char *why)
{
	struct pg *pg = connection->pg;
	struct pg_request *request = connection->request;
	bool was_up = connection->state > PG_CONNECTING;
	char message[200];

	snprintf(message, sizeof message, "%s", why);
	message[strcspn(message, "\n")] = '\0';
	if (pg->is_up || was_up) {
		log_warn("PostgreSQL connection lost", LOG_TEXT("error", message));
	}
	connection_unwatch(connection);
	connection_forget_statements(connection);
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
		request_fail(request, message);
	}
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

static void connection_execute(struct pg_connection *connection, const char *name)
{
	struct pg_request *request = connection->request;

	connection_enter(connection, PG_RUNNING);
	if (PQsendQueryPrepared(connection->conn, name, request->param_count, request->params, NULL,
				NULL, 0) != 1) {
		connection_drop(connection, PQerrorMessage(connection->conn));
		return;
	}
	connection_flush(connection);
}

static struct pg_statement *connection_statement(struct pg_connection *connection, const char *sql)
{
	struct pg_statement *statement;

	HASH_FIND_PTR(connection->statements, &sql, statement);
	return statement;
}

static void connection_run(struct pg_connection *connection, struct pg_request *request)
{
	struct pg_statement *statement = connection_statement(connection, request->sql);

	connection->request = request;
	if (statement != NULL) {
		connection_execute(connection, statement->name);
		return;
	}
	statement = HASH_COUNT(connection->statements) < PG_STATEMENTS_MAX
			? calloc(1, sizeof *statement)
			: NULL;
	if (statement == NULL) {
		connection_drop(connection, "no room for another prepared statement");
		return;
	}
	statement->sql = request->sql;
	snprintf(statement->name, sizeof statement->name, "s%u",
		 HASH_COUNT(connection->statements));
	HASH_ADD_PTR(connection->statements, sql, statement);
	connection_enter(connection, PG_PREPARING);
	if (PQsendPrepare(connection->conn, statement->name, request->sql, 0, NULL) != 1) {
		connection_drop(connection, PQerrorMessage(connection->conn));
		return;
	}
	connection_flush(connection);
}

static bool result_is_good(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* A plan that went stale, or a statement that a pooler forgot: only a new session helps. */
static bool result_needs_new_session(const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return state != NULL && (strcmp(state, "0A000") == 0 || strcmp(state, "26000") == 0 ||
				 strncmp(state, "57P", 3) == 0 || strcmp(state, "25006") == 0);
}

static void connection_finish_request(struct pg_connection *connection, PGresult *result)
{
	struct pg_request *request = connection->request;

	if (!result_is_good(result)) {
		if (result_needs_new_session(result)) {
			connection_drop(connection, PQresultErrorMessage(result));
			PQclear(result);
			return;
		}
		fault_of_result(request, result);
		PQclear(result);
		result = NULL;
		if (connection->state == PG_PREPARING) {
			struct pg_statement *statement =
			    connection_statement(connection, request->sql);

			HASH_DEL(connection->statements, statement);
			free(statement);
		}
	}
	connection->request = NULL;
	connection_enter(connection, PG_IDLE);
	pg_pump_later(connection->pg);
	request->result = result;
	request_answer(request);
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
	} else if (connection->state == PG_SETTLING) {
		connection_drop(connection, PQresultErrorMessage(result));
		PQclear(result);
	} else if (connection->state == PG_PREPARING && result_is_good(result)) {
		PQclear(result);
		connection_execute(
		    connection, connection_statement(connection, connection->request->sql)->name);
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
		return; /* a notice, or the server's goodbye, which the next consume reports */
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
	if (pg->freed) {
		return; /* the memory itself goes after this turn of the loop */
	}
	while (pg->first != NULL && (connection = pg_find(pg, PG_IDLE)) != NULL) {
		connection_run(connection, pg_take(pg));
	}
	connection = pg_find(pg, PG_DOWN);
	if (pg->first != NULL && connection != NULL && pg_find(pg, PG_CONNECTING) == NULL &&
	    pg_find(pg, PG_SETTLING) == NULL && clock_mono_ms() >= pg->not_before_ms) {
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
			   age_ms > PG_REQUEST_MAX_MS) {
			connection_drop(connection, "a statement took too long");
		}
	}
	while (pg->first != NULL && now_ms - request_sent_ms(pg->first) > PG_REQUEST_MAX_MS) {
		request_fail(pg_take(pg), "no connection in time");
	}
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
	pg->last = &pg->first;
	pg->connection_count = connections < PG_CONNECTIONS_MAX ? connections : PG_CONNECTIONS_MAX;
	for (int i = 0; i < pg->connection_count; i++) {
		pg->connections[i].pg = pg;
	}
	uv_timer_init(&loop->uv, &pg->tick);
	uv_timer_start(&pg->tick, on_tick, 1000, 1000);
	uv_unref((uv_handle_t *)&pg->tick);
	return pg;
}

void pg_send(struct pg *pg, struct pg_request *request)
{
	request->fault = (struct fault){0};
	request->sqlstate[0] = '\0';
	request->result = NULL;
	request->next = NULL;
	if (pg->queued >= PG_QUEUE_MAX || !request_copy(request)) {
		fputs("the queue for PostgreSQL is out of room\n", stderr);
		abort();
	}
	*pg->last = request;
	pg->last = &request->next;
	pg->queued++;
	pg_pump_later(pg);
}

bool pg_is_up(const struct pg *pg)
{
	return pg->is_up;
}

static void on_tick_closed(uv_handle_t *handle)
{
	free(container_of(handle, struct pg, tick));
}

void pg_free(struct pg *pg)
{
	for (int i = 0; i < pg->connection_count; i++) {
		if (pg->connections[i].state != PG_DOWN) {
			struct pg_connection *connection = &pg->connections[i];
			struct pg_request *request = connection->request;

			connection_unwatch(connection);
			connection_forget_statements(connection);
			PQclear(connection->result);
			PQfinish(connection->conn);
			*connection = (struct pg_connection){.pg = pg};
			if (request != NULL) {
				request_fail(request, "the program is stopping");
			}
		}
	}
	while (pg->first != NULL) {
		request_fail(pg_take(pg), "the program is stopping");
	}
	pg->freed = true;
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
