/* read.c - records in: from a partition's queue to the lanes, or to the fold of a replay. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "worker/intake.h"
#include "worker/record.h"
#include "worker/worker.h"

#define READ_BUDGET	   500 /* records per turn of the loop and partition */
#define READ_KEY_MAX_BYTES 4096

/* ---- dead letters ---- */

/* A copy of the record, because librdkafka's message goes with its event. */
struct dead_record {
	struct part *part;
	int64_t offset;
	size_t key_length;
	size_t value_length;
	bool has_key;
	bool has_value;
	char reason[256];
	rd_kafka_headers_t *headers; /* NULL: none */
	struct loop_call again;
	char bytes[]; /* key, then value */
};

static void bury_record(struct dead_record *dead);

static void on_bury_again(struct loop_call *call)
{
	bury_record(container_of(call, struct dead_record, again));
}

static void on_buried(void *context, bool ok)
{
	struct dead_record *dead = context;
	struct part *part = dead->part;
	struct intake *intake = part->intake;

	if (!ok && part->state != PART_RELEASED) {
		loop_defer(&intake->worker->loop, &dead->again, on_bury_again);
		return;
	}
	if (ok) {
		STATS_COUNT(intake->worker->stats.records, "rejected");
		intake_done(intake, part, dead->offset);
	}
	if (dead->headers != NULL) {
		rd_kafka_headers_destroy(dead->headers);
	}
	free(dead);
	intake_run_ended(intake, part);
}

static void bury_record(struct dead_record *dead)
{
	struct dead_letter letter = {.topic = dead->part->topic,
				     .partition = dead->part->partition,
				     .offset = dead->offset,
				     .key = dead->has_key ? dead->bytes : NULL,
				     .key_length = dead->key_length,
				     .value =
					 dead->has_value ? dead->bytes + dead->key_length : NULL,
				     .value_length = dead->value_length,
				     .headers = dead->headers,
				     .stage = "decode",
				     .reason = dead->reason,
				     .done = on_buried,
				     .context = dead};

	bury_send(&dead->part->intake->worker->bury, &letter);
}

static void out_of_memory(void)
{
	fputs("out of memory\n", stderr);
	abort();
}

static void reject(struct part *part, const rd_kafka_message_t *message, const struct fault *fault)
{
	struct dead_record *dead = calloc(1, sizeof *dead + message->key_len + message->len);
	rd_kafka_headers_t *headers;

	if (dead == NULL) {
		out_of_memory();
	}
	log_error("a record can't be read: it goes to the dead-letter topic",
		  LOG_TEXT("messaging.destination.name", part->topic),
		  LOG_NUMBER("messaging.destination.partition.id", message->partition),
		  LOG_NUMBER("messaging.kafka.offset", message->offset),
		  LOG_TEXT("error", fault->what));
	dead->part = part;
	dead->offset = message->offset;
	dead->key_length = message->key_len;
	dead->value_length = message->len;
	dead->has_key = message->key != NULL;
	dead->has_value = message->payload != NULL;
	snprintf(dead->reason, sizeof dead->reason, "%s", fault->what);
	if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
		dead->headers = rd_kafka_headers_copy(headers);
	}
	if (message->key != NULL) {
		memcpy(dead->bytes, message->key, message->key_len);
	}
	if (message->payload != NULL) {
		memcpy(dead->bytes + message->key_len, message->payload, message->len);
	}
	part->holds++;
	bury_record(dead);
}

/* ---- one record ---- */

static struct change *decode(struct part *part, const rd_kafka_message_t *message,
			     struct fault *fault)
{
	struct record record = {.key = message->key,
				.key_length = message->key_len,
				.value = message->payload,
				.value_length = message->len,
				.arena = &part->intake->worker->json};
	rd_kafka_headers_t *headers = NULL;
	const void *pos = NULL;
	size_t pos_length = 0;

	if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
	    rd_kafka_header_get_last(headers, POS_HEADER, &pos, &pos_length) ==
		RD_KAFKA_RESP_ERR_NO_ERROR) {
		record.pos = pos;
		record.pos_length = pos_length;
	}
	return record_decode(&record, &part->intake->worker->map, fault);
}

static char *copy_value(const rd_kafka_message_t *message)
{
	char *raw = message->len > 0 ? malloc(message->len) : NULL;

	if (raw != NULL) {
		memcpy(raw, message->payload, message->len);
	}
	return raw;
}

static void take_change(struct part *part, const rd_kafka_message_t *message, struct change *change)
{
	struct lanes *lanes = &part->intake->worker->lanes;
	bool folds = part->state == PART_FOLDING;
	struct lane *lane = lanes_get(lanes, &change->user, part);
	char *raw = folds ? NULL : copy_value(message);

	if (lane == NULL || !lane_put(lanes, lane, change, raw, raw != NULL ? message->len : 0,
				      folds ? -1 : message->offset)) {
		out_of_memory();
	}
	if (!folds) {
		lanes_make_ready(lanes, lane);
	} else if (!lane->wants_replay) {
		lane->wants_replay = true;
		part->replay_lanes++;
	}
}

static bool parse_user(const rd_kafka_message_t *message, struct uuid *user, struct fault *fault)
{
	cJSON *key = message->key != NULL
			 ? json_parse(message->key, message->key_len, READ_KEY_MAX_BYTES, fault)
			 : NULL;
	const char *text = json_text(json_payload(key), "user_id");
	bool ok = text != NULL && uuid_parse(text, user);

	cJSON_Delete(key);
	return ok || fault_input(fault, "the key holds no user_id");
}

