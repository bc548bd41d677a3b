/* snapshot.c - the first fill of an epoch. */
#include "producer/snapshot.h"

#include <string.h>

#include "producer/debezium.h"

/* One row more than a chunk has: whether there is one says whether the chunk was the last. */
#define SNAPSHOT_CHUNK_ROWS 500
#define SNAPSHOT_CHUNK_ASK  "501"

static const char CLOCK_SQL[] =
    "SELECT (extract(epoch FROM now()) * 1000000)::bigint, "
    "pg_snapshot_xmax(pg_current_snapshot())::text, "
    "EXISTS (SELECT FROM public.calendar_sync_requests WHERE state IN ('requested', 'running'))";

static void send_chunk(struct snapshot *snapshot);

static void snapshot_end(struct snapshot *snapshot, const struct fault *fault)
{
	snapshot->active = false;
	snapshot->ended(snapshot, fault);
}

static const struct relation *table_relation(const struct snapshot *snapshot)
{
	return snapshot->table == SNAPSHOT_ASSIGNMENTS ? snapshot->catalog->assignments
						       : snapshot->catalog->requests;
}

/* Source: Debezium's RelationalSnapshotChangeEventSource.setSnapshotMarker. */
static const char *marker(const struct snapshot *snapshot, bool last_in_table)
{
	bool last_table = snapshot->table == SNAPSHOT_REQUESTS || !snapshot->has_requests;

	if (!snapshot->is_consistent) {
		return "incremental";
	}
	if (last_in_table && last_table) {
		return "last";
	}
	if (!snapshot->any_sent) {
		return "first";
	}
	if (last_in_table) {
		return "last_in_data_collection";
	}
	return snapshot->any_in_table ? "true" : "first_in_data_collection";
}

static bool emit_row(struct snapshot *snapshot, const struct catalog_row *row,
		     const struct uuid *id, bool last, struct fault *fault)
{
	const struct relation *relation = table_relation(snapshot);
	bool is_request = snapshot->table == SNAPSHOT_REQUESTS;
	struct debezium_row after = {.values = row->values,
				     .count = (uint16_t)relation->column_count};
	struct debezium_row project = {.values = row->project, .count = 5};
	struct assemble_record record = {.op = 'r',
					 .key = {.user_id = &row->values[relation->at.user_id],
						 .id = &row->values[relation->at.id]}};
	struct debezium_event event = {.source = {.snapshot = marker(snapshot, last),
						  .time_us = snapshot->time_us,
						  .has_place = snapshot->is_consistent,
						  .lsn = snapshot->consistent_point,
						  .xid = snapshot->xid},
				       .relation = relation,
				       .after = &after};
	struct emit_record out = {
	    .topic = is_request ? TAILS_REQUESTS : TAILS_ASSIGNMENTS,
	    .pos = {.commit_lsn = snapshot->consistent_point, .has_id = true, .id = *id},
	    .cause = "snapshot",
	    .record = &record,
	    .event = &event};
	struct buf json;
	bool sent = false;
	bool ok;

	buf_init(&json, PUBLISH_RECORD_MAX_BYTES);
	if (row->has_project) {
		debezium_write_project(&json, snapshot->catalog->shown, &project);
	}
	if (!is_request) {
		event.project = row->has_project ? buf_string(&json) : "null";
	}
	ok = json.failed ? fault_fatal(fault, "a project's row is too large")
			 : emit_send(snapshot->emit, &out, &sent, fault);
	snapshot->unacknowledged += sent;
	snapshot->records += sent;
	snapshot->any_sent = true;
	snapshot->any_in_table = true;
	buf_close(&json);
	return ok;
}

/* Emits the chunk's rows; *more is whether another chunk follows, from the row that was not. */
static bool emit_chunk(struct snapshot *snapshot, const PGresult *result, bool *more,
		       struct fault *fault)
{
	static struct catalog_row row; /* large */
	const struct relation *relation = table_relation(snapshot);
	bool with_project = snapshot->table == SNAPSHOT_ASSIGNMENTS;
	int rows = PQntuples(result);
	struct uuid id;

