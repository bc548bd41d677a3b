/* store_run.c - the statements that one run sends for itself. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "worker/run.h"
#include "worker/store.h"
#include "worker/store_sql.h"
#include "worker/worker.h"

static const char LEASE_SQL[] =
    "UPDATE public.calendar_connections"
    "   SET refresh_lease_until = now() + interval '40 seconds', refresh_lease_by = $3"
    " WHERE id = $1::uuid AND token_version = $2::bigint"
    "   AND (refresh_lease_until IS NULL OR refresh_lease_until < now() OR refresh_lease_by = $3)"
    " RETURNING id";

static const char RENEW_SQL[] =
    "UPDATE public.calendar_connections"
    "   SET access_token = $3, refresh_token = coalesce($4, refresh_token),"
    "       token_expires_at = now() + $5::bigint * interval '1 second', updated_at = now(),"
    "       refreshed_at = now(),"
    "       token_version = token_version + 1, refresh_lease_until = NULL, refresh_lease_by = NULL"
    " WHERE id = $1::uuid AND token_version = $2::bigint"
    " RETURNING token_version";

static const char PROGRESS_SQL[] =
    "UPDATE public.calendar_sync_requests"
    "   SET state = 'running', total = $2::int, done = $3::int, failed = $4::int"
    " WHERE id = ANY ($1::uuid[]) AND state IN ('requested', 'running')";

static const char ROWS_SQL[] =
    "SELECT (SELECT json_agg(" STORE_ROW ") FROM public.synced_calendar_events e"
    "   WHERE e.connection_id = c.id AND e.assignment_id = ANY ($2::uuid[]))"
    " FROM public.calendar_connections c WHERE c.id = $1::uuid";

/* $1 requests, $2 total, $3 done, $4 failed, $5 error, $6 connection, $7 what the tables' read saw
 * ('' where the mailbox was not compared, 'none' where it was with the log), $8 whether the
 * connection goes.  A comparison that stopped before mass deletion has adopted what is there all
 * the same.  For rows that are dirty still, somebody comes back: behind the quarantine, or, where
 * that is over already, as soon as a request that began now can't land any more ($9 s).
 * Fenced, as rows are ($10 group, $11 topic, $12 partition, $13 epoch): what a former owner has
 * read would make the new one's records look old.  One row: whether the partition is still ours. */
static const char FINISH_SQL[] =
    "WITH held AS MATERIALIZED (SELECT FROM public.calrelay_partition_owner"
    "   WHERE consumer_group = $10 AND topic = $11 AND partition = $12::int"
    "     AND epoch = $13::bigint FOR SHARE), "
    "gone AS (DELETE FROM public.calendar_connections"
    "   WHERE id = $6::uuid AND status = 'disconnecting' AND $8::boolean"
    "     AND EXISTS (SELECT FROM held)), "
    "kept AS (UPDATE public.calendar_connections SET last_synced_at = now(), status_reason = NULL,"
    "     not_before = NULL, behind_since = NULL, adopted_at = coalesce(adopted_at, now()),"
    "     synced_snapshot = CASE $7::text WHEN '' THEN synced_snapshot WHEN 'none' THEN NULL"
    "       ELSE $7::text END"
    "   WHERE id = $6::uuid AND NOT $8::boolean AND ($5::text IS NULL OR $7::text <> '')"
    "     AND EXISTS (SELECT FROM held)), "
    "again AS (INSERT INTO public.calendar_sync_requests (user_id, kind, due_at)"
    "  SELECT c.user_id, 'full', greatest(max(e.due_at), now() + $9::int * interval '1 second')"
    "    FROM public.synced_calendar_events e"
    "    JOIN public.calendar_connections c ON c.id = e.connection_id"
    "   WHERE e.connection_id = $6::uuid AND NOT $8::boolean AND e.dirty"
    "     AND EXISTS (SELECT FROM held)"
    "     AND NOT EXISTS (SELECT FROM public.calendar_sync_requests q"
    "       WHERE q.user_id = c.user_id AND q.kind = 'full' AND q.state = 'requested'"
    "         AND q.due_at > now() AND q.due_at >= e.due_at)"
    "   GROUP BY c.user_id), "
    "ended AS (UPDATE public.calendar_sync_requests"
    "   SET state = CASE WHEN $5::text IS NULL OR $8::boolean THEN 'done' ELSE 'failed' END,"
    "       total = $2::int, done = $3::int, failed = $4::int, error = $5, finished_at = now()"
    "   WHERE id = ANY ($1::uuid[]) AND state IN ('requested', 'running')"
    "     AND EXISTS (SELECT FROM held)) "
    "SELECT EXISTS (SELECT FROM held)";