/* The row in PostgreSQL is what counts; the record only says that it is time to look. */
static bool take_request(struct part *part, const rd_kafka_message_t *message, struct fault *fault)
{
	struct worker *worker = part->intake->worker;
	char text[UUID_TEXT_SIZE];
	struct uuid user;
	struct part *events;
	struct lane *lane;

	if (!parse_user(message, &user, fault)) {
		return false;
	}
	uuid_format(&user, text);
	events = intake_part_of(part->intake, text);
	lane = events != NULL ? lanes_get(&worker->lanes, &user, events) : NULL;
	if (lane != NULL) {
		lane->wants_sync = true;
		lanes_make_ready(&worker->lanes, lane);
	}
	intake_done(part->intake, part, message->offset);
	return true;
}

static void take_record(struct part *part, const rd_kafka_message_t *message)
{
	struct fault fault = {0};
	struct change *change;

	if (part->state == PART_READING &&
	    !ledger_deliver(&part->ledger, message->offset,
			    rd_kafka_message_timestamp(message, NULL))) {
		return; /* delivered before: a fetch after a rewind */
	}
	part->progress_ms = clock_mono_ms();
	if (part->is_requests) {
		if (!take_request(part, message, &fault)) {
			reject(part, message, &fault);
		}
		return;
	}
	change = decode(part, message, &fault);
	if (change != NULL) {
		take_change(part, message, change);
	} else if (part->state == PART_READING) {
		reject(part, message, &fault);
	} /* a replay meets what was buried when it came first */
}

/* ---- replay ---- */

static void fold_end(struct part *part)
{
	struct lanes *lanes = &part->intake->worker->lanes;
	struct lane *lane;
	struct lane *next;

	log_info("the log is folded: comparing with the mailboxes",
		 LOG_TEXT("messaging.destination.name", part->topic),
		 LOG_NUMBER("messaging.destination.partition.id", part->partition),
		 LOG_NUMBER("users", part->replay_lanes));
	part->state = PART_REPLAYING;
	part->has_folded = true;
	HASH_ITER(hh, lanes->by_user, lane, next)
	{
		if (lane->part == part) {
			lanes_make_ready(lanes, lane);
		}
	}
	if (part->replay_lanes == 0) {
		read_replay_ended(part);
	}
}

void read_replay_ended(struct part *part)
{
	log_info("a replay is done", LOG_TEXT("messaging.destination.name", part->topic),
		 LOG_NUMBER("messaging.destination.partition.id", part->partition),
		 LOG_NUMBER("to", part->replay_to));
	ledger_close(&part->ledger);
	if (!ledger_init(&part->ledger, part->replay_to)) {
		out_of_memory();
	}
	part->start = part->replay_to;
	part->replay_to = -1;
	part->has_folded = false;
	part->state = PART_READING;
	kafka_queue_again(&part->queue);
}

/* ---- the queue ---- */

static void take_message(struct part *part, const rd_kafka_message_t *message)
{
	if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
		take_record(part, message);
	} else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
		log_warn("a partition can't be read",
			 LOG_TEXT("messaging.destination.name", part->topic),
			 LOG_NUMBER("messaging.destination.partition.id", part->partition),
			 LOG_TEXT("error", rd_kafka_err2str(message->err)));
	}
	/* the last records may be gaps, which only the end of the partition shows */
	if (part->state == PART_FOLDING &&
	    (message->err == RD_KAFKA_RESP_ERR_NO_ERROR ||
	     message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) &&
	    message->offset + (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) >= part->replay_to) {
		fold_end(part);
	}
}

static bool may_read(const struct part *part)
{
	return part->state == PART_FOLDING ||
	       (part->state == PART_READING && !ledger_is_full(&part->ledger));
}

void read_ready(struct kafka_queue *queue)
{
	struct part *part = container_of(queue, struct part, queue);
	struct worker *worker = part->intake->worker;
	int budget = READ_BUDGET;

	if (part->intake->state != INTAKE_RUNNING) {
		return;
	}
	while (budget > 0 && may_read(part)) {
		rd_kafka_event_t *event = rd_kafka_queue_poll(queue->queue, 0);
		const rd_kafka_message_t *message;

		if (event == NULL) {
			break;
		}
		while ((message = rd_kafka_event_message_next(event)) != NULL) {
			take_message(part, message);
			budget--;
		}
		rd_kafka_event_destroy(event);
	}
	part->has_unread = !may_read(part);
	if (budget <= 0 && may_read(part)) {
		kafka_queue_again(queue);
	}
	worker_dispatch_soon(worker);
}

void read_start(struct part *part)
{
	struct lanes *lanes = &part->intake->worker->lanes;
	struct lane *lane;
	struct lane *next;

	if (part->replay_to < 0) {
		part->state = PART_READING;
	} else {
		part->state = part->has_folded ? PART_REPLAYING : PART_FOLDING;
	}
	part->progress_ms = clock_mono_ms();
	HASH_ITER(hh, lanes->by_user, lane, next)
	{
		if (lane->part == part) {
			lanes_make_ready(lanes, lane); /* what waited for a claim made again */
		}
	}
	if (part->state == PART_REPLAYING && part->replay_lanes == 0) {
		read_replay_ended(part);
	}
	kafka_queue_again(&part->queue);
}
