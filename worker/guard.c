/* guard.c - asks PostgreSQL where we are, arms what may be armed, holds what may not. */
#include "worker/guard.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/text.h"
#include "worker/worker.h"

#define GUARD_HELD_MS 3000 /* so soon is it noticed that somebody has armed the database */

const char GUARD_VIEW_SQL[] =
    "SELECT h.system_identifier, h.timeline, h.database,"
    "  a.system_identifier, a.timeline, a.database, a.kafka_cluster,"
    "  (SELECT count(*) FROM jsonb_to_recordset($4::jsonb)"
    "      AS i(topic text, partition int, committed bigint)"
    "    LEFT JOIN public.calrelay_partition_progress p"
    "      ON p.consumer_group = $5 AND p.topic = i.topic AND p.partition = i.partition"
    "    WHERE i.committed > coalesce(p.done_offset, 0)), " GUARD_HIDDEN " FROM " GUARD_HERE
    " h LEFT JOIN public.calrelay_armed a ON true";

const char GUARD_ARM_SQL[] =
    "INSERT INTO public.calrelay_armed AS a"
    "    (system_identifier, timeline, database, kafka_cluster)"
    "  VALUES ($1, $2::integer, $3::bigint, $4)"
    "  ON CONFLICT (only_row) DO UPDATE SET timeline = excluded.timeline, armed_at = now(),"
    "    armed_by = session_user"
    "  WHERE a.system_identifier = excluded.system_identifier AND a.database = excluded.database"
    "    AND a.kafka_cluster = excluded.kafka_cluster AND a.timeline < excluded.timeline";

enum {
	VIEW_SYSTEM,
	VIEW_TIMELINE,
	VIEW_DATABASE,
	VIEW_ROW_SYSTEM,
	VIEW_ROW_TIMELINE,
	VIEW_ROW_DATABASE,
	VIEW_ROW_KAFKA,
	VIEW_BEHIND,
	VIEW_HIDDEN
};

void guard_write_view(const char *params[], const struct hostmap *map,
		      const struct cluster *cluster, const char *group)
{
	params[0] = map->schema;
	params[1] = map->assignments.table;
	params[2] = map->projects.table;
	params[3] = cluster->committed;
	params[4] = group;
}

bool guard_read_view(const PGresult *result, struct armed_view *view)
{
	*view = (struct armed_view){0};
	if (PQntuples(result) != 1) {
		return false;
	}
	text_copy(view->here.system, sizeof view->here.system, pg_text(result, 0, VIEW_SYSTEM));
	view->here.timeline = (int32_t)pg_integer(result, 0, VIEW_TIMELINE, 0);
	view->here.database = pg_integer(result, 0, VIEW_DATABASE, 0);
	view->has_row = pg_text(result, 0, VIEW_ROW_SYSTEM) != NULL;
	text_copy(view->row.system, sizeof view->row.system, pg_text(result, 0, VIEW_ROW_SYSTEM));
	view->row.timeline = (int32_t)pg_integer(result, 0, VIEW_ROW_TIMELINE, 0);
	view->row.database = pg_integer(result, 0, VIEW_ROW_DATABASE, 0);
	text_copy(view->row.kafka, sizeof view->row.kafka, pg_text(result, 0, VIEW_ROW_KAFKA));
	view->behind = pg_integer(result, 0, VIEW_BEHIND, 0);
	text_copy(view->hidden, sizeof view->hidden, pg_text(result, 0, VIEW_HIDDEN));
	return true;
}

void guard_write_place(struct guard_place *text, const struct armed_place *place)
{
	snprintf(text->timeline, sizeof text->timeline, "%" PRId32, place->timeline);
	snprintf(text->database, sizeof text->database, "%" PRId64, place->database);
	text->params[0] = place->system;
	text->params[1] = text->timeline;
	text->params[2] = text->database;
	text->params[3] = place->kafka;
}

/* ---- verdicts ---- */

/* An assignment waits for the verdict, and what Kafka has was looked up for it. */
static bool guard_is_awaited(const struct intake *intake)
{
	return intake->state == INTAKE_LOOKING && !intake->is_looking && intake->lookup_ok;
}

static void guard_pass(struct intake *intake)
{
	struct guard *guard = &intake->guard;

	if (guard->is_held) {
		log_info("this database is armed: calendars are written again");
	}
	guard->is_armed = true;
	guard->is_held = false;
	if (guard_is_awaited(intake)) {
		intake->state = INTAKE_CLAIMING;
		claim_send(intake);
	}
}

static void guard_hold(struct intake *intake, const char *reason)
{
	struct guard *guard = &intake->guard;

	if (!guard->is_held || strcmp(guard->reason, reason) != 0) {
		log_error("calendars are held: nothing is read and nobody is called. If this "
			  "database is the one that keeps the real calendars, run calrelay-worker "
			  "arm",
			  LOG_TEXT("why", reason));
	}
	guard->is_held = true;
	text_copy(guard->reason, sizeof guard->reason, reason);
	intake->claim_again_ms = clock_mono_ms() + GUARD_HELD_MS;
}

