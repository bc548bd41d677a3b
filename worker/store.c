/* store.c - groups the runs' statements, writes their parameters, reads their results. */
#include "worker/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/jsonw.h"
#include "common/text.h"
#include "worker/run.h"
#include "worker/store_sql.h"
#include "worker/worker.h"

#define STORE_STATEMENT_MAX_BYTES (64u << 20)
#define STORE_ROWS_MAX_BYTES	  (32u << 20)

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
	const struct item *item;

	jsonw_comma(out);
	buf_char(out, '{');
	jsonw_member_number(out, "r", run->index);
	jsonw_member_text(out, "user_id", run->lane->user_text);
	jsonw_key(out, "everything");
	buf_text(out, run->everything ? "true" : "false");
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

static char *duplicate(const char *text)
{
	return text != NULL ? strdup(text) : NULL;
}

/* [id, kind, remove_events, whether it is a day old]; a disconnect goes before any sync.  For a
 * sync, remove_events is the word that orphans may go, however many they are. */
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
		const char *kind = json_item_text(item, 1);
		bool is_removal = kind != NULL && strcmp(kind, "disconnect") == 0;

		if (run->request_count == RUN_REQUESTS_MAX) {
			break; /* the others are still due, for the next run */
		}
		text_copy(run->request_ids[run->request_count++], UUID_TEXT_SIZE,
			  json_item_text(item, 0));
		run->mode = is_removal		      ? RUN_REMOVE
			    : run->mode == RUN_REMOVE ? RUN_REMOVE
						      : RUN_SYNC;
		run->removes_events |= is_removal && cJSON_IsTrue(cJSON_GetArrayItem(item, 2));
		run->removal_is_old |= is_removal && cJSON_IsTrue(cJSON_GetArrayItem(item, 3));
		run->may_remove |= !is_removal && cJSON_IsTrue(cJSON_GetArrayItem(item, 2));
	}
	cJSON_Delete(array);
	return true;
}

/* A distance from PostgreSQL's now as a time of our own clock; 0 where there is none. */
static int64_t load_time_ms(const PGresult *result, int i, int column)
{
	return pg_text(result, i, column) != NULL
		   ? clock_wall_ms() + pg_integer(result, i, column, 0)
		   : 0;
}

static void load_connection(struct run *run, const PGresult *result, int i)
{
	struct connection *connection = &run->connection;
	const char *status = pg_text(result, i, 2);

	connection->exists =
	    pg_text(result, i, 1) != NULL && uuid_parse(pg_text(result, i, 1), &connection->id);
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
	connection->issued_ms = load_time_ms(result, i, 5);
	connection->expires_ms = load_time_ms(result, i, 6);
	connection->token_version = pg_integer(result, i, 7, 0);
	connection->not_before_ms = load_time_ms(result, i, 8);
	text_copy(connection->time_zone, sizeof connection->time_zone, pg_text(result, i, 9));
	if (connection->time_zone[0] == '\0') {
		text_copy(connection->time_zone, sizeof connection->time_zone,
			  run->worker->config.time_zone);
	}
	connection->is_adopted = strcmp(pg_text(result, i, 10), "t") == 0;
	connection->snapshot = duplicate(pg_text(result, i, 11));
	connection->mailbox = scope_mailbox_granted(pg_text(result, i, 12));
	connection->is_idle = strcmp(pg_text(result, i, 15), "t") == 0;
	connection->is_behind = pg_text(result, i, 16) != NULL;
	connection->behind_ms = clock_mono_ms() - pg_integer(result, i, 16, 0);
}

static void load_read(struct group *group, const PGresult *result)
{
	for (int i = 0; i < PQntuples(result); i++) {
		int64_t index = pg_integer(result, i, 0, -1);
		struct run *run =
		    index >= 0 && index < group->count ? group->under_way[index] : NULL;

		if (run == NULL) {
			continue;
		}
		load_connection(run, result, i);
		if (!store_take_rows(run, pg_text(result, i, 13)) ||
		    !load_requests(run, pg_text(result, i, 14))) {
			run->fault.kind = FAULT_RETRY;
		}
	}
}

void store_load(struct run *run)
{
	group_add(run->worker->store.load, run);
}

/* ---- write ---- */

