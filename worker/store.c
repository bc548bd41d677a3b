/* store.c - groups the runs' statements, writes their parameters, reads their results. */
#include "worker/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/jsonw.h"
#include "worker/run.h"
#include "worker/store_sql.h"
#include "worker/worker.h"

#define STORE_STATEMENT_MAX_BYTES (64u << 20)
#define STORE_ROWS_MAX_BYTES      (32u << 20)

/* One kind of statement: the runs that gather for the next one, and those in the one under way. */
struct group {
	struct store *store;
	const char *sql;
	void (*write)(struct buf *out, struct run *run);
	void (*read)(struct group *group, const PGresult *result);
	struct pg_request request;
	struct buf input;
	char quarantine[24];
	struct run *first;
	struct run **last;
	struct run *under_way[STORE_GROUP_MAX];
	int count;
};

/* ---- gathering ---- */

static void group_send(struct group *group);

static void on_group_done(struct pg_request *request)
{
	struct group *group = container_of(request, struct group, request);
	struct run *runs[STORE_GROUP_MAX];
	int count = group->count;

	memcpy(runs, group->under_way, sizeof runs);
	for (int i = 0; i < count; i++) {
		runs[i]->fault = request->fault;
	}
	if (request->fault.kind == FAULT_NONE) {
		group->read(group, request->result);
	}
	group->count = 0;
	group_send(group); /* our own books first: a run may come right back */
	for (int i = 0; i < count; i++) {
		run_resume(runs[i]);
	}
}

static void group_send(struct group *group)
{
	struct worker *worker = group->store->worker;

	if (group->count > 0 || group->first == NULL) {
		return;
	}
	buf_reset(&group->input);
	buf_char(&group->input, '[');
	while (group->first != NULL && group->count < STORE_GROUP_MAX) {
		struct run *run = group->first;

		group->first = run->next;
		if (group->first == NULL) {
			group->last = &group->first;
		}
		run->index = group->count;
		group->under_way[group->count++] = run;
		group->write(&group->input, run);
	}
	buf_char(&group->input, ']');
	snprintf(group->quarantine, sizeof group->quarantine, "%" PRId64,
	    worker->config.quarantine_s);
	group->request.sql = group->sql;
	group->request.params[0] = buf_string(&group->input);
	group->request.params[1] = worker->config.group;
	group->request.params[2] = worker->intake.topics[0];
	group->request.params[3] = group->quarantine;
	group->request.param_count = group->sql == STORE_LOAD_SQL ? 1 : 4;
	group->request.done = on_group_done;
	pg_send(worker->pg, &group->request);
}

static void group_add(struct group *group, struct run *run)
{
	run->next = NULL;
	*group->last = run;
	group->last = &run->next;
	group_send(group);
}

static struct group *group_new(struct store *store, const char *sql,
    void (*write)(struct buf *out, struct run *run),
    void (*read)(struct group *group, const PGresult *result))
{
	struct group *group = calloc(1, sizeof *group);

	if (group != NULL) {
		group->store = store;
		group->sql = sql;
		group->write = write;
		group->read = read;
		group->last = &group->first;
		buf_init(&group->input, STORE_STATEMENT_MAX_BYTES);
	}
	return group;
}

static void group_free(struct group *group)
{
	if (group != NULL) {
		buf_close(&group->input);
		free(group);
	}
}

/* ---- load ---- */

static void write_uuid(struct buf *out, const char *key, const struct uuid *uuid)
{
	char text[UUID_TEXT_SIZE];

	uuid_format(uuid, text);
	jsonw_member_text(out, key, text);
}

static void load_write(struct buf *out, struct run *run)
{
	bool everything = run->lane->wants_sync || run->lane->wants_replay;
	const struct item *item;

	jsonw_comma(out);
	buf_char(out, '{');
	jsonw_member_number(out, "r", run->index);
	jsonw_member_text(out, "user_id", run->lane->user_text);
	jsonw_key(out, "everything");
	buf_text(out, everything ? "true" : "false");
	jsonw_key(out, "ids");
	buf_char(out, '[');
	for (item = run->items; item != NULL; item = item->hh.next) {
		char text[UUID_TEXT_SIZE];

		uuid_format(&item->id, text);
		jsonw_comma(out);
		jsonw_text(out, text);
	}
	buf_text(out, "]}");
}

static const char *array_text(const cJSON *array, int index)
{
	return cJSON_GetStringValue(cJSON_GetArrayItem(array, index));
}

static void copy_text(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text != NULL ? text : "");
}

static char *duplicate(const char *text)
{
	return text != NULL ? strdup(text) : NULL;
}

static enum row_state row_state_of(const char *text)
{
	if (text != NULL && strcmp(text, "deleted") == 0) {
		return ROW_DELETED;
	}
	return text != NULL && strcmp(text, "failed") == 0 ? ROW_FAILED : ROW_SYNCED;
}

