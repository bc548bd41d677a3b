/* bury.c - writes dead letters and waits for Kafka to have them. */
#include "worker/bury.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/pos.h"
#include "worker/letter.h"
#include "worker/worker.h"

/* What a delivery report finds again. */
struct grave {
	void (*done)(void *context, bool ok);
	void *context;
	bool is_cut;
	struct loop_call refused;
};

/* What goes to Kafka; headers are its own until librdkafka takes them. */
struct parcel {
	const void *key;
	size_t key_length;
	const void *value;
	size_t value_length;
	rd_kafka_headers_t *headers;
};

static void grave_close(struct grave *grave, bool ok)
{
	void (*done)(void *context, bool ok) = grave->done;
	void *context = grave->context;

	free(grave);
	done(context, ok);
}

static void header(rd_kafka_headers_t *headers, const char *name, const char *value)
{
	rd_kafka_header_add(headers, name, -1, value, -1);
}

static void header_number(rd_kafka_headers_t *headers, const char *name, int64_t number)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRId64, number);
	header(headers, name, text);
}

/* What the record itself carried, so that whoever looks at it has all of it. */
static void headers_keep(rd_kafka_headers_t *headers, const struct dead_letter *letter)
{
	const char *name;
	const void *value;
	size_t size;

	for (size_t i = 0; letter->headers != NULL &&
			   rd_kafka_header_get_all(letter->headers, i, &name, &value, &size) ==
			       RD_KAFKA_RESP_ERR_NO_ERROR;
	     i++) {
		if (strncmp(name, LETTER_PREFIX, strlen(LETTER_PREFIX)) != 0) {
			rd_kafka_header_add(headers, name, -1, value, (ssize_t)size);
		}
	}
	if (letter->headers == NULL && letter->pos != NULL) {
		header(headers, POS_HEADER, letter->pos);
	}
}

/* The ten headers that Kafka Connect gives a dead letter (ConnectHeaders "__connect.errors."). */
static rd_kafka_headers_t *letter_headers(const struct dead_letter *letter)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(16);

	headers_keep(headers, letter);
	header(headers, LETTER_PREFIX "topic", letter->topic);
	header_number(headers, LETTER_PREFIX "partition", letter->partition);
	header_number(headers, LETTER_PREFIX "offset", letter->offset);
	header(headers, LETTER_PREFIX "connector.name", "calrelay-worker");
	header(headers, LETTER_PREFIX "task.id", "0");
	header(headers, LETTER_PREFIX "stage", letter->stage);
	header(headers, LETTER_PREFIX "class.name", "calrelay-worker");
	header(headers, LETTER_PREFIX "exception.class.name", "fault");
	header(headers, LETTER_PREFIX "exception.message", letter->reason);
	header(headers, LETTER_PREFIX "exception.stacktrace", "");
	return headers;
}

/* Of a record too large for the topic: no value, and no header but ours and the position. */
static rd_kafka_headers_t *headers_cut(const rd_kafka_headers_t *from)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(16);
	const char *name;
	const void *value;
	size_t size;

	for (size_t i = 0;
	     rd_kafka_header_get_all(from, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
	     i++) {
		if (strcmp(name, LETTER_PREFIX "exception.message") == 0) {
			char text[320];

			snprintf(text, sizeof text, "too large, so without its value: %.*s",
				 (int)size, (const char *)value);
			header(headers, name, text);
		} else if (strncmp(name, LETTER_PREFIX, strlen(LETTER_PREFIX)) == 0 ||
			   (strcmp(name, POS_HEADER) == 0 && size < POS_TEXT_SIZE)) {
			rd_kafka_header_add(headers, name, -1, value, (ssize_t)size);
		}
	}
	return headers;
}

/* The headers are librdkafka's where it takes them, else still the caller's. */
static rd_kafka_resp_err_t bury_parcel(struct bury *bury, struct grave *grave,
				       const struct parcel *parcel)
{
	union {
		const void *from;
		void *to;
	} value = {.from = parcel->value}; /* F_COPY reads it only */

	return rd_kafka_producev(
	    bury->producer, RD_KAFKA_V_TOPIC(bury->topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
	    RD_KAFKA_V_KEY(parcel->key, parcel->key_length),
	    RD_KAFKA_V_VALUE(value.to, parcel->value_length), RD_KAFKA_V_HEADERS(parcel->headers),
	    RD_KAFKA_V_OPAQUE(grave), RD_KAFKA_V_END);
}

/* What is too large to be kept whole must not hold its partition up: its place is kept. */
static rd_kafka_resp_err_t bury_cut(struct bury *bury, struct grave *grave,
				    const struct parcel *whole)
{
	bool has_key = whole->key_length <= LETTER_KEY_MAX_BYTES;
	struct parcel parcel = {.key = has_key ? whole->key : NULL,
				.key_length = has_key ? whole->key_length : 0,
				.headers = headers_cut(whole->headers)};
	rd_kafka_resp_err_t err = bury_parcel(bury, grave, &parcel);

	grave->is_cut = true;
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		rd_kafka_headers_destroy(parcel.headers);
	}
	return err;
}