/* $1 connection, $2 token_version, $3 reason, $4 until (ms from now), $5 whether a person has to
 * act, $6 requests under way, $7 age of the oldest change that waits (ms).  A request is filed for
 * the time when waiting ends, unless one is due by then.  Who has to wait that long already (a
 * distance from now is not exact) keeps the reason. No row: the connection is gone, or has other
 * tokens than those that were refused. */
static const char PARK_SQL[] =
    "WITH until AS (SELECT now() + $4::bigint * interval '1 millisecond' AS at), "
    "c AS (UPDATE public.calendar_connections"
    "     SET status = CASE WHEN $5::boolean AND status = 'active' THEN 'needs_reconnect'"
    "           ELSE status END,"
    "         status_reason = CASE WHEN NOT $5::boolean"
    "             AND not_before >= until.at - interval '1 second'"
    "           THEN coalesce(status_reason, $3) ELSE $3 END,"
    "         not_before = CASE WHEN $5::boolean THEN not_before"
    "           ELSE greatest(not_before, until.at) END,"
    "         behind_since = CASE WHEN $5::boolean THEN behind_since"
    "           ELSE least(behind_since, now() - $7::bigint * interval '1 millisecond',"
    "             (SELECT min(greatest(created_at, due_at)) FROM public.calendar_sync_requests"
    "               WHERE id = ANY ($6::uuid[]))) END,"
    "         refresh_lease_until = NULL, refresh_lease_by = NULL"
    "   FROM until WHERE id = $1::uuid AND (token_version = $2::bigint OR NOT $5::boolean)"
    "   RETURNING user_id), "
    "held AS (UPDATE public.calendar_sync_requests"
    "     SET state = CASE WHEN $5::boolean THEN 'failed' ELSE 'requested' END,"
    "         error = CASE WHEN $5::boolean THEN $3 END,"
    "         finished_at = CASE WHEN $5::boolean THEN now() END,"
    "         due_at = CASE WHEN $5::boolean THEN due_at ELSE until.at END"
    "   FROM until WHERE id = ANY ($6::uuid[]) AND state IN ('requested', 'running')"
    "     AND EXISTS (SELECT FROM c) RETURNING id), "
    "filed AS (INSERT INTO public.calendar_sync_requests (user_id, kind, due_at)"
    " SELECT c.user_id, 'full', until.at FROM c, until"
    "  WHERE NOT $5::boolean AND NOT EXISTS (SELECT FROM held)"
    "    AND NOT EXISTS (SELECT FROM public.calendar_sync_requests q"
    "      WHERE q.user_id = c.user_id AND q.kind = 'full' AND q.state = 'requested'"
    "        AND (q.due_at IS NULL OR q.due_at <= until.at + interval '1 second'))) "
    "SELECT user_id FROM c";

static void on_run_done(struct pg_request *request)
{
	struct run *run = container_of(request, struct run, pg);

	run->fault = request->fault;
	run_resume(run);
}

static void run_send(struct run *run, const char *sql, int param_count)
{
	run->pg.sql = sql;
	run->pg.param_count = param_count;
	run->pg.done = on_run_done;
	pg_send(run->worker->pg, &run->pg);
}

static struct change *read_change(const PGresult *result, int i)
{
	const struct assignment assignment = {
	    .client_name = pg_text(result, i, 2),
	    .status = pg_text(result, i, 3),
	    .notes = pg_text(result, i, 4),
	    .project_notes = pg_text(result, i, 5),
	    .start_day = (int32_t)pg_integer(result, i, 6, CHANGE_NO_DAY),
	    .end_day = (int32_t)pg_integer(result, i, 7, CHANGE_NO_DAY),
	};
	struct change *change = change_new(&assignment);

	if (change != NULL && !uuid_parse(pg_text(result, i, 1), &change->id)) {
		free(change);
		return NULL;
	}
	return change;
}

static bool read_all(struct run *run, const PGresult *result)
{
	int count = PQntuples(result);

	run->read_snapshot = strdup(pg_text(result, 0, 0));
	run->wanted = calloc((size_t)count, sizeof(struct change *));
	if (run->read_snapshot == NULL || run->wanted == NULL) {
		return false;
	}
	for (int i = 0; i < count; i++) {
		struct change *change;

		if (pg_text(result, i, 1) == NULL) {
			continue; /* the user has no assignment at all */
		}
		change = read_change(result, i);
		if (change == NULL) {
			return false;
		}
		change->user = run->lane->user;
		run->wanted[run->wanted_count++] = change;
	}
	return true;
}

