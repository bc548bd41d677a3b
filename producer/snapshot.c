/* snapshot.c - the first fill of an epoch. */
#include "producer/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "producer/chunk.h"

/* One row more than a chunk has: whether there is one says whether the chunk was the last. */
#define SNAPSHOT_CHUNK_ROWS 500
#define SNAPSHOT_CHUNK_ASK  "501"

#define SNAPSHOT_SAVE_ROWS 10000

static const char CLOCK_SQL[] =
    "SELECT (extract(epoch FROM now()) * 1000000)::bigint, "
    "pg_snapshot_xmax(pg_current_snapshot())::text, "
    "EXISTS (SELECT FROM public.calendar_sync_requests WHERE state IN ('requested', 'running'))";

static const char SAVE_SQL[] =
    "UPDATE public.calrelay_source SET snapshot_from = $2::uuid WHERE epoch = $1::bigint";

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
	bool is_request = snapshot->table == SNAPSHOT_REQUESTS;
	struct chunk chunk = {.emit = snapshot->emit,
			      .catalog = snapshot->catalog,
			      .relation = table_relation(snapshot),
			      .topic = is_request ? TAILS_REQUESTS : TAILS_ASSIGNMENTS,
			      .cause = "snapshot",
			      .source = {.snapshot = marker(snapshot, last),
					 .time_us = snapshot->time_us,
					 .has_place = snapshot->is_consistent,
					 .lsn = snapshot->consistent_point,
					 .xid = snapshot->xid},
			      .pos = {.commit_lsn = snapshot->consistent_point}};
	bool sent;

	if (!chunk_emit(&chunk, row, id, &sent, fault)) {
		return false;
	}
	snapshot->unacknowledged += sent;
	snapshot->records += sent;
	snapshot->any_sent = true;
	snapshot->any_in_table = true;
	return true;
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
		if (!emit_row(snapshot, &row, &id, i == rows - 1, fault)) {
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
	keyset_start(&snapshot->keyset, "");
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
	snapshot->unsaved += SNAPSHOT_CHUNK_ROWS;
	snapshot->save_due =
	    snapshot->table == SNAPSHOT_ASSIGNMENTS && snapshot->unsaved >= SNAPSHOT_SAVE_ROWS;
	snapshot->paused = true;
	snapshot_resume(snapshot);
}

/* ---- saving how far it is ---- */

static void on_saved(struct pg_request *request)
{
	struct snapshot *snapshot = container_of(request, struct snapshot, save);
	struct fault fault = request->fault;

	snapshot->saving = false;
	if (!snapshot->active) {
		return;
	}
	if (snapshot->awaiting_save) {
		snapshot->awaiting_save = false;
		snapshot->paused = true;
		if (fault.kind != FAULT_NONE) {
			snapshot_end(snapshot, &fault);
			return;
		}
	}
	snapshot_resume(snapshot);
}

/* Everything below the next chunk is in Kafka. */
static void save(struct snapshot *snapshot)
{
	char epoch[16];

	snprintf(epoch, sizeof epoch, "%" PRIu32, snapshot->epoch);
	snapshot->save_due = false;
	snapshot->paused = false;
	snapshot->awaiting_save = true;
	snapshot->saving = true;
	snapshot->unsaved = 0;
	snapshot->save = (struct pg_request){.sql = SAVE_SQL,
					     .params = {epoch, snapshot->keyset.from},
					     .param_count = 2,
					     .done = on_saved};
	pg_send(snapshot->pg, &snapshot->save);
}

/* ---- life ---- */

static void send_chunk(struct snapshot *snapshot)
{
	const char *params[] = {snapshot->keyset.from, SNAPSHOT_CHUNK_ASK};
	const struct catalog *catalog = snapshot->catalog;

	snapshot->step.done = on_chunk;
	session_query(snapshot->session, &snapshot->step,
		      snapshot->table == SNAPSHOT_ASSIGNMENTS ? catalog->walk_sql[SCOPE_ALL]
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
	snapshot->unsaved = 0;
	snapshot->save_due = false;
	snapshot->awaiting_save = false;
	keyset_start(&snapshot->keyset, snapshot->from);
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
	if (!snapshot->active || !snapshot->paused) {
		return;
	}
	if (snapshot->save_due) {
		if (snapshot->unacknowledged == 0 && !snapshot->saving) {
			save(snapshot);
		}
		return;
	}
	if (publish_has_room(snapshot->emit->publish)) {
		snapshot->paused = false;
		send_chunk(snapshot);
	}
}

void snapshot_stop(struct snapshot *snapshot)
{
	snapshot->active = false;
	snapshot->paused = false;
}
