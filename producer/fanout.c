/* fanout.c - a project's edit, told to everybody on the project. */
#include "producer/fanout.h"

#include <stdio.h>

#include "producer/debezium.h"
#include "producer/lookup.h"

#define FANOUT_AGAIN_FIRST_MS 2
#define FANOUT_AGAIN_MOST_MS  200
#define TEXT_OF(number)	      TEXT_OF_(number)
#define TEXT_OF_(number)      #number

static void send_chunk(struct fanout *fanout);

static void fanout_end(struct fanout *fanout, const struct fault *fault)
{
	fanout->active = false;
	fanout->ended(fanout, fault);
}

static bool emit_row(struct fanout *fanout, const struct catalog_row *row, const struct uuid *id,
		     struct fault *fault)
{
	const struct catalog *catalog = fanout->catalog;
	const struct relation *relation = catalog->assignments;
	struct debezium_row after = {.values = row->values,
				     .count = (uint16_t)relation->column_count};
	struct debezium_row project = {.values = row->project, .count = 5};
	struct assemble_record record = {.op = 'r',
					 .key = {.user_id = &row->values[relation->at.user_id],
						 .id = &row->values[relation->at.id]}};
	struct debezium_event event = {
	    .source = {.snapshot = "incremental", .time_us = fanout->commit_time_us},
	    .relation = relation,
	    .after = &after};
	struct emit_record out = {.topic = TAILS_ASSIGNMENTS,
				  .pos = fanout->pos,
				  .cause = "project",
				  .record = &record,
				  .event = &event,
				  .number = fanout->number};
	struct buf json;
	bool sent = false;
	bool ok;

	out.pos.has_id = true;
	out.pos.id = *id;
	buf_init(&json, PUBLISH_RECORD_MAX_BYTES);
	if (row->has_project) {
		debezium_write_project(&json, catalog->shown, &project);
	}
	event.project = row->has_project ? buf_string(&json) : "null";
	ok = json.failed ? fault_fatal(fault, "a project's row is too large")
			 : emit_send(fanout->emit, &out, &sent, fault);
	if (sent) {
		ack_sent(fanout->ack, fanout->number);
	}
	buf_close(&json);
	return ok;
}

/* Emits a chunk; *rows is how many there were. */
static bool emit_chunk(struct fanout *fanout, const PGresult *result, int *rows,
		       struct fault *fault)
{
	static struct catalog_row row; /* large */
	const struct relation *relation = fanout->catalog->assignments;

	for (*rows = 0; *rows < PQntuples(result); ++*rows) {
		struct uuid id;

		if (!catalog_read_row(relation, true, result, *rows, &row)) {
			break;
		}
		if (!keyset_read_id(&row.values[relation->at.id], &id)) {
			return fault_fatal(fault, "an assignment's id is no UUID");
		}
		keyset_pass(&fanout->keyset, &id);
		if (row.values[relation->at.user_id].kind == 't' &&
		    !emit_row(fanout, &row, &id, fault)) {
			return false;
		}
	}
	return true;
}

static void on_again(uv_timer_t *timer)
{
	send_chunk(container_of(timer, struct fanout, again));
}

static void ask_again(struct fanout *fanout)
{
	uv_timer_start(&fanout->again, on_again, (uint64_t)fanout->again_ms, 0);
	fanout->again_ms = fanout->again_ms * 2 < FANOUT_AGAIN_MOST_MS ? fanout->again_ms * 2
								       : FANOUT_AGAIN_MOST_MS;
}

/* True where the answer's snapshot has seen finish all that was decoded when it was asked. */
static bool is_recent(struct fanout *fanout, const PGresult *result, struct fault *fault)
{
	struct visible *seen = visible_read(pg_text(result, 0, 0), fault);
	bool recent = seen != NULL && ack_see(fanout->ack, seen, fanout->asked_before);

	visible_let_go(seen);
	return recent;
}

static void on_chunk(struct pg_request *request)
{
	struct fanout *fanout = container_of(request, struct fanout, request);
	struct fault fault = request->fault;
	int rows = 0;

	fanout->asking = false;
	if (fanout->is_stale) {
		fanout->is_stale = false; /* the answer is to a fan-out that was stopped */
		send_chunk(fanout);
		return;
	}
	if (fault.kind == FAULT_NONE && !is_recent(fanout, request->result, &fault) &&
	    fault.kind == FAULT_NONE) {
		ask_again(fanout);
		return;
	}
	fanout->again_ms = FANOUT_AGAIN_FIRST_MS;
	if (fault.kind != FAULT_NONE || !emit_chunk(fanout, request->result, &rows, &fault) ||
	    rows < CATALOG_CHUNK_ROWS || fanout->keyset.ended) {
		fanout_end(fanout, &fault);
		return;
	}
	fanout->paused = true;
	fanout_resume(fanout);
}

static void send_chunk(struct fanout *fanout)
{
	if (!fanout->active || fanout->asking) {
		return;
	}
	fanout->asking = true;
	fanout->asked_before = fanout->ack->next;
	fanout->request = (struct pg_request){
	    .sql = fanout->catalog->fanout_sql,
	    .params = {fanout->project, fanout->keyset.from, TEXT_OF(CATALOG_CHUNK_ROWS)},
	    .param_count = 3,
	    .patience_ms = LOOKUP_PATIENCE_MS,
	    .done = on_chunk};
	pg_send(fanout->pg, &fanout->request);
}

void fanout_start(struct fanout *fanout, const struct uuid *project, const struct pos *pos,
		  int64_t commit_time_us, uint64_t number)
{
	fanout->active = true;
	uuid_format(project, fanout->project);
	keyset_start(&fanout->keyset);
	fanout->pos = *pos;
	fanout->commit_time_us = commit_time_us;
	fanout->number = number;
	fanout->again_ms = FANOUT_AGAIN_FIRST_MS;
	fanout->paused = true;
	fanout_resume(fanout);
}

void fanout_resume(struct fanout *fanout)
{
	if (fanout->active && fanout->paused && publish_has_room(fanout->emit->publish)) {
		fanout->paused = false;
		send_chunk(fanout);
	}
}

void fanout_stop(struct fanout *fanout)
{
	fanout->active = false;
	fanout->paused = false;
	fanout->is_stale = fanout->asking;
	uv_timer_stop(&fanout->again);
}

void fanout_init(struct fanout *fanout, struct loop *loop)
{
	*fanout = (struct fanout){.loop = loop};
	uv_timer_init(&loop->uv, &fanout->again);
}

void fanout_close(struct fanout *fanout)
{
	fanout_stop(fanout);
	uv_close((uv_handle_t *)&fanout->again, NULL);
}
