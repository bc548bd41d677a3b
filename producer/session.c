/* session.c - one libpq connection on the loop.
 *
 * connecting ─▶ settling ─▶ idle ─▶ running ─▶ idle ... ─▶ copying; any break ends in broken. */
#include "producer/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/text.h"
#include "common/watch.h"
#include "producer/pooler.h"
#include "producer/slot.h"

#define SESSION_CONNECT_MAX_MS 10000
#define TEXT_OF(number)	       TEXT_OF_(number)
#define TEXT_OF_(number)       #number

/* Source of the formats: what PostgreSQL's own apply worker asks for (libpqwalreceiver.c). */
static const char SETTINGS[] =
    "SELECT set_config('datestyle', 'ISO', false), set_config('intervalstyle', 'postgres', false), "
    "set_config('extra_float_digits', '3', false), set_config('timezone', 'UTC', false), "
    "set_config('bytea_output', 'hex', false), set_config('lc_monetary', 'C', false), "
    "set_config('statement_timeout', '0', false), "
    "set_config('idle_in_transaction_session_timeout', '0', false), "
    "set_config('lock_timeout', '0', false), "
    /* the server's own where it is shorter; 0 is none */
    "(SELECT set_config('wal_sender_timeout', least(" TEXT_OF(
	SLOT_SENDER_TIMEOUT_MS) ", nullif("
				"setting::int, 0))::text, false) FROM pg_settings WHERE name = "
				"'wal_sender_timeout')";

enum session_state {
	SESSION_NEW,
	SESSION_CONNECTING,
	SESSION_SETTLING,
	SESSION_IDLE,
	SESSION_RUNNING,
	SESSION_COPYING,
	SESSION_BROKEN,
};

struct session {
	struct loop *loop;
	const char *url;
	bool replication;
	enum session_state state;
	PGconn *conn;
	struct watch *watch;
	uv_timer_t timer;
	struct loop_call answer;
	bool answering;
	struct session_step *step;
	PGresult *result; /* the last one of the step */
	bool reading;	  /* in copying: whether bytes are wanted */
	bool unflushed;
	void (*readable)(void *context);
	void *context;
	bool freed;
};

static void session_ready(struct session *session);

/* ---- the watched socket ---- */

static void session_unwatch(struct session *session)
{
	watch_free(session->watch);
	session->watch = NULL;
}

static void on_watched(struct watch *watch, int status, int events)
{
	(void)status; /* libpq sees a broken socket for itself */
	(void)events;
	session_ready(watch->owner);
}

static bool session_watch(struct session *session, int events)
{
	if (session->watch == NULL) {
		session->watch =
		    watch_new(session->loop, PQsocket(session->conn), session, on_watched);
	}
	return session->watch != NULL && watch_start(session->watch, events);
}

/* ---- answers ---- */

static void on_answer(struct loop_call *call)
{
	struct session *session = container_of(call, struct session, answer);
	struct session_step *step = session->step;
	PGresult *result = session->result;

	session->answering = false;
	if (session->freed) {
		PQclear(result);
		free(session);
		return;
	}
	if (step != NULL) {
		session->step = NULL;
		session->result = NULL;
		step->result = step->fault.kind == FAULT_NONE ? result : NULL;
		step->done(step);
		PQclear(result);
	}
}

static void session_answer(struct session *session)
{
	if (!session->answering) {
		session->answering = true;
		loop_defer(session->loop, &session->answer, on_answer);
	}
}

static void fault_of_break(const struct session *session, const char *why, struct fault *fault)
{
	char message[200];

	if (session->replication && pooler_refuses(why)) {
		fault_fatal(fault, "%s", POOLER_FINDING);
		return;
	}
	snprintf(message, sizeof message, "%s", why);
	message[strcspn(message, "\n")] = '\0';
	fault_retry(fault, "PostgreSQL: %s", message[0] != '\0' ? message : "the connection ended");
}

static void session_break(struct session *session)
{
	session->state = SESSION_BROKEN;
	uv_timer_stop(&session->timer);
	session_unwatch(session);
	if (session->step != NULL) {
		fault_of_break(session,
			       session->conn != NULL ? PQerrorMessage(session->conn)
						     : "out of memory",
			       &session->step->fault);
		session_answer(session);
	}
}

/* ---- connecting ---- */

