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
	struct loop_call refused;
};

static void grave_close(struct grave *grave, bool ok)
{
	void (*done)(void *context, bool ok) = grave->done;
	void *context = grave->context;

	free(grave);
	done(context, ok);
}

/* The topic may be made by hand as one likes; where nobody did, it gets the broker's defaults. */
static void bury_create_topic(struct bury *bury)
{
	char why[160];
	rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(bury->topic, 1, -1, why, sizeof why);

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

static void on_refused(struct loop_call *call)
{
	grave_close(container_of(call, struct grave, refused), false);
}

void bury_send(struct bury *bury, const struct dead_letter *letter)
{
	struct grave *grave = calloc(1, sizeof *grave);
	rd_kafka_headers_t *headers = letter_headers(letter);
	union {
		const void *from;
		void *to;
	} value = {.from = letter->value}; /* F_COPY reads it only */
	rd_kafka_resp_err_t err;

	if (grave == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	*grave = (struct grave){.done = letter->done, .context = letter->context};
	STATS_COUNT(bury->worker->stats.dead_letters, letter->stage);
	err = rd_kafka_producev(
	    bury->producer, RD_KAFKA_V_TOPIC(bury->topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
	    RD_KAFKA_V_KEY(letter->key, letter->key_length),
	    RD_KAFKA_V_VALUE(value.to, letter->value_length), RD_KAFKA_V_HEADERS(headers),
	    RD_KAFKA_V_OPAQUE(grave), RD_KAFKA_V_END);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		rd_kafka_headers_destroy(headers);
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