static void on_read_done(struct pg_request *request)
{
	struct run *run = container_of(request, struct run, pg);

	run->fault = request->fault;
	if (run->fault.kind == FAULT_NONE && !read_all(run, request->result)) {
		fault_retry(&run->fault, "the host's tables can't be read whole");
	}
	run_resume(run);
}

void store_read(struct run *run)
{
	run->pg.params[0] = run->lane->user_text;
	run_send(run, run->worker->store.read_sql, 1);
	run->pg.done = on_read_done;
}

/* The listing, where there is one, is older than these reads: what may be settled by now is not
 * settled by it. */
static void rows_keep_doubt(struct run *run)
{
	for (int i = 0; i < run->wrote_count; i++) {
		struct row *row = run_row(run, &run->wrote[i]->assignment);

		if (row != NULL) {
			row->is_settleable = false;
		}
	}
}

/* A row that is not there any more is none. */
static void on_rows_done(struct pg_request *request)
{
	struct run *run = container_of(request, struct run, pg);

	run->fault = request->fault;
	if (run->fault.kind == FAULT_NONE) {
		for (int i = 0; i < run->wrote_count; i++) {
			run_drop_row(run, &run->wrote[i]->assignment);
		}
		run->connection.exists = PQntuples(request->result) == 1;
		if (run->connection.exists) {
			store_take_rows(run, pg_text(request->result, 0, 0));
			rows_keep_doubt(run);
		}
	}
	run_resume(run);
}

void store_rows(struct run *run)
{
	struct buf ids;

	buf_init(&ids, (size_t)RUN_RECORDS_MAX * (UUID_TEXT_SIZE + 1));
	buf_char(&ids, '{');
	for (int i = 0; i < run->wrote_count; i++) {
		char text[UUID_TEXT_SIZE];

		uuid_format(&run->wrote[i]->assignment, text);
		buf_format(&ids, "%s%s", i > 0 ? "," : "", text);
	}
	buf_char(&ids, '}');
	run->pg.params[0] = run->connection.id_text;
	run->pg.params[1] = buf_string(&ids);
	run_send(run, ROWS_SQL, 2);
	run->pg.done = on_rows_done;
	buf_close(&ids);
}

/* Says in the fault what a lease, a renewal or a park that touched no row means. */
static void on_one_row_done(struct pg_request *request)
{
	struct run *run = container_of(request, struct run, pg);

	run->fault = request->fault;
	if (run->fault.kind == FAULT_NONE && PQntuples(request->result) != 1) {
		fault_auth(&run->fault,
			   "another one holds or has changed this connection's tokens");
	}
	run_resume(run);
}

static const char *number_text(struct buf *out, int64_t number)
{
	size_t start = out->length;

	buf_format(out, "%" PRId64, number);
	buf_add(out, "", 1); /* keeps the text's own end inside the buffer */
	return out->failed ? "" : out->data + start;
}

void store_lease(struct run *run)
{
	struct buf numbers;

	buf_init(&numbers, 64);
	run->pg.params[0] = run->connection.id_text;
	run->pg.params[1] = number_text(&numbers, run->connection.token_version);
	run->pg.params[2] = run->worker->intake.member;
	run_send(run, LEASE_SQL, 3);
	run->pg.done = on_one_row_done;
	buf_close(&numbers);
}

void store_renew(struct run *run, const char *access_sealed, const char *refresh_sealed,
		 int64_t expires_in_s)
{
	struct buf version;
	struct buf seconds;

	buf_init(&version, 64);
	buf_init(&seconds, 64);
	run->pg.params[0] = run->connection.id_text;
	run->pg.params[1] = number_text(&version, run->connection.token_version);
	run->pg.params[2] = access_sealed;
	run->pg.params[3] = refresh_sealed;
	run->pg.params[4] = number_text(&seconds, expires_in_s);
	run_send(run, RENEW_SQL, 5);
	run->pg.done = on_one_row_done;
	buf_close(&version);
	buf_close(&seconds);
}

/* {id,id}: the array text of the requests that this run serves. */
static void write_requests(struct buf *out, const struct run *run)
{
	buf_char(out, '{');
	for (int i = 0; i < run->request_count; i++) {
		buf_format(out, "%s%s", i > 0 ? "," : "", run->request_ids[i]);
	}
	buf_char(out, '}');
}

struct counts {
	struct buf total;
	struct buf done;
	struct buf failed;
	struct buf requests;
};

