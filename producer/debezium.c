/* debezium.c - Debezium's envelope, field for field, schemaless; then our `project`. */
#include "producer/debezium.h"

#include <inttypes.h>

#include "calrelay_version.h"
#include "common/jsonw.h"
#include "producer/value.h"

/* The value of a column: sent, or taken from the old row where the new one left it out. */
static const struct pgoutput_value *row_value(const struct debezium_row *row, int place)
{
	const struct pgoutput_value *value = &row->values[place];

	if (value->kind == 'u' && place < row->fallback_count && row->fallback[place].kind == 't') {
		return &row->fallback[place];
	}
	return value;
}

static void write_value(struct buf *out, const struct relation_column *column,
			const struct pgoutput_value *value)
{
	if (value->kind == 't') {
		value_write(out, &column->type, value->text, value->length);
	} else {
		jsonw_text(out, value->kind == 'u' ? VALUE_UNAVAILABLE : NULL);
	}
}

static void write_row(struct buf *out, const char *name, const struct relation *relation,
		      const struct debezium_row *row)
{
	jsonw_key(out, name);
	if (row == NULL) {
		jsonw_text(out, NULL);
		return;
	}
	buf_char(out, '{');
	for (int i = 0; i < relation->column_count && i < row->count; i++) {
		jsonw_key(out, relation->columns[i].name);
		write_value(out, &relation->columns[i], row_value(row, i));
	}
	buf_char(out, '}');
}

/* `["<end of the last commit>","<lsn>"]` as a string, null for what isn't known. */
static void write_sequence(struct buf *out, const struct debezium_source *source)
{
	jsonw_key(out, "sequence");
	if (source->last_commit_lsn != 0) {
		buf_format(out, "\"[\\\"%" PRIu64 "\\\",", source->last_commit_lsn);
	} else {
		buf_text(out, "\"[null,");
	}
	if (source->has_place) {
		buf_format(out, "\\\"%" PRIu64 "\\\"]\"", source->lsn);
	} else {
		buf_text(out, "null]\"");
	}
}

static void write_source(struct buf *out, const struct debezium_event *event)
{
	const struct debezium_source *source = &event->source;

	jsonw_key(out, "source");
	buf_char(out, '{');
	jsonw_member_text(out, "version", CALRELAY_VERSION);
	jsonw_member_text(out, "connector", "postgresql");
	jsonw_member_text(out, "name", source->name);
	jsonw_member_number(out, "ts_ms", source->time_us / 1000);
	jsonw_member_text(out, "snapshot", source->snapshot);
	jsonw_member_text(out, "db", source->database);
	write_sequence(out, source);
	jsonw_member_number(out, "ts_us", source->time_us);
	jsonw_member_number(out, "ts_ns", source->time_us * 1000);
	jsonw_member_text(out, "schema", event->relation->schema);
	jsonw_member_text(out, "table", event->relation->table);
	if (source->has_place) {
		jsonw_member_number(out, "txId", (int64_t)source->xid);
		jsonw_member_number(out, "lsn", (int64_t)source->lsn);
	} else {
		jsonw_member_text(out, "txId", NULL);
		jsonw_member_text(out, "lsn", NULL);
	}
	jsonw_member_text(out, "xmin", NULL);
	jsonw_member_text(out, "origin", NULL);
	jsonw_member_text(out, "origin_lsn", NULL);
	buf_char(out, '}');
}

void debezium_write_value(struct buf *out, const struct debezium_event *event)
{
	const char op[2] = {event->op, '\0'};

	buf_char(out, '{');
	write_row(out, "before", event->relation, event->before);
	write_row(out, "after", event->relation, event->after);
	write_source(out, event);
	jsonw_member_text(out, "transaction", NULL);
	jsonw_member_text(out, "op", op);
	jsonw_member_number(out, "ts_ms", event->now_ns / 1000000);
	jsonw_member_number(out, "ts_us", event->now_ns / 1000);
	jsonw_member_number(out, "ts_ns", event->now_ns);
	if (event->project != NULL) {
		jsonw_key(out, "project");
		buf_text(out, event->project);
	}
	buf_char(out, '}');
}

void debezium_write_key(struct buf *out, const struct pgoutput_value *user_id,
			const struct pgoutput_value *id)
{
	buf_text(out, "{\"user_id\":");
	jsonw_string(out, user_id->text, user_id->length);
	buf_text(out, ",\"id\":");
	jsonw_string(out, id->text, id->length);
	buf_char(out, '}');
}

void debezium_write_project(struct buf *out, const struct relation *relation,
			    const struct debezium_row *row)
{
	const struct relation_places *at = &relation->at;
	const struct {
		const char *name;
		int place;
	} fields[] = {{"id", at->id},
		      {"client_name", at->client_name},
		      {"start_date", at->start_date},
		      {"end_date", at->end_date},
		      {"notes", at->notes}};

	buf_char(out, '{');
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		jsonw_key(out, fields[i].name);
		write_value(out, &relation->columns[fields[i].place],
			    row_value(row, fields[i].place));
	}
	buf_char(out, '}');
}