static void write_values(struct buf *out, const struct row_values *values)
{
	jsonw_member_text(out, "state", row_state_name(values->state));
	jsonw_member_number(out, "incarnation", values->incarnation);
	jsonw_member_text(out, "event_id", values->event_id);
	jsonw_member_text(out, "change_key", values->change_key);
	jsonw_member_text(out, "hash", values->hash);
	jsonw_member_text(out, "applied", values->applied_pos);
	jsonw_member_text(out, "pending", values->pending_pos);
	if (values->pending_pos != NULL) {
		write_uuid(out, "attempt", &values->attempt);
	}
	jsonw_member_text(out, "error", values->error);
	jsonw_member_text(out, "category", values->category);
}

static void write_flag(struct buf *out, const char *key, bool is)
{
	jsonw_key(out, key);
	buf_text(out, is ? "true" : "false");
}

static void write_write(struct buf *out, struct run *run)
{
	for (int i = 0; i < run->wrote_count; i++) {
		const struct task *task = run->wrote[i];
		const struct row *row = run_row(run, &task->assignment);

		jsonw_comma(out);
		buf_char(out, '{');
		jsonw_member_number(out, "r", run->index);
		jsonw_member_number(out, "k", i);
		jsonw_member_number(out, "partition", run->part->partition);
		jsonw_member_number(out, "epoch", run->epoch);
		jsonw_member_text(out, "connection", run->connection.id_text);
		write_uuid(out, "assignment", &task->assignment);
		if (row != NULL) {
			jsonw_member_number(out, "version", row->version);
		}
		write_values(out, &task->values);
		write_flag(out, "dirty", task->values.is_dirty);
		write_flag(out, "behind", task->values.is_behind);
		write_flag(out, "shares", task->values.shares_categories);
		write_flag(out, "quarantine", task->begins_quarantine);
		buf_char(out, '}');
	}
}

static void write_read(struct group *group, const PGresult *result)
{
	for (int i = 0; i < PQntuples(result); i++) {
		int64_t index = pg_integer(result, i, 0, -1);
		int64_t k = pg_integer(result, i, 1, -1);
		struct run *run =
		    index >= 0 && index < group->count ? group->under_way[index] : NULL;

		if (run == NULL || k < 0 || k >= run->wrote_count) {
			continue;
		}
		if (strcmp(pg_text(result, i, 2), "t") != 0) {
			run->is_fenced = true;
		}
		run->wrote[k]->version = (uint32_t)pg_integer(result, i, 3, 0);
	}
}

void store_write(struct run *run)
{
	group_add(run->worker->store.write, run);
}

/* ---- start and end ---- */

/* A date as the log's records have it: days since 1970, far away where it is infinite. */
#define STORE_DAY                                                                                  \
	"CASE WHEN isfinite(\"%s\") THEN \"%s\" - date '1970-01-01'"                               \
	"   WHEN \"%s\" IS NOT NULL THEN -2147472692 END"

/* The user's assignments, and what that very read could see, even where there are none. */
static char *write_read_sql(const struct hostmap *map)
{
	const char *first = map->projects.start_date;
	const char *last = map->projects.end_date;
	struct buf sql;

	buf_init(&sql, 4096);
	buf_format(
	    &sql,
	    "SELECT pg_current_snapshot()::text, a.id, p.client_name, a.status, a.notes, p.notes,"
	    " p.first_day, p.last_day FROM (SELECT) one LEFT JOIN"
	    " (SELECT \"%s\" AS id, \"%s\" AS project, \"%s\"::text AS status, \"%s\" AS notes"
	    "   FROM \"%s\".\"%s\""
	    "   WHERE \"%s\" = $1::uuid) a ON true",
	    map->assignments.id, map->assignments.project_id, map->assignments.booking_status,
	    map->assignments.notes, map->schema, map->assignments.table, map->assignments.user_id);
	buf_format(&sql,
		   " LEFT JOIN (SELECT \"%s\" AS id, \"%s\" AS client_name, \"%s\" AS notes,"
		   " " STORE_DAY " AS first_day, " STORE_DAY " AS last_day FROM \"%s\".\"%s\") p"
		   " ON p.id = a.project",
		   map->projects.id, map->projects.client_name, map->projects.notes, first, first,
		   first, last, last, last, map->schema, map->projects.table);
	return buf_steal(&sql);
}

bool store_init(struct store *store, struct worker *worker)
{
	*store = (struct store){.worker = worker};
	store->load = group_new(store, STORE_LOAD_SQL, load_write, load_read);
	store->write = group_new(store, STORE_WRITE_SQL, write_write, write_read);
	store->read_sql = write_read_sql(&worker->map);
	return store->load != NULL && store->write != NULL && store->read_sql != NULL;
}

void store_close(struct store *store)
{
	group_free(store->load);
	group_free(store->write);
	free(store->read_sql);
}
