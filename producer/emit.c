/* emit.c - one record: key, value, headers and partition, handed to Kafka. */
#include "producer/emit.h"

#include <string.h>
#include <time.h>

#include "common/kafka.h"

#define EMIT_KEY_MAX_BYTES 4096

void emit_init(struct emit *emit)
{
	buf_init(&emit->key, EMIT_KEY_MAX_BYTES);
	buf_init(&emit->header, EMIT_KEY_MAX_BYTES);
	buf_init(&emit->value, PUBLISH_RECORD_MAX_BYTES);
}

void emit_close(struct emit *emit)
{
	buf_close(&emit->key);
	buf_close(&emit->header);
	buf_close(&emit->value);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool user_partition(const struct emit *emit, const struct pgoutput_value *user_id,
			   int32_t *partition, struct fault *fault)
{
	char text[EMIT_USER_SIZE];

	if (user_id->length >= sizeof text) {
		return fault_fatal(fault, "a user id of %u bytes", user_id->length);
	}
	memcpy(text, user_id->text, user_id->length);
	text[user_id->length] = '\0';
	*partition = kafka_user_partition(text, emit->partitions);
	return true;
}

/* With its schema, where the relation has one. */
static void write_key(struct buf *out, const struct relation *relation,
		      const struct assemble_key *key)
{
	if (relation->key_head == NULL) {
		debezium_write_key(out, key->user_id, key->id);
		return;
	}
	buf_text(out, relation->key_head);
	debezium_write_key(out, key->user_id, key->id);
	buf_char(out, '}');
}

static void write_value(struct buf *out, const struct debezium_event *event)
{
	const char *head = event->relation->value_head;

	if (head == NULL) {
		debezium_write_value(out, event);
		return;
	}
	buf_text(out, head);
	debezium_write_value(out, event);
	buf_char(out, '}');
}

static void write_texts(struct emit *emit, const struct emit_record *record)
{
	const struct assemble_record *what = record->record;

	buf_reset(&emit->key);
	buf_reset(&emit->value);
	buf_reset(&emit->header);
	write_key(&emit->key, record->relation, &what->key);
	if (what->has_old_key || what->has_new_key) {
		debezium_write_key(&emit->header, what->other_key.user_id, what->other_key.id);
	}
	if (record->event != NULL) {
		record->event->op = what->op;
		record->event->source.name = emit->prefix;
		record->event->source.database = emit->database;
		record->event->now_ns = now_ns();
		write_value(&emit->value, record->event);
	}
}

static struct series *find_series(struct emit *emit, char op, const char *cause)
{
	const char text[2] = {op, '\0'};
	struct emit_count count = {.op = op, .cause = cause};

	for (int i = 0; i < emit->count_count; i++) {
		if (emit->counts[i].op == op && emit->counts[i].cause == cause) {
			return emit->counts[i].series;
		}
	}
	count.series = metric_series(emit->events,
				     (const char *const[]){op != '\0' ? text : "tombstone", cause});
	if (emit->count_count < EMIT_COUNTS_MAX) {
		emit->counts[emit->count_count++] = count;
	}
	return count.series;
}

bool emit_send(struct emit *emit, const struct emit_record *record, bool *sent, struct fault *fault)
{
	const struct assemble_record *what = record->record;
	struct publish_record out = {.topic = record->topic,
				     .pos = record->pos,
				     .cause = record->cause,
				     .number = record->number};

	if (emit->has_schemas && record->relation->value_head == NULL) {
		return fault_fatal(fault, "out of memory");
	}
	if (!user_partition(emit, what->key.user_id, &out.partition, fault)) {
		return false;
	}
	write_texts(emit, record);
	if (emit->key.failed || emit->header.failed || emit->value.failed) {
		return fault_fatal(fault, "a row makes a record of more than %d bytes",
				   PUBLISH_RECORD_MAX_BYTES);
	}
	out.pos.epoch = emit->epoch;
	out.key = buf_string(&emit->key);
	out.key_length = emit->key.length;
	if (record->event != NULL) {
		out.value = buf_string(&emit->value);
		out.value_length = emit->value.length;
	}
	if (what->has_old_key || what->has_new_key) {
		out.header_name = what->has_old_key ? "__debezium.oldkey" : "__debezium.newkey";
		out.header_value = buf_string(&emit->header);
	}
	if (!publish_send(emit->publish, &out, sent, fault)) {
		return false;
	}
	if (*sent) {
		series_add(find_series(emit, what->op, record->cause), 1);
	}
	return true;
}
