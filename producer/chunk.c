/* chunk.c - a row that was read from the tables, as an `r` record. */
#include "producer/chunk.h"

/* The project as events show it; "null" where there is none.  False: it is too large. */
static bool write_project(const struct chunk *chunk, const struct catalog_row *row,
			  struct buf *json)
{
	struct debezium_row project = {.values = row->project, .count = 5};

	if (row->has_project) {
		debezium_write_project(json, chunk->catalog->shown, &project);
	} else {
		buf_text(json, "null");
	}
	return !json->failed;
}

bool chunk_emit(const struct chunk *chunk, const struct catalog_row *row, const struct uuid *id,
		bool *sent, struct fault *fault)
{
	const struct relation_places *at = &chunk->relation->at;
	struct debezium_row after = {.values = row->values,
				     .count = (uint16_t)chunk->relation->column_count};
	struct assemble_record record = {
	    .op = 'r', .key = {.user_id = &row->values[at->user_id], .id = &row->values[at->id]}};
	struct debezium_event event = {
	    .source = chunk->source, .relation = chunk->relation, .after = &after};
	struct emit_record out = {.topic = chunk->topic,
				  .pos = chunk->pos,
				  .cause = chunk->cause,
				  .relation = chunk->relation,
				  .record = &record,
				  .event = &event,
				  .number = chunk->number};
	struct buf json;
	bool ok;

	*sent = false;
	if (row->values[at->user_id].kind != 't') {
		return true;
	}
	out.pos.has_id = true;
	out.pos.id = *id;
	buf_init(&json, PUBLISH_RECORD_MAX_BYTES);
	ok = write_project(chunk, row, &json);
	event.project = chunk->topic == TAILS_ASSIGNMENTS ? buf_string(&json) : NULL;
	ok = ok ? emit_send(chunk->emit, &out, sent, fault)
		: fault_fatal(fault, "a project's row is too large");
	buf_close(&json);
	return ok;
}
