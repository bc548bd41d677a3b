/* path.c - the producer's pure way of a message: from its bytes to the JSON of its records. */
#include "path.h"

#include <stdio.h>
#include <string.h>

#include "producer/scope.h"

#define PATH_NOW_NS INT64_C(1795461547763276505)

struct texts {
	struct buf key;
	struct buf header;
	struct buf value;
};

static void texts_init(struct texts *texts)
{
	buf_init(&texts->key, PATH_RECORD_MAX_BYTES);
	buf_init(&texts->header, PATH_RECORD_MAX_BYTES);
	buf_init(&texts->value, PATH_RECORD_MAX_BYTES);
}

static void texts_close(struct texts *texts)
{
	buf_close(&texts->key);
	buf_close(&texts->header);
	buf_close(&texts->value);
}

/* Tells of the record, if all of it could be written; closes the texts. */
static bool tell(struct path *path, struct texts *texts, char op, uint32_t ordinal,
		 struct fault *fault)
{
	struct path_record record = {.op = op,
				     .ordinal = ordinal,
				     .key = &texts->key,
				     .header = &texts->header,
				     .value = &texts->value};
	bool ok = !texts->key.failed && !texts->header.failed && !texts->value.failed;

	if (ok && path->on_record != NULL) {
		path->on_record(path, &record);
	}
	texts_close(texts);
	return ok || fault_fatal(fault, "a record could not be written");
}

static bool take_record(struct path *path, const struct assemble_change *change,
			const struct assemble_record *record, struct fault *fault)
{
	struct debezium_row before = {.values = change->old_values, .count = change->old_count};
	struct debezium_row after = {.values = change->new_values,
				     .count = change->new_count,
				     .fallback = change->old_values,
				     .fallback_count = change->old_count};
	bool shows_before = change->old_values != NULL && (record->op == 'u' || record->op == 'd');
	struct debezium_event event = {.source = path->source,
				       .relation = change->relation,
				       .before = shows_before ? &before : NULL,
				       .after = record->op != 'd' ? &after : NULL,
				       .op = record->op,
				       .now_ns = PATH_NOW_NS,
				       .project = "null"};
	struct texts texts;

	texts_init(&texts);
	debezium_write_key(&texts.key, record->key.user_id, record->key.id);
	if (record->has_old_key || record->has_new_key) {
		debezium_write_key(&texts.header, record->other_key.user_id, record->other_key.id);
	}
	if (record->op != '\0') {
		debezium_write_value(&texts.value, &event);
	}
	return tell(path, &texts, record->op, record->ordinal, fault);
}

static bool take_project(struct path *path, const struct assemble_change *change,
			 struct fault *fault)
{
	struct debezium_row row = {.values = change->new_values,
				   .count = change->new_count,
				   .fallback = change->old_values,
				   .fallback_count = change->old_count};
	struct texts texts;

	(void)assemble_project_shows(change);
	if (change->new_values == NULL) {
		return true;
	}
	texts_init(&texts);
	debezium_write_project(&texts.value, change->relation, &row);
	return tell(path, &texts, 'p', assemble_ordinal(change->row), fault);
}

static bool take_change(struct path *path, const struct assemble_change *change,
			struct fault *fault)
{
	struct assemble_record records[ASSEMBLE_RECORDS_MAX];
	int count;

	if (change->relation->role == RELATION_OTHER) {
		return true;
	}
	if (change->relation->role == RELATION_PROJECTS) {
		return take_project(path, change, fault);
	}
	count = assemble_records(change, records);
	for (int i = 0; i < count; i++) {
		if (!take_record(path, change, &records[i], fault)) {
			return false;
		}
	}
	return true;
}

static bool take_row(struct path *path, struct fault *fault)
{
	const struct pgoutput_message *message = &path->message;
	const struct relation *relation =
	    relations_find(&path->relations, message->relation, fault);
	bool has_old = message->old_kind != '\0';
	bool has_new = message->kind != PGOUTPUT_DELETE;
	struct assemble_change change = {.relation = relation,
					 .kind = (char)message->kind,
					 .row = path->row,
					 .old_values = has_old ? message->old_tuple.values : NULL,
					 .old_count = message->old_tuple.count,
					 .new_values = has_new ? message->new_tuple.values : NULL,
					 .new_count = message->new_tuple.count};

	if (relation == NULL || !relation_fits(relation, message, fault)) {
		return false;
	}
	path->row++;
	return take_change(path, &change, fault);
}

static bool take_message(struct path *path, struct fault *fault)
{
	const struct pgoutput_message *message = &path->message;
	struct scope scope;

	switch (message->kind) {
	case PGOUTPUT_BEGIN:
		path->row = 0;
		path->source.origin = NULL;
		path->source.xid = message->xid;
		path->source.time_us = message->commit_time_us;
		return true;
	case PGOUTPUT_COMMIT:
		path->source.last_commit_lsn = message->end_lsn;
		return true;
	case PGOUTPUT_RELATION:
		return relations_learn(&path->relations, message, fault);
	case PGOUTPUT_INSERT:
	case PGOUTPUT_UPDATE:
	case PGOUTPUT_DELETE:
		return take_row(path, fault);
	case PGOUTPUT_MESSAGE:
		(void)scope_parse(message->content, message->content_length, &scope);
		return true;
	case PGOUTPUT_ORIGIN:
		snprintf(path->origin, sizeof path->origin, "%s", message->origin);
		path->source.origin = path->origin;
		path->source.origin_lsn = message->origin_lsn;
		return true;
	case PGOUTPUT_TRUNCATE:
	case PGOUTPUT_TYPE:
		return true;
	}
	return true;
}

bool path_take(struct path *path, const void *bytes, size_t length, struct fault *fault)
{
	if (!pgoutput_decode(bytes, length, &path->message, fault)) {
		return false;
	}
	path->counts[(unsigned char)path->message.kind % 128]++;
	return take_message(path, fault);
}

bool path_init(struct path *path)
{
	struct fault fault;

	*path = (struct path){.source = {.name = "amidash",
					 .database = "ami",
					 .snapshot = "false",
					 .has_place = true,
					 .lsn = 26545544}};
	relations_init(&path->relations, &path->map);
	return hostmap_load(&path->map, NULL, &fault);
}

void path_close(struct path *path)
{
	relations_clear(&path->relations);
}

void path_restart(struct path *path)
{
	relations_clear(&path->relations);
	relations_init(&path->relations, &path->map);
	path->row = 0;
	path->source.xid = 0;
	path->source.time_us = 0;
	path->source.last_commit_lsn = 0;
	memset(path->counts, 0, sizeof path->counts);
}