static void session_flush(struct session *session)
{
	int flushed = PQflush(session->conn);

	if (flushed < 0 ||
	    !session_watch(session, flushed == 1 ? UV_READABLE | UV_WRITABLE : UV_READABLE)) {
		session_break(session);
	}
}

static void session_poll_connect(struct session *session)
{
	PostgresPollingStatusType polled;

	session_unwatch(session); /* libpq may change the socket inside PQconnectPoll */
	polled = PQconnectPoll(session->conn);
	if (polled == PGRES_POLLING_OK) {
		PQsetnonblocking(session->conn, 1);
		session->state = SESSION_SETTLING;
		if (PQsendQuery(session->conn, SETTINGS) != 1) {
			session_break(session);
			return;
		}
		session_flush(session);
	} else if (polled == PGRES_POLLING_FAILED ||
		   !session_watch(session,
				  polled == PGRES_POLLING_READING ? UV_READABLE : UV_WRITABLE)) {
		session_break(session);
	}
}

static void on_timeout(uv_timer_t *timer)
{
	session_break(container_of(timer, struct session, timer));
}

static void session_begin(struct session *session, struct session_step *step)
{
	step->fault = (struct fault){0};
	step->sqlstate[0] = '\0';
	step->result = NULL;
	session->step = step;
}

void session_connect(struct session *session, struct session_step *step)
{
	const char *const keywords[] = {"keepalives_idle",
					"keepalives_interval",
					"keepalives_count",
					"tcp_user_timeout",
					"fallback_application_name",
					"client_encoding",
					"dbname",
					"replication",
					NULL};
	const char *const values[] = {"30",
				      "10",
				      "3",
				      "60000",
				      "calrelay-producer",
				      "UTF8",
				      session->url,
				      session->replication ? "database" : "false",
				      NULL};

	session_begin(session, step);
	session->state = SESSION_CONNECTING;
	session->conn = PQconnectStartParams(keywords, values, 1);
	if (session->conn == NULL || PQstatus(session->conn) == CONNECTION_BAD ||
	    !session_watch(session, UV_WRITABLE)) {
		session_break(session);
		return;
	}
	uv_timer_start(&session->timer, on_timeout, SESSION_CONNECT_MAX_MS, 0);
}

/* ---- commands ---- */

static void fault_of_result(const struct session *session, struct session_step *step,
			    const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	text_copy(step->sqlstate, sizeof step->sqlstate, state);
	if (session->replication && pooler_misreads(step->sqlstate)) {
		fault_fatal(&step->fault, "%s", POOLER_FINDING);
		return;
	}
	fault_input(&step->fault, "PostgreSQL %s: %.200s", step->sqlstate,
		    message != NULL ? message : "no answer");
}

static bool result_is_good(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_BOTH;
}

/* All results of the step are in; the last one counts. */
static void session_finish(struct session *session)
{
	bool good = session->result != NULL && result_is_good(session->result);

	uv_timer_stop(&session->timer);
	session->state = good && PQresultStatus(session->result) == PGRES_COPY_BOTH
			     ? SESSION_COPYING
			     : SESSION_IDLE;
	if (!good) {
		fault_of_result(session, session->step, session->result);
	}
	if (session->state == SESSION_COPYING) {
		session_watch(session, session->reading ? UV_READABLE : 0);
	}
	session_answer(session);
}

static void session_take_results(struct session *session)
{
	if (PQconsumeInput(session->conn) != 1) {
		session_break(session);
		return;
	}
	while (!PQisBusy(session->conn)) {
		PGresult *result = PQgetResult(session->conn);

		if (result == NULL) {
			session_finish(session);
			return;
		}
		PQclear(session->result);
		session->result = result;
		if (PQresultStatus(result) == PGRES_COPY_BOTH) {
			session_finish(session);
			return;
		}
		if (PQstatus(session->conn) == CONNECTION_BAD) {
			session_break(session);
			return;
		}
	}
	session_flush(session);
}

static void session_ready(struct session *session)
{
	switch (session->state) {
	case SESSION_CONNECTING:
		session_poll_connect(session);
		break;
	case SESSION_SETTLING:
	case SESSION_RUNNING:
		session_take_results(session);
		break;
	case SESSION_IDLE:
		if (PQconsumeInput(session->conn) != 1) {
			session_break(session);
		}
		break;
	case SESSION_COPYING:
		if (session->unflushed && PQflush(session->conn) == 0) {
			session->unflushed = false;
			session_watch(session, session->reading ? UV_READABLE : 0);
		}
		if (session->readable != NULL) {
			session->readable(session->context);
		}
		break;
	case SESSION_NEW:
	case SESSION_BROKEN:
		break;
	}
}

