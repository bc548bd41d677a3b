/* debezium.c - Debezium's envelope, field for field, schemaless; then our `project`. */
#include "producer/debezium.h"

#include "calrelay_version.h"
#include "common/digits.h"
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
	} else if (value->kind == 'u') {
		value_write_unavailable(out, &column->type, column->schema != NULL);
	} else {
		jsonw_text(out, NULL);
	}
}

/* Members are written with what stands before their value, as it is: `,"lsn":`. */
static inline void write_text(struct buf *out, const char *lead, const char *text)
{
	buf_text(out, lead);
	jsonw_text(out, text);
}

static inline void write_number(struct buf *out, const char *lead, int64_t number)
{
	buf_text(out, lead);
	jsonw_number(out, number);
}

/* A schema that says "never null" leaves no way to say "not known": then there is no row. */
static bool fits_schema(const struct relation *relation, const struct debezium_row *row)
{
	if (relation->value_head == NULL) {
		return true;
	}
	for (int i = 0; i < relation->column_count && i < row->count; i++) {
		if (relation->columns[i].is_required && row->values[i].kind == 'n') {
			return false;
		}
	}
	return true;
}

static void write_row(struct buf *out, const char *lead, const struct relation *relation,
		      const struct debezium_row *row)
{
	buf_text(out, lead);
	if (row == NULL || !fits_schema(relation, row)) {
		buf_text(out, "null");
		return;
	}
	buf_char(out, '{');
	for (int i = 0; i < relation->column_count && i < row->count; i++) {
		const struct relation_column *column = &relation->columns[i];

		if (i > 0) {
			buf_char(out, ',');
		}
		buf_add(out, column->key, column->key_length);
		write_value(out, column, row_value(row, i));
	}
	buf_char(out, '}');
}

static void write_lsn(struct buf *out, const char *lead, uint64_t lsn, const char *end)
{
	char digits[DIGITS_MAX];

	buf_text(out, lead);
	buf_add(out, digits, digits_write_unsigned(digits, lsn));
	buf_text(out, end);
}

/* `["<end of the last commit>","<lsn>"]` as a string, null for what isn't known. */
static void write_sequence(struct buf *out, const struct debezium_source *source)
{
	buf_text(out, ",\"sequence\":");
	if (source->last_commit_lsn != 0) {
		write_lsn(out, "\"[\\\"", source->last_commit_lsn, "\\\",");
	} else {
		buf_text(out, "\"[null,");
	}
	if (source->has_place) {
		write_lsn(out, "\\\"", source->lsn, "\\\"]\"");
	} else {
		buf_text(out, "null]\"");
	}
}

static void write_source(struct buf *out, const struct debezium_event *event)
{
	const struct debezium_source *source = &event->source;

	buf_text(out, ",\"source\":{\"version\":\"" CALRELAY_VERSION
		      "\",\"connector\":\"postgresql\",\"name\":");
	jsonw_text(out, source->name);
	write_number(out, ",\"ts_ms\":", source->time_us / 1000);
	write_text(out, ",\"snapshot\":", source->snapshot);
	write_text(out, ",\"db\":", source->database);
	write_sequence(out, source);
	write_number(out, ",\"ts_us\":", source->time_us);
	write_number(out, ",\"ts_ns\":", source->time_us * 1000);
	write_text(out, ",\"schema\":", event->relation->schema);
	write_text(out, ",\"table\":", event->relation->table);
	if (source->has_place) {
		write_number(out, ",\"txId\":", (int64_t)source->xid);
		write_number(out, ",\"lsn\":", (int64_t)source->lsn);
	} else {
		buf_text(out, ",\"txId\":null,\"lsn\":null");
	}
	if (source->origin == NULL) {
		buf_text(out, ",\"xmin\":null,\"origin\":null,\"origin_lsn\":null}");
		return;
	}
	write_text(out, ",\"xmin\":null,\"origin\":", source->origin);
	write_lsn(out, ",\"origin_lsn\":", source->origin_lsn, "}");
}

/* Debezium's id is that of the transaction and the event's own LSN. */
static void write_transaction(struct buf *out, const struct debezium_event *event)
{
	if (event->order.total == 0) {
		buf_text(out, ",\"transaction\":null");
		return;
	}
	write_number(out, ",\"transaction\":{\"id\":\"", event->source.xid);
	write_lsn(out, ":", event->source.lsn, "\"");
	write_number(out, ",\"total_order\":", event->order.total);
	write_number(out, ",\"data_collection_order\":", event->order.of_table);
	buf_char(out, '}');
}

void debezium_write_value(struct buf *out, const struct debezium_event *event)
{
	write_row(out, "{\"before\":", event->relation, event->before);
	write_row(out, ",\"after\":", event->relation, event->after);
	write_source(out, event);
	write_transaction(out, event);
	buf_text(out, ",\"op\":\"");
	buf_char(out, event->op);
	write_number(out, "\",\"ts_ms\":", event->now_ns / 1000000);
	write_number(out, ",\"ts_us\":", event->now_ns / 1000);
	write_number(out, ",\"ts_ns\":", event->now_ns);
	if (event->project != NULL) {
		buf_text(out, ",\"project\":");
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
