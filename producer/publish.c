/* publish.c - records into Kafka.
 *
 * Within a partition no gap can arise: gapless idempotence makes a refused batch fatal, and a
 * partition that makes no progress is withdrawn as a whole before librdkafka would let single
 * records expire.  The records' own expiry remains for a process that was frozen meanwhile. */
#include "producer/publish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/digits.h"
#include "common/kafka.h"
#include "common/log.h"
#include "producer/topic.h"

#define PUBLISH_OVERHEAD_BYTES 400
#define PUBLISH_CLOSE_MAX_MS   5000
#define PUBLISH_EVENTS_BUDGET  64

struct publish_lane {
	uint32_t in_flight;
	int64_t since_ms;    /* last progress */
	int64_t next_offset; /* of the next record that is ours; a gap is somebody else's */
};

struct publish {
	struct loop *loop;
	rd_kafka_t *rk;
	struct kafka_queue queue;
	uv_timer_t timer;
	rd_kafka_topic_t *topics[TAILS_TOPICS];
	struct publish_lane lanes[TAILS_TOPICS][TAILS_PARTITIONS_MAX];
	struct tails *tails;
	struct publish_owner *owner;
	int64_t stuck_ms;
	size_t in_flight;
	size_t in_flight_bytes;
	bool has_failed;
	bool closing;
	int64_t close_by_ms;
	int handles; /* still to be closed by uv */
	void (*closed)(void *context);
	void *context;
};

/* ---- what Kafka answers ---- */

static void publish_fail(struct publish *publish, const struct fault *fault)
{
	if (!publish->has_failed) {
		publish->has_failed = true;
		rd_kafka_purge(publish->rk, RD_KAFKA_PURGE_F_QUEUE);
		if (!publish->closing) {
			publish->owner->failed(publish->owner, fault);
		}
	}
}

static enum tails_topic message_topic(const struct publish *publish,
				      const rd_kafka_message_t *message)
{
	return message->rkt == publish->topics[TAILS_REQUESTS] ? TAILS_REQUESTS : TAILS_ASSIGNMENTS;
}

static bool fault_of_client(const struct publish *publish, struct fault *fault)
{
	char why[200];

	rd_kafka_fatal_error(publish->rk, why, sizeof why);
	return fault_fatal(fault, "Kafka: %s", why);
}

static void on_failure(struct publish *publish, const rd_kafka_message_t *message,
		       enum tails_topic topic)
{
	struct fault fault;
	struct pos pos;

	if (topic_read_pos(message, &pos)) {
		tails_note_gap(publish->tails, topic, message->partition, &pos);
	}
	if (message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
		fault_fatal(
		    &fault,
		    "Kafka refuses a record of %zu bytes: raise max.message.bytes of topic %s",
		    message->len, rd_kafka_topic_name(message->rkt));
	} else if (rd_kafka_fatal_error(publish->rk, NULL, 0) != RD_KAFKA_RESP_ERR_NO_ERROR) {
		(void)!fault_of_client(publish, &fault); /* refused for good */
	} else {
		fault_retry(&fault, "a record was not delivered to partition %d: %s",
			    (int)message->partition, rd_kafka_err2str(message->err));
	}
	publish_fail(publish, &fault);
}

/* Offsets have no gaps but for records of others.  Without an offset (Kafka had the record already)
 * nothing is known, so that is looked at, too. */
static bool note_offset(struct publish *publish, const rd_kafka_message_t *message,
			enum tails_topic topic)
{
	struct publish_lane *lane = &publish->lanes[topic][message->partition];
	int64_t expected = lane->next_offset;

	lane->next_offset = message->offset + 1;
	if (message->offset == expected) {
		return true;
	}
	tails_note_foreign(publish->tails, topic, message->partition, expected);
	return false;
}

static void on_foreign(struct publish *publish, enum tails_topic topic, int32_t partition)
{
	struct fault fault;

	fault_retry(&fault, "somebody else wrote into partition %d of %.150s: looking what it is",
		    (int)partition, rd_kafka_topic_name(publish->topics[topic]));
	publish_fail(publish, &fault);
}

