/* due.c - polls for sync requests that are due; the request topic only makes it faster. */
#include "worker/due.h"

#include <string.h>

#include "common/log.h"
#include "worker/worker.h"

#define DUE_POLL_TICKS	2
#define DUE_COUNT_TICKS 10

static const char DUE_SQL[] =
    "SELECT DISTINCT user_id FROM public.calendar_sync_requests"
    " WHERE state IN ('requested', 'running') AND (due_at IS NULL OR due_at <= now())"
    " LIMIT 20000";

static const char PARKED_SQL[] =
    "SELECT user_id, CASE WHEN status = 'needs_reconnect' THEN 'needs_reconnect'"
    "     ELSE coalesce(status_reason, 'throttled') END"
    "  FROM public.calendar_connections"
    " WHERE status = 'needs_reconnect' OR (status = 'active' AND not_before > now())"
    " LIMIT 100000";

void due_init(struct due *due, struct worker *worker)
{
	*due = (struct due){.worker = worker};
}

static void due_wake(struct worker *worker, const char *user_text)
{
	struct part *part = intake_part_of(&worker->intake, user_text);
	struct uuid user;
	struct lane *lane;

	if (part == NULL || !uuid_parse(user_text, &user)) {
		return;
	}
	lane = lanes_get(&worker->lanes, &user, part);
	if (lane == NULL || lane->run != NULL) {
		return; /* a run that is under way may be serving it; the next poll will tell */
	}
	lane->wants_sync = true;
	lanes_make_ready(&worker->lanes, lane);
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
	for (int i = 0; i < PQntuples(request->result); i++) {
		due_wake(due->worker, pg_text(request->result, i, 0));
	}
	worker_dispatch(due->worker);
}

static void on_parked(struct pg_request *request)
{
	struct due *due = container_of(request, struct due, parked);
	struct metric *parked = due->worker->stats.parked_users;

	due->is_counting = false;
	if (request->fault.kind != FAULT_NONE) {
		return; /* the gauge keeps what was last known; the log has the connection's trouble
			 */
	}
	metric_clear(parked);
	for (int i = 0; i < PQntuples(request->result); i++) {
		if (intake_part_of(&due->worker->intake, pg_text(request->result, i, 0)) != NULL) {
			STATS_COUNT(parked, pg_text(request->result, i, 1));
		}
	}
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
	if (due->ticks % DUE_COUNT_TICKS == 1 && !due->is_counting) {
		due->is_counting = true;
		due->parked.sql = PARKED_SQL;
		due->parked.done = on_parked;
		pg_send(due->worker->pg, &due->parked);
	}
}
