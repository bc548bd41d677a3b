/* record.c - a Kafka record of the assignments topic as a change. */
#include "worker/record.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"

#define RECORD_KEY_MAX_BYTES 4096

/* Reads members of objects whose shape is the producer's promise: each exactly once. */
struct record_reader {
	struct fault *fault;
	bool failed; /* the fault says why; later reads yield nothing */
};

static void reader_refuse(struct record_reader *reader, const char *where, const char *key,
			  const char *why)
{
	if (!reader->failed) {
		fault_input(reader->fault, "record: %s.%s %s", where, key, why);
	}
	reader->failed = true;
}

/* The member, or NULL and failed where it is missing or there twice (readers would disagree). */
static const cJSON *reader_member(struct record_reader *reader, const cJSON *object,
				  const char *where, const char *key)
{
	const cJSON *found = NULL;
	const cJSON *item;

	cJSON_ArrayForEach(item, object)
	{
		if (item->string[0] != key[0] || strcmp(item->string, key) != 0) {
			continue;
		}
		if (found != NULL) {
			reader_refuse(reader, where, key, "is there twice");
			return NULL;
		}
		found = item;
	}
	if (found == NULL) {
		reader_refuse(reader, where, key, "is missing");
	}
	return found;
}

static const char *reader_text(struct record_reader *reader, const cJSON *object, const char *where,
			       const char *key)
{
	const cJSON *member = reader_member(reader, object, where, key);

	if (member != NULL && !cJSON_IsNull(member) && !cJSON_IsString(member)) {
		reader_refuse(reader, where, key, "is neither text nor null");
	}
	return cJSON_GetStringValue(member);
}

static struct uuid reader_uuid(struct record_reader *reader, const cJSON *object, const char *where,
			       const char *key)
{
	const char *text = reader_text(reader, object, where, key);
	struct uuid uuid = {{0}};

	if (text == NULL || !uuid_parse(text, &uuid)) {
		reader_refuse(reader, where, key, "is no UUID");
	}
	return uuid;
}

/* What is no integer is no day; what no int32 holds is beyond every calendar, so the nearest will
 * do (Debezium writes -infinity as INT32_MIN, which is CHANGE_NO_DAY here). */
static int32_t reader_day(struct record_reader *reader, const cJSON *object, const char *where,
			  const char *key)
{
	int64_t day;

	if (reader_member(reader, object, where, key) == NULL || !json_integer(object, key, &day)) {
		return CHANGE_NO_DAY;
	}
	if (day > INT32_MAX) {
		return INT32_MAX;
	}
	return day <= INT32_MIN ? INT32_MIN + 1 : (int32_t)day;
}

/* Refuses a row that is another's than the key says. */
static void reader_match_row(struct record_reader *reader, const cJSON *row, const char *where,
			     const struct hostmap *map, const struct change *key)
{
	struct uuid id = reader_uuid(reader, row, where, map->assignments.id);
	struct uuid user = reader_uuid(reader, row, where, map->assignments.user_id);

	if (!reader->failed && uuid_compare(&id, &key->id) != 0) {
		reader_refuse(reader, where, map->assignments.id, "is not the key's");
	}
	if (!reader->failed && uuid_compare(&user, &key->user) != 0) {
		reader_refuse(reader, where, map->assignments.user_id, "is not the key's");
	}
}

/* An assignment whose project is gone has neither name nor days. */
static void reader_project(struct record_reader *reader, const cJSON *value,
			   struct assignment *assignment)
{
	const cJSON *project = reader_member(reader, value, "value", "project");

	if (project == NULL || cJSON_IsNull(project)) {
		return;
	}
	if (!cJSON_IsObject(project)) {
		reader_refuse(reader, "value", "project", "is neither an object nor null");
		return;
	}
	assignment->client_name = reader_text(reader, project, "project", "client_name");
	assignment->project_notes = reader_text(reader, project, "project", "notes");
	assignment->start_day = reader_day(reader, project, "project", "start_date");
	assignment->end_day = reader_day(reader, project, "project", "end_date");
}

/* Ops c, u, r.  The texts are borrowed from value. */
static void reader_assignment(struct record_reader *reader, const cJSON *value,
			      const struct hostmap *map, const struct change *key,
			      struct assignment *assignment)
{
	const cJSON *after = reader_member(reader, value, "value", "after");

