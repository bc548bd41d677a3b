/* due.c - polls for what is due; for sync requests, their topic only makes it faster. */
#include "worker/due.h"

#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/lag.h"
#include "worker/worker.h"

#define DUE_POLL_TICKS	2
#define DUE_COUNT_TICKS 5
/* A few at a time: nobody waits for these, and there are two months for all of them. */
#define DUE_IDLE_TICKS 10
#define DUE_IDLE_MOST  5

/* Ages are in ms; the oldest first, so that no ceiling hides it. */
static const char DUE_SQL[] =
    "SELECT user_id,"
    "   (extract(epoch FROM now() - min(greatest(created_at, due_at))) * 1000)::bigint"
    "  FROM public.calendar_sync_requests"
    " WHERE state IN ('requested', 'running') AND (due_at IS NULL OR due_at <= now())"
    " GROUP BY user_id ORDER BY 2 DESC LIMIT 20000";

/* Who waits for time is late; who has to act is told so, and counted. */
static const char PARKED_SQL[] =
    "SELECT user_id, CASE WHEN status = 'needs_reconnect' THEN 'needs_reconnect'"
    "     WHEN not_before > now() THEN coalesce(status_reason, 'throttled') END,"
    "   CASE WHEN status = 'active'"
    "     THEN (extract(epoch FROM now() - behind_since) * 1000)::bigint END"
    "  FROM public.calendar_connections"
    " WHERE status = 'needs_reconnect'"
    "    OR (status = 'active' AND (not_before > now() OR behind_since IS NOT NULL))"
    " ORDER BY 3 DESC NULLS LAST LIMIT 100000";

static const char IDLE_SQL[] =
    "SELECT user_id FROM public.calendar_connections"
    " WHERE status = 'active' AND (not_before IS NULL OR not_before <= now()) AND " STORE_IDLE
    " ORDER BY refreshed_at LIMIT 20000";

void due_init(struct due *due, struct worker *worker)
{
	*due = (struct due){.worker = worker};
}

/* Whose lane has something to do now; NULL: another worker's, or a run is under way, which may be
 * doing it: the next poll will tell. */
static struct lane *due_lane(struct worker *worker, const char *user_text)
{
	struct part *part = intake_part_of(&worker->intake, user_text);
	struct uuid user;
	struct lane *lane;

	if (part == NULL || !uuid_parse(user_text, &user)) {
		return NULL;
	}
	lane = lanes_get(&worker->lanes, &user, part);
	return lane != NULL && lane->run == NULL ? lane : NULL;
}

/* age_ms as PostgreSQL counts: its clock and ours may be hours apart. */
static void due_note(int64_t *since_ms, const struct pg_request *request, int row, int column)
{
	int64_t age_ms = pg_integer(request->result, row, column, -1);

	if (age_ms >= 0) {
		*since_ms = lag_earlier(*since_ms, clock_wall_ms() - age_ms);
	}
}

static void on_requests(struct pg_request *request)
{
	struct due *due = container_of(request, struct due, requests);

	due->is_asking = false;
	if (request->fault.kind != FAULT_NONE) {
		log_warn("can't look for due sync requests",
			 LOG_TEXT("error", request->fault.what));
		return;
	}
	due->asked_ms = 0;
	for (int i = 0; i < PQntuples(request->result); i++) {
		const char *user = pg_text(request->result, i, 0);
		struct lane *lane = due_lane(due->worker, user);

		if (intake_owns(&due->worker->intake, user)) {
			due_note(&due->asked_ms, request, i, 1);
		}
		if (lane != NULL) {
			lane->wants_sync = true;
			lanes_make_ready(&due->worker->lanes, lane);
		}
	}
	worker_dispatch(due->worker);
}

/* A run without anything to do is what uses an idle token: see load.c. */
static void on_idle(struct pg_request *request)
{
	struct due *due = container_of(request, struct due, idle);
	int woken = 0;

	due->is_touching = false;
	if (request->fault.kind != FAULT_NONE) {
		return; /* there is time; the log has the connection's trouble */
	}
	for (int i = 0; i < PQntuples(request->result) && woken < DUE_IDLE_MOST; i++) {
		struct lane *lane = due_lane(due->worker, pg_text(request->result, i, 0));

		if (lane != NULL) {
			lanes_make_ready(&due->worker->lanes, lane);
			woken++;
		}
	}
	worker_dispatch(due->worker);
}

static void on_parked(struct pg_request *request)
{
	struct due *due = container_of(request, struct due, parked);
	struct stats *stats = &due->worker->stats;

	due->is_counting = false;
	if (request->fault.kind != FAULT_NONE) {
		return; /* what was last known stays; the log has the connection's trouble */
	}
	stats_count_parked_anew(stats);
	due->parked_ms = 0;
	for (int i = 0; i < PQntuples(request->result); i++) {
		const char *reason = pg_text(request->result, i, 1);

		if (!intake_owns(&due->worker->intake, pg_text(request->result, i, 0))) {
			continue;
		}
		if (reason != NULL) {
			stats_count_parked(stats, reason);
		}
		due_note(&due->parked_ms, request, i, 2);
	}
}

void due_forget(struct due *due)
{
	due->asked_ms = 0;
	due->parked_ms = 0;
}

int64_t due_late(const struct due *due)
{
	return lag_earlier(due->asked_ms, due->parked_ms);
}

void due_tick(struct due *due)
{
	due->ticks++;
	if (due->worker->intake.part_count == 0 || due->worker->is_stopping) {
		return;
	}
	if (due->ticks % DUE_POLL_TICKS == 0 && !due->is_asking) {
		due->is_asking = true;
		due->requests.sql = DUE_SQL;
		due->requests.done = on_requests;
		pg_send(due->worker->pg, &due->requests);
	}
	if (due->ticks % DUE_IDLE_TICKS == 3 && !due->is_touching && !due->worker->login.is_open) {
		due->is_touching = true;
		due->idle.sql = IDLE_SQL;
		due->idle.done = on_idle;
		pg_send(due->worker->pg, &due->idle);
	}
	if (due->ticks % DUE_COUNT_TICKS == 1 && !due->is_counting) {
		due->is_counting = true;
		due->parked.sql = PARKED_SQL;
		due->parked.done = on_parked;
		pg_send(due->worker->pg, &due->parked);
	}
}