static void on_delivery(struct publish *publish, const rd_kafka_message_t *message, int64_t now_ms)
{
	enum tails_topic topic = message_topic(publish, message);
	struct publish_lane *lane = &publish->lanes[topic][message->partition];
	const struct tails_end *end = &publish->tails->ends[topic][message->partition];
	struct pos pos;

	publish->in_flight--;
	publish->in_flight_bytes -= message->len + message->key_len + PUBLISH_OVERHEAD_BYTES;
	lane->in_flight--;
	lane->since_ms = now_ms;
	if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		on_failure(publish, message, topic);
		return;
	}
	if (end->has_gap && topic_read_pos(message, &pos)) {
		tails_note_delivered(publish->tails, topic, message->partition, &pos);
	}
	if (!note_offset(publish, message, topic)) {
		on_foreign(publish, topic, message->partition);
	}
	if (!publish->has_failed && !publish->closing) {
		publish->owner->delivered(publish->owner, (uint64_t)(uintptr_t)message->_private);
	}
}

static void on_error(struct publish *publish, rd_kafka_event_t *event)
{
	struct fault fault;

	if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR__FATAL) {
		log_warn("Kafka", LOG_TEXT("error", rd_kafka_event_error_string(event)));
		return;
	}
	(void)!fault_of_client(publish, &fault);
	publish_fail(publish, &fault);
}

static void on_event(struct publish *publish, rd_kafka_event_t *event)
{
	const rd_kafka_message_t *message;
	int64_t now_ms = clock_mono_ms();

	switch (rd_kafka_event_type(event)) {
	case RD_KAFKA_EVENT_DR:
		while ((message = rd_kafka_event_message_next(event)) != NULL) {
			on_delivery(publish, message, now_ms);
		}
		break;
	case RD_KAFKA_EVENT_ERROR:
		on_error(publish, event);
		break;
	default:
		break;
	}
	rd_kafka_event_destroy(event);
}

static void publish_drained(struct publish *publish);

static void on_queue(struct kafka_queue *queue)
{
	struct publish *publish = container_of(queue, struct publish, queue);
	rd_kafka_event_t *event;

	for (int i = 0; i < PUBLISH_EVENTS_BUDGET; i++) {
		event = rd_kafka_queue_poll(queue->queue, 0);
		if (event == NULL) {
			break;
		}
		on_event(publish, event);
		if (i == PUBLISH_EVENTS_BUDGET - 1) {
			kafka_queue_again(queue);
		}
	}
	if (publish->closing) {
		publish_drained(publish);
	} else if (!publish->has_failed) {
		publish->owner->settled(publish->owner);
	}
}

/* ---- time ---- */

static bool has_stuck_lane(const struct publish *publish, int64_t now_ms)
{
	for (int topic = 0; topic < TAILS_TOPICS; topic++) {
		for (int partition = 0; partition < TAILS_PARTITIONS_MAX; partition++) {
			const struct publish_lane *lane = &publish->lanes[topic][partition];

			if (lane->in_flight > 0 && now_ms - lane->since_ms > publish->stuck_ms) {
				return true;
			}
		}
	}
	return false;
}

static void on_timer(uv_timer_t *timer)
{
	struct publish *publish = container_of(timer, struct publish, timer);
	struct fault fault;

	kafka_queue_again(&publish->queue); /* librdkafka's wake-up is only for an empty queue */
	if (!publish->closing && has_stuck_lane(publish, clock_mono_ms())) {
		fault_retry(&fault, "Kafka confirmed nothing for %d ms", (int)publish->stuck_ms);
		publish_fail(publish, &fault);
	}
}

/* ---- sending ---- */

static uint64_t fnv64(const char *text)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *text != '\0'; text++) {
		hash = (hash ^ (uint8_t)*text) * UINT64_C(1099511628211);
	}
	return hash;
}

#define TRACEPARENT_LENGTH 55

/* W3C trace context: one trace per source transaction, one span per record, the same on a resend.
 */
static void write_traceparent(char out[TRACEPARENT_LENGTH], const struct pos *pos,
			      const char *pos_text)
{
	uint64_t span = fnv64(pos_text);
	uint64_t epoch = (uint64_t)pos->epoch << 32 | 0x63616c72; /* never all zero */
	static const char frame[TRACEPARENT_LENGTH] = {
	    '0', '0', '-', [35] = '-', [52] = '-', '0', '1'};

	memcpy(out, frame, sizeof frame);
	digits_write_hex(out + 3, 16, epoch);
	digits_write_hex(out + 19, 16, pos->commit_lsn);
	digits_write_hex(out + 36, 16, span != 0 ? span : 1);
}