static bool session_may_run(struct session *session, struct session_step *step)
{
	session_begin(session, step);
	if (session->state == SESSION_IDLE) {
		return true;
	}
	fault_retry(&step->fault, "PostgreSQL: the connection is gone");
	session_answer(session);
	return false;
}

static void session_sent(struct session *session, int sent)
{
	session->state = SESSION_RUNNING;
	if (sent != 1) {
		session_break(session);
		return;
	}
	session_flush(session);
}

void session_command(struct session *session, struct session_step *step, const char *sql)
{
	if (session_may_run(session, step)) {
		session_sent(session, PQsendQuery(session->conn, sql));
	}
}

void session_query(struct session *session, struct session_step *step, const char *sql,
		   const char *const *params, int count)
{
	if (session_may_run(session, step)) {
		session_sent(session, PQsendQueryParams(session->conn, sql, count, NULL, params,
							NULL, NULL, 0));
	}
}

/* ---- copying ---- */

void session_on_readable(struct session *session, void (*readable)(void *context), void *context)
{
	session->readable = readable;
	session->context = context;
}

static void session_watch_copy(struct session *session)
{
	int events = (session->reading ? UV_READABLE : 0) | (session->unflushed ? UV_WRITABLE : 0);

	if (session->state == SESSION_COPYING) {
		session_watch(session, events);
	}
}

void session_read(struct session *session, bool wanted)
{
	if (session->reading != wanted) {
		session->reading = wanted;
		session_watch_copy(session);
	}
}

static int copy_ended(struct session *session, struct fault *fault)
{
	PGresult *result = PQgetResult(session->conn);
	char message[200];

	snprintf(message, sizeof message, "%s",
		 result != NULL ? PQresultErrorMessage(result) : PQerrorMessage(session->conn));
	message[strcspn(message, "\n")] = '\0';
	PQclear(result);
	fault_retry(fault, "the replication stream ended: %s",
		    message[0] != '\0' ? message : "the server closed it");
	return -1;
}

static bool copy_broke(const struct session *session, struct fault *fault)
{
	const char *why = PQerrorMessage(session->conn);

	return fault_retry(fault, "the replication connection broke: %.*s", (int)strcspn(why, "\n"),
			   why);
}

int session_frame(struct session *session, char **frame, struct fault *fault)
{
	int length = PQgetCopyData(session->conn, frame, 1);

	if (length == 0) {
		if (PQconsumeInput(session->conn) != 1) {
			copy_broke(session, fault);
			return -1;
		}
		length = PQgetCopyData(session->conn, frame, 1);
	}
	return length >= 0 ? length : copy_ended(session, fault);
}

static bool copy_flush(struct session *session, struct fault *fault)
{
	int flushed = PQflush(session->conn);

	if (flushed < 0) {
		return copy_broke(session, fault);
	}
	session->unflushed = flushed == 1;
	session_watch_copy(session);
	return true;
}

bool session_put(struct session *session, const char *bytes, int length, struct fault *fault)
{
	if (PQputCopyData(session->conn, bytes, length) < 0) {
		return copy_broke(session, fault);
	}
	return copy_flush(session, fault);
}

/* ---- life ---- */

struct session *session_new(struct loop *loop, const char *url, bool replication)
{
	struct session *session = calloc(1, sizeof *session);

	if (session == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	session->loop = loop;
	session->url = url;
	session->replication = replication;
	uv_timer_init(&loop->uv, &session->timer);
	return session;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct session *session = container_of((uv_timer_t *)(void *)handle, struct session, timer);

	session->freed = true;
	if (!session->answering) {
		PQclear(session->result);
		free(session);
	}
}

void session_free(struct session *session)
{
	if (session == NULL) {
		return;
	}
	session_unwatch(session);
	PQfinish(session->conn);
	session->conn = NULL;
	session->state = SESSION_BROKEN;
	session->step = NULL;
	uv_close((uv_handle_t *)&session->timer, on_timer_closed);
}