/* A broker takes less than librdkafka may.  False: not the reason, or cut already. */
static bool bury_again_cut(struct bury *bury, const rd_kafka_message_t *message)
{
	struct grave *grave = message->_private;
	struct parcel whole = {.key = message->key, .key_length = message->key_len};

	return message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && !grave->is_cut &&
	       rd_kafka_message_headers(message, &whole.headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
	       bury_cut(bury, grave, &whole) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* The topic may be made by hand as one likes; where nobody did, it gets the broker's defaults,
 * but as many copies as the event topics. */
static void bury_create_topic(struct bury *bury)
{
	char why[160];
	rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(
	    bury->topic, 1, (int)bury->worker->config.replication_factor, why, sizeof why);

	if (topic == NULL) {
		log_error("the dead-letter topic can't be named", LOG_TEXT("error", why));
		return;
	}
	rd_kafka_CreateTopics(bury->producer, &topic, 1, NULL, bury->queue.queue);
	rd_kafka_NewTopic_destroy(topic);
}

static void on_created(struct bury *bury, rd_kafka_event_t *event)
{
	size_t count = 0;
	const rd_kafka_topic_result_t **results =
	    rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
	rd_kafka_resp_err_t err =
	    count == 1 ? rd_kafka_topic_result_error(results[0]) : rd_kafka_event_error(event);

	if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
		log_info("topic created", LOG_TEXT("messaging.destination.name", bury->topic));
	} else if (err != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
		log_warn("the dead-letter topic was not created",
			 LOG_TEXT("error", rd_kafka_err2str(err)));
	}
}

static void on_reports(struct bury *bury, rd_kafka_event_t *event)
{
	const rd_kafka_message_t *message;

	while ((message = rd_kafka_event_message_next(event)) != NULL) {
		if (bury_again_cut(bury, message)) {
			continue;
		}
		if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
			log_error("a dead letter was not delivered",
				  LOG_TEXT("error", rd_kafka_err2str(message->err)));
			bury_create_topic(bury); /* perhaps somebody deleted it */
		}
		grave_close(message->_private, message->err == RD_KAFKA_RESP_ERR_NO_ERROR);
	}
}

static void on_ready(struct kafka_queue *queue)
{
	struct bury *bury = container_of(queue, struct bury, queue);
	rd_kafka_event_t *event;

	while ((event = rd_kafka_queue_poll(queue->queue, 0)) != NULL) {
		if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
			on_reports(bury, event);
		} else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_CREATETOPICS_RESULT) {
			on_created(bury, event);
		}
		rd_kafka_event_destroy(event);
	}
}

static rd_kafka_conf_t *bury_conf(const struct worker_config *config, struct fault *fault)
{
	rd_kafka_conf_t *conf = kafka_conf_new(config->kafka_bootstrap, config->kafka_config_file,
					       "calrelay-worker", fault);

	if (conf == NULL || !kafka_conf_set(conf, "enable.idempotence", "true", fault) ||
	    !kafka_conf_set(conf, "linger.ms", "5", fault)) {
		if (conf != NULL) {
			rd_kafka_conf_destroy(conf);
		}
		return NULL;
	}
	rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR);
	return conf;
}

bool bury_open(struct bury *bury, struct worker *worker, struct fault *fault)
{
	rd_kafka_conf_t *conf = bury_conf(&worker->config, fault);
	struct buf topic;
	char why[160];

	*bury = (struct bury){.worker = worker};
	if (conf == NULL) {
		return false;
	}
	bury->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
	if (bury->producer == NULL) {
		rd_kafka_conf_destroy(conf);
		return fault_fatal(fault, "Kafka client: %.160s", why);
	}
	buf_init(&topic, 300);
	buf_format(&topic, "%s.dlq", worker->config.topic_prefix);
	bury->topic = buf_steal(&topic);
	kafka_queue_init(&bury->queue, &worker->loop, rd_kafka_queue_get_main(bury->producer),
			 on_ready);
	bury->is_open = true;
	bury_create_topic(bury);
	return true;
}

static void on_refused(struct loop_call *call)
{
	grave_close(container_of(call, struct grave, refused), false);
}

void bury_send(struct bury *bury, const struct dead_letter *letter)
{
	struct grave *grave = calloc(1, sizeof *grave);
	struct parcel parcel = {.key = letter->key,
				.key_length = letter->key_length,
				.value = letter->value,
				.value_length = letter->value_length,
				.headers = letter_headers(letter)};
	rd_kafka_resp_err_t err;

	if (grave == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	*grave = (struct grave){.done = letter->done, .context = letter->context};
	STATS_COUNT(bury->worker->stats.dead_letters, letter->stage);
	err = bury_parcel(bury, grave, &parcel);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		if (err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
			err = bury_cut(bury, grave, &parcel);
		}
		rd_kafka_headers_destroy(parcel.headers);
	}
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		log_error("a dead letter was not taken", LOG_TEXT("error", rd_kafka_err2str(err)));
		loop_defer(&bury->worker->loop, &grave->refused, on_refused);
	}
} /* NOLINT(clang-analyzer-unix.Malloc): the grave comes back with its delivery report */

static void on_closed(struct kafka_queue *queue)
{
	struct bury *bury = container_of(queue, struct bury, queue);

	bury->is_open = false;
}

void bury_close(struct bury *bury)
{
	on_ready(&bury->queue); /* nobody waits any more, but graves are freed */
	kafka_queue_close(&bury->queue, on_closed);
	rd_kafka_purge(bury->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	rd_kafka_destroy(bury->producer);
	free(bury->topic);
}
