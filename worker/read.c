/* read.c - records in: from a partition's queue to the lanes, or to the fold of a replay. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "worker/intake.h"
#include "worker/lag.h"
#include "worker/record.h"
#include "worker/worker.h"

#define READ_BUDGET	   500 /* records per turn of the loop and partition */
#define READ_KEY_MAX_BYTES 4096

/* ---- dead letters ---- */

static void bury_record(struct dead_record *dead);

static void on_bury_again(struct loop_call *call)
{
	bury_record(container_of(call, struct dead_record, again));
}

/* Kafka's client holds a copy of its own. */
static size_t dead_bytes(const struct dead_record *dead)
{
	return sizeof *dead + 2 * (dead->key_length + dead->value_length);
}

static void on_buried(void *context, bool ok)
{
	struct dead_record *dead = context;
	struct part *part = dead->part;
	struct intake *intake = part->intake;

	DL_DELETE(part->dead, dead);
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
	lanes_let_go(&intake->worker->lanes, part, dead_bytes(dead));
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

	dead->sent_ms = clock_mono_ms();
	DL_APPEND(dead->part->dead, dead);
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
	lanes_hold(&part->intake->worker->lanes, part, dead_bytes(dead));
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
		part->replay_users++;
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
	int64_t since_ms = lag_since(rd_kafka_message_timestamp(message, NULL), clock_wall_ms());
	struct fault fault = {0};
	struct change *change;

	if (part->state == PART_FOLDING) {
		lag_fold(part, message->offset, since_ms);
	} else if (part->state == PART_READING &&
		   !ledger_deliver(&part->ledger, message->offset, since_ms)) {
		intake_restart_later(part->intake, part); /* offsets only grow */
		return;
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
	lag_end_replay(part);
	part->start = part->replay_to;
	part->replay_to = -1;
	part->has_folded = false;
	part->replay_users = 0;
	part->progress_ms = clock_mono_ms();
	part->state = PART_READING;
	kafka_queue_again(&part->queue);
}

/* ---- the queue ---- */

/* A fold that has come to its end.  Its last records may be gaps, which only the end shows. */
static void take_position(struct part *part, int64_t position)
{
	part->position = position > part->position ? position : part->position;
	part->unread_ms = 0;
	if (part->state == PART_FOLDING && position >= part->replay_to) {
		fold_end(part);
	}
}

/* What was not delivered below the log's end is a gap, and done. */
static void take_gap(struct part *part, int64_t end)
{
	if (part->state == PART_READING && ledger_deliver(&part->ledger, end - 1, 0)) {
		intake_done(part->intake, part, end - 1);
	}
}

/* What isn't a record: the log's end, or what keeps it from being read. */
static void take_error(struct part *part, rd_kafka_event_t *event)
{
	rd_kafka_topic_partition_t *at = rd_kafka_event_topic_partition(event);
	rd_kafka_resp_err_t err = rd_kafka_event_error(event);

	part->has_failed = err != RD_KAFKA_RESP_ERR__PARTITION_EOF;
	if (err == RD_KAFKA_RESP_ERR__PARTITION_EOF && at != NULL) {
		part->progress_ms = clock_mono_ms();
		take_gap(part, at->offset);
		take_position(part, at->offset);
	} else if (err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
		intake_restart_later(part->intake, part);
	} else {
		log_warn("a partition can't be read",
			 LOG_TEXT("messaging.destination.name", part->topic),
			 LOG_NUMBER("messaging.destination.partition.id", part->partition),
			 LOG_TEXT("error", rd_kafka_event_error_string(event)));
	}
	if (at != NULL) {
		rd_kafka_topic_partition_destroy(at);
	}
}

/* How many records it held. */
static int take_event(struct part *part, rd_kafka_event_t *event)
{
	const rd_kafka_message_t *message;
	int count = 0;

	if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR) {
		take_error(part, event);
	}
	while ((message = rd_kafka_event_message_next(event)) != NULL) {
		part->has_failed = false;
		take_record(part, message);
		take_position(part, message->offset + 1);
		count++;
	}
	return count;
}

static bool may_read(const struct part *part)
{
	const struct lanes *lanes = &part->intake->worker->lanes;

	return part->state == PART_FOLDING ||
	       (part->state == PART_READING && !ledger_is_full(&part->ledger) &&
		lanes_has_room(lanes, part, part->intake->part_count));
}

void read_ready(struct kafka_queue *queue)
{
	struct part *part = container_of(queue, struct part, queue);
	struct worker *worker = part->intake->worker;
	int budget = READ_BUDGET;

	if (part->intake->state != INTAKE_RUNNING || part->intake->must_restart) {
		return;
	}
	while (budget > 0 && may_read(part)) {
		rd_kafka_event_t *event = rd_kafka_queue_poll(queue->queue, 0);

		if (event == NULL) {
			break;
		}
		budget -= take_event(part, event);
		rd_kafka_event_destroy(event);
	}
	part->has_unread = !may_read(part);
	if (budget <= 0 && may_read(part)) {
		kafka_queue_again(queue);
	}
	worker_dispatch_soon(worker);
}

/* Also what waits for a ceiling that others are below again, and a wake-up that got lost. */
void read_tick(struct part *part)
{
	if (part->has_queue && may_read(part)) {
		kafka_queue_again(&part->queue);
	}
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