/* [assignment, state, event id, change key, incarnation, hash, applied, pending, dirty] */
static bool load_row(struct run *run, const cJSON *array)
{
	const char *assignment = array_text(array, 0);
	struct row *row = calloc(1, sizeof *row);

	if (row == NULL || assignment == NULL || !uuid_parse(assignment, &row->assignment)) {
		free(row);
		return false;
	}
	row->state = row_state_of(array_text(array, 1));
	row->event_id = duplicate(array_text(array, 2));
	row->change_key = duplicate(array_text(array, 3));
	row->incarnation = (int)cJSON_GetNumberValue(cJSON_GetArrayItem(array, 4));
	copy_text(row->hash, sizeof row->hash, array_text(array, 5));
	copy_text(row->applied_pos, sizeof row->applied_pos, array_text(array, 6));
	copy_text(row->pending_pos, sizeof row->pending_pos, array_text(array, 7));
	row->is_dirty = cJSON_IsTrue(cJSON_GetArrayItem(array, 8));
	HASH_ADD(hh, run->rows, assignment, sizeof row->assignment, row);
	return true;
}

static bool load_rows(struct run *run, const char *text)
{
	cJSON *array;
	const cJSON *item;
	bool ok = true;

	if (text == NULL) {
		return true;
	}
	array = json_parse(text, strlen(text), STORE_ROWS_MAX_BYTES, &run->fault);
	if (array == NULL) {
		return false;
	}
	cJSON_ArrayForEach(item, array)
	{
		ok = ok && load_row(run, item);
	}
	cJSON_Delete(array);
	return ok || fault_retry(&run->fault, "a mapping row can't be read");
}

/* [id, kind, remove_events]; a disconnect goes before any sync. */
static bool load_requests(struct run *run, const char *text)
{
	cJSON *array;
	const cJSON *item;

	if (text == NULL) {
		return true;
	}
	array = json_parse(text, strlen(text), STORE_ROWS_MAX_BYTES, &run->fault);
	if (array == NULL) {
		return false;
	}
	cJSON_ArrayForEach(item, array)
	{
		const char *kind = array_text(item, 1);
		bool is_removal = kind != NULL && strcmp(kind, "disconnect") == 0;

		if (run->request_count == RUN_REQUESTS_MAX) {
			break; /* the others are still due, for the next run */
		}
		copy_text(run->request_ids[run->request_count++], UUID_TEXT_SIZE, array_text(item, 0));
		run->mode = is_removal ? RUN_REMOVE : run->mode == RUN_REMOVE ? RUN_REMOVE : RUN_SYNC;
		run->removes_events |= is_removal && cJSON_IsTrue(cJSON_GetArrayItem(item, 2));
	}
	cJSON_Delete(array);
	return true;
}

static void load_connection(struct run *run, const PGresult *result, int i)
{
	struct connection *connection = &run->connection;
	const char *status = pg_text(result, i, 2);

	connection->exists = pg_text(result, i, 1) != NULL &&
	    uuid_parse(pg_text(result, i, 1), &connection->id);
	if (!connection->exists) {
		return;
	}
	uuid_format(&connection->id, connection->id_text);
	connection->status = CONNECTION_ACTIVE;
	if (strcmp(status, "needs_reconnect") == 0) {
		connection->status = CONNECTION_NEEDS_RECONNECT;
	} else if (strcmp(status, "disconnecting") == 0) {
		connection->status = CONNECTION_DISCONNECTING;
	}
	connection->access_sealed = duplicate(pg_text(result, i, 3));
	connection->refresh_sealed = duplicate(pg_text(result, i, 4));
	connection->issued_ms = pg_integer(result, i, 5, 0);
	connection->expires_ms = pg_integer(result, i, 6, 0);
	connection->token_version = pg_integer(result, i, 7, 0);
	connection->not_before_ms = pg_integer(result, i, 8, 0);
	copy_text(connection->time_zone, sizeof connection->time_zone, pg_text(result, i, 9));
	if (connection->time_zone[0] == '\0') {
		copy_text(connection->time_zone, sizeof connection->time_zone,
		    run->worker->config.time_zone);
	}
	connection->is_adopted = strcmp(pg_text(result, i, 10), "t") == 0;
	connection->snapshot = duplicate(pg_text(result, i, 11));
}

static void load_read(struct group *group, const PGresult *result)
{
	for (int i = 0; i < PQntuples(result); i++) {
		int64_t index = pg_integer(result, i, 0, -1);
		struct run *run = index >= 0 && index < group->count ? group->under_way[index] : NULL;

		if (run == NULL) {
			continue;
		}
		load_connection(run, result, i);
		if (!load_rows(run, pg_text(result, i, 12)) ||
		    !load_requests(run, pg_text(result, i, 13))) {
			run->fault.kind = FAULT_RETRY;
		}
	}
}