	if (!cJSON_IsObject(after)) {
		reader_refuse(reader, "value", "after", "is no object");
		return;
	}
	reader_match_row(reader, after, "after", map, key);
	assignment->status = reader_text(reader, after, "after", map->assignments.booking_status);
	assignment->notes = reader_text(reader, after, "after", map->assignments.notes);
	reader_project(reader, value, assignment);
}

/* Op d.  Debezium leaves before out where the replica identity gives nothing. */
static void reader_removal(struct record_reader *reader, const cJSON *value,
			   const struct hostmap *map, const struct change *key)
{
	const cJSON *before = json_object(value, "before");

	if (!cJSON_IsNull(reader_member(reader, value, "value", "after"))) {
		reader_refuse(reader, "value", "after", "is not null though op is d");
	}
	if (before != NULL) {
		reader_match_row(reader, before, "before", map, key);
	}
}

static void read_source(const cJSON *value, struct change *change)
{
	const cJSON *source = json_object(value, "source");
	int64_t xid;

	if (json_integer(source, "txId", &xid) && xid > 0 && xid <= UINT32_MAX) {
		change->has_xid = true;
		change->xid = (uint32_t)xid;
	}
	if (!json_integer(source, "ts_us", &change->commit_us)) {
		change->commit_us = 0;
	}
}

static void read_value(struct record_reader *reader, const cJSON *value, const struct hostmap *map,
		       struct change *change)
{
	const char *op;

	if (!cJSON_IsObject(value)) {
		reader->failed = true;
		fault_input(reader->fault, "record: the value is no JSON object");
		return;
	}
	op = reader_text(reader, value, "value", "op");
	if (op != NULL && strcmp(op, "d") == 0) {
		change->is_gone = true;
		reader_removal(reader, value, map, change);
	} else if (op != NULL && strlen(op) == 1 && strchr("cur", *op) != NULL) {
		reader_assignment(reader, value, map, change, &change->assignment);
	} else {
		reader_refuse(reader, "value", "op", "is none of c, u, d, r");
	}
	read_source(value, change);
}

static bool read_pos(const struct record *record, struct change *change, struct fault *fault)
{
	struct pos pos;

	if (record->pos == NULL) {
		return fault_input(fault, "record: no header " POS_HEADER);
	}
	if (!pos_parse(record->pos, record->pos_length, &pos)) {
		return fault_input(fault, "record: malformed header " POS_HEADER);
	}
	pos_format(&pos, change->pos);
	return true;
}

static bool read_key(const struct record *record, struct change *change, struct fault *fault)
{
	struct record_reader reader = {.fault = fault};
	struct fault why;
	const cJSON *key;

	if (record->key == NULL) {
		return fault_input(fault, "record: no key");
	}
	key = json_parse_in(record->arena, record->key, record->key_length, RECORD_KEY_MAX_BYTES,
			    &why);
	if (key == NULL) {
		return fault_input(fault, "record: key: %s", why.what);
	}
	key = json_payload(key);
	if (!cJSON_IsObject(key)) {
		return fault_input(fault, "record: the key is no JSON object");
	}
	change->user = reader_uuid(&reader, key, "key", "user_id");
	change->id = reader_uuid(&reader, key, "key", "id");
	return !reader.failed;
}

/* draft, with its texts copied. */
static struct change *change_from(const struct change *draft, struct fault *fault)
{
	struct change *change = change_new(&draft->assignment);
	struct assignment copied;

	if (change == NULL) {
		fault_fatal(fault, "no memory for a change");
		return NULL;
	}
	copied = change->assignment;
	*change = *draft;
	change->assignment = copied;
	return change;
}

struct change *record_decode(const struct record *record, const struct hostmap *map,
			     struct fault *fault)
{
	struct change draft = {
	    .assignment = {.start_day = CHANGE_NO_DAY, .end_day = CHANGE_NO_DAY}};
	struct record_reader reader = {.fault = fault};
	struct fault why;
	const cJSON *value;

	if (!read_pos(record, &draft, fault) || !read_key(record, &draft, fault)) {
		return NULL;
	}
	if (record->value == NULL) {
		draft.is_gone = true;
		return change_from(&draft, fault);
	}
	if (record->value_length == 0) {
		fault_input(fault, "record: the value is empty");
		return NULL;
	}
	value = json_parse_in(record->arena, record->value, record->value_length,
			      RECORD_VALUE_MAX_BYTES, &why);
	if (value == NULL) {
		fault_input(fault, "record: value: %s", why.what);
		return NULL;
	}
	read_value(&reader, json_payload(value), map, &draft);
	return reader.failed ? NULL : change_from(&draft, fault);
}