static void guard_refuse(struct intake *intake, const char *table)
{
	struct fault why;

	fault_fatal(&why, GUARD_HIDDEN_FINDING, table, table);
	log_error("stopping", LOG_TEXT("reason", why.what));
	intake->worker->status = 1;
	intake_stop(intake);
	intake_forget(intake);
}

static void guard_failed(struct intake *intake, const char *what, const char *why)
{
	log_warn(what, LOG_TEXT("error", why));
	if (guard_is_awaited(intake)) {
		intake->claim_again_ms = clock_mono_ms() + INTAKE_AGAIN_MS;
	}
}

/* The request was answered.  false: another answer is needed by now, and asked for. */
static bool guard_take_answer(struct intake *intake)
{
	struct guard *guard = &intake->guard;

	guard->is_asking = false;
	if (guard->must_ask && !intake->is_stopping) {
		guard->must_ask = false;
		guard_ask(intake);
		return false;
	}
	return !intake->is_stopping;
}

/* ---- arming ---- */

static void on_armed(struct pg_request *request)
{
	struct intake *intake = container_of(request, struct intake, guard.request);

	if (!guard_take_answer(intake)) {
		return;
	}
	if (request->fault.kind != FAULT_NONE) {
		guard_failed(intake, "can't arm this database: trying again", request->fault.what);
	} else if (guard_is_awaited(intake)) {
		guard_ask(intake); /* another worker may have been faster, and elsewhere */
	}
}

static void guard_arm(struct intake *intake, const struct armed_view *view)
{
	struct guard *guard = &intake->guard;
	struct guard_place text;

	if (view->has_row) {
		log_warn("the server was failed over and lost nothing: armed again",
			 LOG_NUMBER("old_timeline", view->row.timeline),
			 LOG_NUMBER("timeline", view->here.timeline));
	} else {
		log_info("this database is new: armed",
			 LOG_TEXT("system_identifier", view->here.system),
			 LOG_TEXT("kafka_cluster", view->here.kafka));
	}
	guard_write_place(&text, &view->here);
	guard->is_asking = true;
	guard->request.sql = GUARD_ARM_SQL;
	memcpy(guard->request.params, text.params, sizeof text.params);
	guard->request.param_count = 4;
	guard->request.done = on_armed;
	pg_send(intake->worker->pg, &guard->request);
}

/* ---- asking ---- */

static void on_viewed(struct pg_request *request)
{
	struct intake *intake = container_of(request, struct intake, guard.request);
	char reason[ARMED_REASON_SIZE];
	struct armed_view view;
	enum armed armed;

	if (!guard_take_answer(intake)) {
		return;
	}
	if (request->fault.kind != FAULT_NONE) {
		guard_failed(intake, "can't see whether this database is armed: trying again",
			     request->fault.what);
		return;
	}
	if (!guard_read_view(request->result, &view)) {
		guard_failed(intake, "can't see whether this database is armed: trying again",
			     "no single row");
		return;
	}
	if (view.hidden[0] != '\0') {
		guard_refuse(intake, view.hidden);
		return;
	}
	text_copy(view.here.kafka, sizeof view.here.kafka, intake->guard.cluster.id);
	armed = armed_decide(&view, reason);
	if (armed == ARMED_YES) {
		guard_pass(intake);
	} else if (!guard_is_awaited(intake)) {
		intake->must_restart = true; /* with Kafka's offsets as they are now */
	} else if (armed == ARMED_HELD) {
		guard_hold(intake, reason);
	} else {
		guard_arm(intake, &view);
	}
}

void guard_ask(struct intake *intake)
{
	struct guard *guard = &intake->guard;

	guard->is_armed = false;
	if (intake->is_looking) {
		return; /* the thread writes what we would ask with, and we are asked behind it */
	}
	if (guard->is_asking) {
		guard->must_ask = true;
		return;
	}
	guard->is_asking = true;
	guard->request.sql = GUARD_VIEW_SQL;
	guard_write_view(guard->request.params, &intake->worker->map, &guard->cluster,
			 intake->worker->config.group);
	guard->request.param_count = GUARD_VIEW_PARAMS;
	guard->request.done = on_viewed;
	pg_send(intake->worker->pg, &guard->request);
}

void guard_tick(struct intake *intake)
{
	const struct guard *guard = &intake->guard;

	bool is_served = intake->state == INTAKE_RUNNING || intake->state == INTAKE_DRAINING;

	if (is_served && intake->part_count > 0 && !guard->is_armed && !guard->is_asking &&
	    !intake->must_restart) {
		guard_ask(intake);
	}
}

void guard_doubt(struct intake *intake)
{
	if (intake->guard.is_armed && intake->part_count > 0) {
		guard_ask(intake);
	}
}