	*more = false;
	for (int i = 0; i < rows; i++) {
		if (!catalog_read_row(relation, with_project, result, i, &row)) {
			return true;
		}
		if (!keyset_read_id(&row.values[relation->at.id], &id)) {
			return fault_fatal(fault, "an id in %s is no UUID", relation->table);
		}
		if (i == SNAPSHOT_CHUNK_ROWS) {
			uuid_format(&id, snapshot->keyset.from);
			*more = true;
			return true;
		}
		if (row.values[relation->at.user_id].kind == 't' &&
		    !emit_row(snapshot, &row, &id, i == rows - 1, fault)) {
			return false;
		}
	}
	return true;
}

static void finish_if_done(struct snapshot *snapshot)
{
	struct fault none = {0};

	if (snapshot->active && snapshot->all_sent && snapshot->unacknowledged == 0) {
		snapshot_end(snapshot, &none);
	}
}

static void next_table(struct snapshot *snapshot)
{
	if (++snapshot->table == SNAPSHOT_TABLES) {
		snapshot->all_sent = true;
		finish_if_done(snapshot);
		return;
	}
	snapshot->any_in_table = false;
	keyset_start(&snapshot->keyset);
	snapshot->paused = true;
	snapshot_resume(snapshot);
}

static void on_chunk(struct session_step *step)
{
	struct snapshot *snapshot = container_of(step, struct snapshot, step);
	struct fault fault = step->fault;
	bool more = false;

	if (!snapshot->active) {
		return;
	}
	if (fault.kind != FAULT_NONE || !emit_chunk(snapshot, step->result, &more, &fault)) {
		snapshot_end(snapshot, &fault);
		return;
	}
	if (!more) {
		next_table(snapshot);
		return;
	}
	snapshot->paused = true;
	snapshot_resume(snapshot);
}

static void send_chunk(struct snapshot *snapshot)
{
	const char *params[] = {snapshot->keyset.from, SNAPSHOT_CHUNK_ASK};
	const struct catalog *catalog = snapshot->catalog;

	snapshot->step.done = on_chunk;
	session_query(snapshot->session, &snapshot->step,
		      snapshot->table == SNAPSHOT_ASSIGNMENTS ? catalog->assignments_sql
							      : catalog->requests_sql,
		      params, 2);
}

static void on_clock(struct session_step *step)
{
	struct snapshot *snapshot = container_of(step, struct snapshot, step);

	if (!snapshot->active) {
		return;
	}
	if (step->fault.kind != FAULT_NONE) {
		struct fault fault = step->fault;

		snapshot_end(snapshot, &fault);
		return;
	}
	snapshot->time_us = pg_integer(step->result, 0, 0, 0);
	snapshot->xid = (uint32_t)pg_integer(step->result, 0, 1, 0);
	snapshot->has_requests = strcmp(PQgetvalue(step->result, 0, 2), "t") == 0;
	snapshot->paused = true;
	snapshot_resume(snapshot);
}

void snapshot_start(struct snapshot *snapshot)
{
	snapshot->active = true;
	snapshot->paused = false;
	snapshot->table = SNAPSHOT_ASSIGNMENTS;
	snapshot->any_sent = false;
	snapshot->any_in_table = false;
	snapshot->unacknowledged = 0;
	snapshot->records = 0;
	snapshot->all_sent = false;
	keyset_start(&snapshot->keyset);
	snapshot->step.done = on_clock;
	session_command(snapshot->session, &snapshot->step, CLOCK_SQL);
}

void snapshot_delivered(struct snapshot *snapshot)
{
	snapshot->unacknowledged--;
	finish_if_done(snapshot);
}

void snapshot_resume(struct snapshot *snapshot)
{
	if (snapshot->active && snapshot->paused && publish_has_room(snapshot->emit->publish)) {
		snapshot->paused = false;
		send_chunk(snapshot);
	}
}

void snapshot_stop(struct snapshot *snapshot)
{
	snapshot->active = false;
	snapshot->paused = false;
}