void store_load(struct run *run)
{
	group_add(run->worker->store.load, run);
}

/* ---- intent and result ---- */

static void write_place(struct buf *out, const struct run *run, const struct task *task)
{
	jsonw_comma(out);
	buf_char(out, '{');
	jsonw_member_number(out, "r", run->index);
	jsonw_member_number(out, "partition", run->part->partition);
	jsonw_member_number(out, "epoch", run->epoch);
	jsonw_member_text(out, "connection", run->connection.id_text);
	write_uuid(out, "assignment", &task->assignment);
	jsonw_member_text(out, "pos", task->pos);
}

static void intent_write(struct buf *out, struct run *run)
{
	for (int i = 0; i < run->chunk_count; i++) {
		struct task *task = run->chunk[i];

		if (task->stage != TASK_PLANNED || task->is_stray) {
			continue;
		}
		task->attempt = uuid_random();
		write_place(out, run, task);
		jsonw_member_number(out, "k", i);
		write_uuid(out, "attempt", &task->attempt);
		buf_char(out, '}');
	}
}

static void intent_read(struct group *group, const PGresult *result)
{
	for (int i = 0; i < PQntuples(result); i++) {
		int64_t index = pg_integer(result, i, 0, -1);
		int64_t k = pg_integer(result, i, 1, -1);
		struct run *run = index >= 0 && index < group->count ? group->under_way[index] : NULL;

		if (run == NULL || k < 0 || k >= run->chunk_count) {
			continue;
		}
		if (strcmp(pg_text(result, i, 2), "t") != 0) {
			run->is_fenced = true;
		} else {
			bool accepted = strcmp(pg_text(result, i, 3), "t") == 0;

			run->chunk[k]->stage = accepted ? TASK_INTENDED : TASK_SKIPPED;
		}
	}
}

void store_intent(struct run *run)
{
	group_add(run->worker->store.intent, run);
}

static const char *task_outcome(const struct task *task)
{
	if (task->stage == TASK_INTENDED) {
		return "released";
	}
	if (task->stage == TASK_RECORD) {
		return task->op.event_id[0] != '\0' ? "synced" : "deleted";
	}
	switch (task->op.end) {
	case OP_SYNCED:
		return "synced";
	case OP_REMOVED:
		return "deleted";
	default:
		return "failed";
	}
}

static const char *text_or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static void result_write_task(struct buf *out, struct run *run, const struct task *task)
{
	const char *what = task_outcome(task);
	bool is_removed = strcmp(what, "deleted") == 0;
	const char *error = task->op.error[0] != '\0' ? task->op.error
	                                              : outlook_reason(task->event.verdict);

	write_place(out, run, task);
	if (task->stage == TASK_RECORD) {
		jsonw_member_text(out, "attempt", NULL);
	} else {
		write_uuid(out, "attempt", &task->attempt);
	}
	jsonw_member_text(out, "what", what);
	jsonw_member_text(out, "event_id", is_removed ? NULL : text_or_null(task->op.event_id));
	jsonw_member_text(out, "change_key", is_removed ? NULL : text_or_null(task->op.change_key));
	jsonw_member_text(out, "hash", is_removed ? NULL : text_or_null(task->event.hash));
	/* the removed event's transactionId is spent: the next one is another incarnation */
	jsonw_member_number(out, "incarnation", task->op.incarnation + (is_removed ? 1 : 0));
	jsonw_member_text(out, "error", error);
	buf_char(out, '}');
}

static void result_write(struct buf *out, struct run *run)
{
	for (int i = 0; i < run->wrote_count; i++) {
		result_write_task(out, run, run->wrote[i]);
	}
}

static void result_read(struct group *group, const PGresult *result)
{
	for (int i = 0; i < PQntuples(result); i++) {
		int64_t index = pg_integer(result, i, 0, -1);

		if (index >= 0 && index < group->count && strcmp(pg_text(result, i, 1), "t") != 0) {
			group->under_way[index]->is_fenced = true;
		}
	}
}

void store_result(struct run *run)
{
	group_add(run->worker->store.result, run);
}

/* ---- start and end ---- */

