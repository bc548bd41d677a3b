/* fanout.c - many assignments told again, one `r` each. */
#include "producer/fanout.h"

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

/* Notes what was sent, so that the transaction waits for it. */
static void count_sent(struct fanout *fanout, bool sent)
{
	if (sent) {
		ack_sent(fanout->ack, fanout->chunk.number);
	}
}

static bool is_key(const struct fanout *fanout, const struct catalog_row *row)
{
	const struct relation *relation = fanout->chunk.relation;
	struct uuid user;

	return fanout->scope.kind == SCOPE_KEY &&
	       keyset_read_id(&row->values[relation->at.user_id], &user) &&
	       uuid_compare(&user, &fanout->scope.user) == 0;
}

static bool emit_row(struct fanout *fanout, const struct catalog_row *row, struct fault *fault)
{
	struct uuid id;
	bool sent;

	if (!keyset_read_id(&row->values[fanout->chunk.relation->at.id], &id)) {
		return fault_fatal(fault, "an assignment's id is no UUID");
	}
	keyset_pass(&fanout->keyset, &id);
	fanout->has_key = fanout->has_key || is_key(fanout, row);
	if (!chunk_emit(&fanout->chunk, row, &id, &sent, fault)) {
		return false;
	}
	count_sent(fanout, sent);
	return true;
}

/* Emits a chunk; *rows is how many there were. */
static bool emit_chunk(struct fanout *fanout, const PGresult *result, int *rows,
		       struct fault *fault)
{
	static struct catalog_row row; /* large */

	for (*rows = 0; *rows < PQntuples(result); ++*rows) {
		if (!catalog_read_row(fanout->chunk.relation, true, result, *rows, &row)) {
			break;
		}
		if (!emit_row(fanout, &row, fault)) {
			return false;
		}
	}
	return true;
}

/* A `d` or its tombstone for the key in question, at the ordinal. */
static bool emit_gone(struct fanout *fanout, const struct assemble_record *record,
		      struct debezium_event *event, struct fault *fault)
{
	struct emit_record out = {.topic = TAILS_ASSIGNMENTS,
				  .pos = fanout->chunk.pos,
				  .cause = fanout->chunk.cause,
				  .relation = fanout->chunk.relation,
				  .record = record,
				  .event = event,
				  .number = fanout->chunk.number};
	bool sent = false;

	out.pos.ordinal += record->ordinal;
	out.pos.has_id = true;
	out.pos.id = fanout->scope.id;
	if (!emit_send(fanout->emit, &out, &sent, fault)) {
		return false;
	}
	count_sent(fanout, sent);
	return true;
}

/* The table has no such row: what the topic may still hold of the key has to go. */
static bool emit_removal(struct fanout *fanout, struct fault *fault)
{
	static struct pgoutput_value values[PGOUTPUT_COLUMNS_MAX]; /* large */
	const struct relation *relation = fanout->chunk.relation;
	char user[UUID_TEXT_SIZE];
	struct debezium_row before = {.values = values, .count = (uint16_t)relation->column_count};
	struct debezium_event event = {.source = fanout->chunk.source,
				       .relation = relation,
				       .before = &before,
				       .project = "null"};
	struct assemble_record record = {.op = 'd'};

	uuid_format(&fanout->scope.user, user);
	for (int i = 0; i < relation->column_count; i++) {
		values[i] = (struct pgoutput_value){.kind = 'n', .text = ""};
	}
	values[relation->at.id] = (struct pgoutput_value){
	    .kind = 't', .text = fanout->scope_id, .length = UUID_TEXT_SIZE - 1};
	values[relation->at.user_id] =
	    (struct pgoutput_value){.kind = 't', .text = user, .length = UUID_TEXT_SIZE - 1};
	record.key = (struct assemble_key){.user_id = &values[relation->at.user_id],
					   .id = &values[relation->at.id]};
	if (!emit_gone(fanout, &record, &event, fault)) {
		return false;
	}
	record.op = '\0';
	record.ordinal = 1;
	return emit_gone(fanout, &record, NULL, fault);
}

static bool finish_scope(struct fanout *fanout, struct fault *fault)
{
	return fanout->scope.kind != SCOPE_KEY || fanout->has_key || emit_removal(fanout, fault);
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
	if (fault.kind == FAULT_NONE && emit_chunk(fanout, request->result, &rows, &fault) &&
	    rows == CATALOG_CHUNK_ROWS && !fanout->keyset.ended) {
		fanout->paused = true;
		fanout_resume(fanout);
		return;
	}
	if (fault.kind == FAULT_NONE) {
		(void)!finish_scope(fanout, &fault);
	}
	fanout_end(fanout, &fault);
}

static void send_chunk(struct fanout *fanout)
{
	if (!fanout->active || fanout->asking) {
		return;
	}
	fanout->asking = true;
	fanout->asked_before = fanout->ack->next;
	fanout->request = (struct pg_request){.sql = fanout->catalog->walk_sql[fanout->scope.kind],
					      .patience_ms = LOOKUP_PATIENCE_MS,
					      .done = on_chunk};
	if (fanout->scope.kind != SCOPE_ALL) {
		fanout->request.params[fanout->request.param_count++] = fanout->scope_id;
	}
	fanout->request.params[fanout->request.param_count++] = fanout->keyset.from;
	fanout->request.params[fanout->request.param_count++] = TEXT_OF(CATALOG_CHUNK_ROWS);
	pg_send(fanout->pg, &fanout->request);
}

void fanout_start(struct fanout *fanout, const struct scope *scope, const char *cause,
		  const struct fanout_place *place)
{
	fanout->active = true;
	fanout->scope = *scope;
	fanout->has_key = false;
	uuid_format(&scope->id, fanout->scope_id);
	keyset_start(&fanout->keyset, "");
	fanout->chunk =
	    (struct chunk){.emit = fanout->emit,
			   .catalog = fanout->catalog,
			   .relation = fanout->catalog->assignments,
			   .topic = TAILS_ASSIGNMENTS,
			   .cause = cause,
			   .source = {.snapshot = "incremental", .time_us = place->commit_time_us},
			   .pos = place->pos,
			   .number = place->number};
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