/* A sync counts assignments, a removal marked events, a disconnect that keeps them those it keeps.
 */
static void counts_make(struct counts *counts, const struct run *run, bool is_end)
{
	size_t total = run->left_count + run->kept_count;
	size_t open = run->left_count;
	size_t failed = run->left_count;

	for (size_t i = 0; i < run->task_count; i++) {
		const struct task *task = &run->tasks[i];

		if (!task->is_extra) {
			total++;
			open += task->stage < TASK_STORED || task->end == OP_REJECTED;
			failed += task->end == OP_REJECTED;
		}
	}
	if (is_end && run->mode == RUN_REMOVE) {
		failed = open; /* what a removal had to leave is what remains */
	}
	buf_init(&counts->total, 32);
	buf_init(&counts->done, 32);
	buf_init(&counts->failed, 32);
	buf_init(&counts->requests, 1024);
	buf_format(&counts->total, "%zu", total);
	buf_format(&counts->done, "%zu", total - open);
	buf_format(&counts->failed, "%zu", failed);
	write_requests(&counts->requests, run);
}

static void counts_close(struct counts *counts)
{
	buf_close(&counts->total);
	buf_close(&counts->done);
	buf_close(&counts->failed);
	buf_close(&counts->requests);
}

static void run_set_counts(struct run *run, const struct counts *counts)
{
	run->pg.params[0] = buf_string(&counts->requests);
	run->pg.params[1] = buf_string(&counts->total);
	run->pg.params[2] = buf_string(&counts->done);
	run->pg.params[3] = buf_string(&counts->failed);
}

void store_progress(struct run *run)
{
	struct counts counts;

	counts_make(&counts, run, false);
	run_set_counts(run, &counts);
	run_send(run, PROGRESS_SQL, 4);
	counts_close(&counts);
}

static void on_finish_done(struct pg_request *request)
{
	struct run *run = container_of(request, struct run, pg);

	run->fault = request->fault;
	if (run->fault.kind == FAULT_NONE && strcmp(pg_text(request->result, 0, 0), "t") != 0) {
		run->is_fenced = true;
	}
	run_resume(run);
}

void store_finish(struct run *run)
{
	bool goes = run->mode == RUN_REMOVE;
	struct counts counts;
	struct buf quarantine;
	struct buf partition;
	struct buf epoch;

	buf_init(&quarantine, 64);
	buf_init(&partition, 64);
	buf_init(&epoch, 64);
	counts_make(&counts, run, true);
	run_set_counts(run, &counts);
	run->pg.params[4] = run->error[0] != '\0' ? run->error : NULL;
	run->pg.params[5] = run->connection.exists ? run->connection.id_text : NULL;
	run->pg.params[6] = run->read_snapshot != NULL ? run->read_snapshot : "";
	if (run->mode == RUN_REPLAY) {
		run->pg.params[6] = "none";
	}
	run->pg.params[7] = goes ? "true" : "false";
	run->pg.params[8] = number_text(&quarantine, run->worker->config.quarantine_s);
	run->pg.params[9] = run->worker->config.group;
	run->pg.params[10] = run->worker->intake.topics[0];
	run->pg.params[11] = number_text(&partition, run->part->partition);
	run->pg.params[12] = number_text(&epoch, run->epoch);
	run_send(run, FINISH_SQL, 13);
	run->pg.done = on_finish_done;
	counts_close(&counts);
	buf_close(&quarantine);
	buf_close(&partition);
	buf_close(&epoch);
}

void store_park(struct run *run)
{
	struct buf version;
	struct buf until;
	struct buf requests;
	struct buf age;
	int64_t now_ms = clock_wall_ms();
	int64_t since_ms = run_waits_since(run);

	buf_init(&version, 64);
	buf_init(&until, 64);
	buf_init(&requests, 1024);
	buf_init(&age, 64);
	write_requests(&requests, run);
	run->pg.params[0] = run->connection.id_text;
	run->pg.params[1] = number_text(&version, run->connection.token_version);
	run->pg.params[2] = run->park_reason;
	run->pg.params[3] = number_text(&until, run->park_until_ms - now_ms);
	run->pg.params[4] = run->park_needs_person ? "true" : "false";
	run->pg.params[5] = buf_string(&requests);
	run->pg.params[6] = number_text(&age, since_ms > 0 ? now_ms - since_ms : 0);
	run_send(run, PARK_SQL, 7);
	run->pg.done = on_one_row_done;
	buf_close(&version);
	buf_close(&until);
	buf_close(&requests);
	buf_close(&age);
}