static rd_kafka_headers_t *make_headers(const struct publish_record *record)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
	char pos[POS_TEXT_SIZE];
	char traceparent[TRACEPARENT_LENGTH];

	pos_format(&record->pos, pos);
	write_traceparent(traceparent, &record->pos, pos);
	if (record->header_name != NULL) {
		rd_kafka_header_add(headers, record->header_name, -1, record->header_value, -1);
	}
	rd_kafka_header_add(headers, POS_HEADER, -1, pos, -1);
	rd_kafka_header_add(headers, "calrelay.cause", -1, record->cause, -1);
	rd_kafka_header_add(headers, "traceparent", -1, traceparent, sizeof traceparent);
	return headers;
}

static bool publish_produce(struct publish *publish, const struct publish_record *record,
			    struct fault *fault)
{
	rd_kafka_headers_t *headers = make_headers(record);
	rd_kafka_resp_err_t error;

	/* librdkafka takes non-const pointers, but copies what they point to (F_COPY). */
	error = rd_kafka_producev(
	    publish->rk, RD_KAFKA_V_RKT(publish->topics[record->topic]),
	    RD_KAFKA_V_PARTITION(record->partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
	    RD_KAFKA_V_KEY(record->key, record->key_length),
	    RD_KAFKA_V_VALUE((void *)(uintptr_t)record->value, record->value_length),
	    RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE((void *)(uintptr_t)record->number),
	    RD_KAFKA_V_END);
	if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
		return true;
	}
	rd_kafka_headers_destroy(headers);
	if (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
		return fault_fatal(fault, "a row makes a record of %zu bytes, and %d are the most",
				   record->value_length, PUBLISH_RECORD_MAX_BYTES);
	}
	if (error == RD_KAFKA_RESP_ERR__FATAL) {
		return fault_of_client(publish, fault);
	}
	return fault_retry(fault, "Kafka takes no record: %s", rd_kafka_err2str(error));
}

bool publish_send(struct publish *publish, const struct publish_record *record, bool *sent,
		  struct fault *fault)
{
	struct publish_lane *lane = &publish->lanes[record->topic][record->partition];

	*sent = false;
	if (tails_has(publish->tails, record->topic, record->partition, &record->pos)) {
		return true;
	}
	if (!publish_produce(publish, record, fault)) {
		return false;
	}
	if (lane->in_flight++ == 0) {
		lane->since_ms = clock_mono_ms();
	}
	publish->in_flight++;
	publish->in_flight_bytes +=
	    record->key_length + record->value_length + PUBLISH_OVERHEAD_BYTES;
	*sent = true;
	return true;
}

bool publish_has_room(const struct publish *publish)
{
	return !publish->has_failed && publish->in_flight < PUBLISH_IN_FLIGHT_MAX &&
	       publish->in_flight_bytes < PUBLISH_IN_FLIGHT_MAX_BYTES;
}

size_t publish_in_flight(const struct publish *publish)
{
	return publish->in_flight;
}

rd_kafka_t *publish_client(const struct publish *publish)
{
	return publish->rk;
}

int64_t publish_idle_offset(const struct publish *publish, enum tails_topic topic,
			    int32_t partition)
{
	const struct publish_lane *lane = &publish->lanes[topic][partition];

	return lane->in_flight == 0 ? lane->next_offset : -1;
}

/* ---- life ---- */

static rd_kafka_conf_t *publish_conf(const struct settings *settings, int timeout_ms,
				     struct fault *fault)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char timeout[16];
	char largest[16];

	snprintf(timeout, sizeof timeout, "%d", timeout_ms);
	snprintf(largest, sizeof largest, "%d", PUBLISH_RECORD_MAX_BYTES);
	if (!kafka_conf_set(conf, "compression.type", "lz4", fault) ||
	    !kafka_conf_fill(conf, settings->kafka_bootstrap, settings->kafka_config_file,
			     "calrelay-producer", fault) ||
	    !kafka_conf_set(conf, "acks", "all", fault) ||
	    !kafka_conf_set(conf, "enable.idempotence", "true", fault) ||
	    !kafka_conf_set(conf, "enable.gapless.guarantee", "true", fault) ||
	    !kafka_conf_set(conf, "linger.ms", "2", fault) ||
	    !kafka_conf_set(conf, "message.timeout.ms", timeout, fault) ||
	    !kafka_conf_set(conf, "message.max.bytes", largest, fault) ||
	    !kafka_conf_set(conf, "queue.buffering.max.kbytes", "65536", fault) ||
	    !kafka_conf_set(conf, "delivery.report.only.error", "false", fault)) {
		rd_kafka_conf_destroy(conf);
		return NULL;
	}
	rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
	return conf;
}