/* The user's assignments, and what that very read could see, even where there are none. */
static char *read_sql_make(const struct hostmap *map)
{
	struct buf sql;

	buf_init(&sql, 4096);
	buf_format(&sql,
	    "SELECT pg_current_snapshot()::text, a.id, p.client_name, a.status, a.notes, p.notes,"
	    " p.first_day, p.last_day FROM (SELECT) one LEFT JOIN"
	    " (SELECT %s AS id, %s AS project, %s::text AS status, %s AS notes FROM %s.%s"
	    "   WHERE %s = $1::uuid) a ON true",
	    map->assignments.id, map->assignments.project_id, map->assignments.booking_status,
	    map->assignments.notes, map->schema, map->assignments.table, map->assignments.user_id);
	buf_format(&sql,
	    " LEFT JOIN (SELECT %s AS id, %s AS client_name, %s AS notes, %s::text AS first_day,"
	    " %s::text AS last_day FROM %s.%s) p ON p.id = a.project",
	    map->projects.id, map->projects.client_name, map->projects.notes,
	    map->projects.start_date, map->projects.end_date, map->schema, map->projects.table);
	return buf_steal(&sql);
}

bool store_init(struct store *store, struct worker *worker)
{
	*store = (struct store){.worker = worker};
	store->load = group_new(store, STORE_LOAD_SQL, load_write, load_read);
	store->intent = group_new(store, STORE_INTENT_SQL, intent_write, intent_read);
	store->result = group_new(store, STORE_RESULT_SQL, result_write, result_read);
	store->read_sql = read_sql_make(&worker->map);
	return store->load != NULL && store->intent != NULL && store->result != NULL &&
	    store->read_sql != NULL;
}

void store_close(struct store *store)
{
	group_free(store->load);
	group_free(store->intent);
	group_free(store->result);
	free(store->read_sql);
}

/* ---- statements of one run ---- */

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
	struct assignment assignment = {.client_name = pg_text(result, i, 2),
	    .status = pg_text(result, i, 3),
	    .notes = pg_text(result, i, 4),
	    .project_notes = pg_text(result, i, 5),
	    .start_day = CHANGE_NO_DAY,
	    .end_day = CHANGE_NO_DAY};
	const char *first = pg_text(result, i, 6);
	const char *last = pg_text(result, i, 7);
	struct change *change;

	if (first != NULL && !outlook_parse_day(first, &assignment.start_day)) {
		assignment.start_day = CHANGE_NO_DAY;
	}
	if (last != NULL && !outlook_parse_day(last, &assignment.end_day)) {
		assignment.end_day = CHANGE_NO_DAY;
	}
	change = change_new(&assignment);
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
	run->wanted = calloc((size_t)count, sizeof *run->wanted);
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

/* Says in the fault what a lease or a renewal that touched no row means. */
static void on_one_row_done(struct pg_request *request)
{
	struct run *run = container_of(request, struct run, pg);

	run->fault = request->fault;
	if (run->fault.kind == FAULT_NONE && PQntuples(request->result) != 1) {
		fault_auth(&run->fault, "another one holds or has changed this connection's tokens");
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
	run_send(run, STORE_LEASE_SQL, 3);
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
	run_send(run, STORE_RENEW_SQL, 5);
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

/* A sync counts assignments; a removal counts marked events. */
static void counts_make(struct counts *counts, const struct run *run)
{
	size_t open = 0;
	size_t failed = run->failed_count;

	for (size_t i = 0; i < run->task_count; i++) {
		open += run->tasks[i].stage < TASK_STORED;
	}
	buf_init(&counts->total, 32);
	buf_init(&counts->done, 32);
	buf_init(&counts->failed, 32);
	buf_init(&counts->requests, 1024);
	buf_format(&counts->total, "%zu", run->task_count + run->right_count);
	buf_format(&counts->done, "%zu", run->task_count + run->right_count - open - failed);
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

	counts_make(&counts, run);
	run_set_counts(run, &counts);
	run_send(run, STORE_PROGRESS_SQL, 4);
	counts_close(&counts);
}

void store_finish(struct run *run)
{
	bool goes = run->mode == RUN_REMOVE;
	struct counts counts;

	counts_make(&counts, run);
	run_set_counts(run, &counts);
	run->pg.params[4] = text_or_null(run->error);
	run->pg.params[5] = run->connection.exists ? run->connection.id_text : NULL;
	run->pg.params[6] = run->read_snapshot != NULL ? run->read_snapshot : "";
	run->pg.params[7] = goes ? "true" : "false";
	run_send(run, STORE_FINISH_SQL, 8);
	counts_close(&counts);
}

void store_park(struct run *run)
{
	struct buf version;
	struct buf until;
	struct buf requests;

	buf_init(&version, 64);
	buf_init(&until, 64);
	buf_init(&requests, 1024);
	write_requests(&requests, run);
	run->pg.params[0] = run->connection.id_text;
	run->pg.params[1] = number_text(&version, run->connection.token_version);
	run->pg.params[2] = run->park_reason;
	run->pg.params[3] = number_text(&until, run->park_until_ms);
	run->pg.params[4] = run->park_needs_person ? "true" : "false";
	run->pg.params[5] = buf_string(&requests);
	run_send(run, STORE_PARK_SQL, 6);
	buf_close(&version);
	buf_close(&until);
	buf_close(&requests);
}