static bool publish_open_topics(struct publish *publish, const struct settings *settings)
{
	char name[TOPIC_NAME_SIZE];

	for (int i = 0; i < TAILS_TOPICS; i++) {
		topic_name(settings, (enum tails_topic)i, name);
		publish->topics[i] = rd_kafka_topic_new(publish->rk, name, NULL);
		if (publish->topics[i] == NULL) {
			return false;
		}
	}
	return true;
}

static void publish_open_lanes(struct publish *publish)
{
	for (int topic = 0; topic < TAILS_TOPICS; topic++) {
		for (int partition = 0; partition < TAILS_PARTITIONS_MAX; partition++) {
			publish->lanes[topic][partition].next_offset =
			    publish->tails->ends[topic][partition].next_offset;
		}
	}
}

struct publish *publish_new(struct loop *loop, const struct settings *settings, int timeout_ms,
			    struct tails *tails, struct publish_owner *owner, struct fault *fault)
{
	struct publish *publish = calloc(1, sizeof *publish);
	rd_kafka_conf_t *conf = publish_conf(settings, timeout_ms, fault);
	char why[200];

	if (publish == NULL || conf == NULL) {
		free(publish);
		return NULL;
	}
	publish->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
	if (publish->rk == NULL || !publish_open_topics(publish, settings)) {
		if (publish->rk == NULL) {
			rd_kafka_conf_destroy(conf);
		}
		fault_fatal(fault, "Kafka: %s", publish->rk == NULL ? why : "no topic handle");
		free(publish);
		return NULL;
	}
	publish->loop = loop;
	publish->tails = tails;
	publish->owner = owner;
	publish->stuck_ms = (int64_t)timeout_ms * 2 / 3;
	publish_open_lanes(publish);
	kafka_queue_init(&publish->queue, loop, rd_kafka_queue_get_main(publish->rk), on_queue);
	uv_timer_init(&loop->uv, &publish->timer);
	uv_timer_start(&publish->timer, on_timer, 500, 500);
	return publish;
}

static void publish_destroy(struct publish *publish)
{
	for (int i = 0; i < TAILS_TOPICS; i++) {
		rd_kafka_topic_destroy(publish->topics[i]);
	}
	rd_kafka_destroy(publish->rk);
	publish->closed(publish->context);
	free(publish);
}

static void on_handle_closed(struct publish *publish)
{
	if (--publish->handles == 0) {
		publish_destroy(publish);
	}
}

static void on_timer_closed(uv_handle_t *handle)
{
	on_handle_closed(container_of((uv_timer_t *)(void *)handle, struct publish, timer));
}

static void on_queue_closed(struct kafka_queue *queue)
{
	on_handle_closed(container_of(queue, struct publish, queue));
}

/* Goes on once nothing is on its way, or when it has taken too long. */
static void publish_drained(struct publish *publish)
{
	if (publish->handles > 0 ||
	    (publish->in_flight > 0 && clock_mono_ms() < publish->close_by_ms)) {
		return;
	}
	publish->handles = 2;
	rd_kafka_purge(publish->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	kafka_queue_close(&publish->queue, on_queue_closed);
	uv_timer_stop(&publish->timer);
	uv_close((uv_handle_t *)&publish->timer, on_timer_closed);
}

void publish_close(struct publish *publish, void (*closed)(void *context), void *context)
{
	publish->closing = true;
	publish->closed = closed;
	publish->context = context;
	publish->close_by_ms = clock_mono_ms() + PUBLISH_CLOSE_MAX_MS;
	rd_kafka_purge(publish->rk, RD_KAFKA_PURGE_F_QUEUE);
	kafka_queue_again(&publish->queue);
}
