/* intake.c - the life of the consumer: joining, rebalances, the tick, leaving. */
#include "worker/intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/lag.h"
#include "worker/run.h"
#include "worker/worker.h"

#define INTAKE_TICK_MS	   1000
#define INTAKE_DRAIN_MS	   9000 /* and a tick: 10 s at most */
#define INTAKE_GAP_MOST_MS 10000
#define INTAKE_EVENTS_MAX  100 /* per turn of the loop */

/* ---- parts ---- */

static void part_free(struct part *part)
{
	if (part->state == PART_RELEASED && !part->has_queue && part->holds == 0) {
		ledger_close(&part->ledger);
		free(part);
	}
}

static void on_queue_closed(struct kafka_queue *queue)
{
	struct part *part = container_of(queue, struct part, queue);

	part->has_queue = false;
	part_free(part);
}

static void part_release(struct part *part)
{
	part->state = PART_RELEASED;
	if (part->has_queue) {
		kafka_queue_close(&part->queue, on_queue_closed);
	} else {
		part_free(part);
	}
}

static struct part *part_new(struct intake *intake, const char *topic, int32_t partition)
{
	struct part *part = calloc(1, sizeof *part);

	if (part == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	part->intake = intake;
	part->is_requests = strcmp(topic, intake->topics[1]) == 0;
	part->topic = intake->topics[part->is_requests];
	part->partition = partition;
	part->replay_to = -1;
	part->saving = -1;
	part->committed = -1;
	return part;
}

/* ---- given ---- */

static void intake_assign(struct intake *intake, const rd_kafka_topic_partition_list_t *list)
{
	if (list->cnt > INTAKE_PARTS_MAX) {
		log_error("more partitions than one worker serves",
			  LOG_NUMBER("assigned", list->cnt));
		intake->worker->status = 1;
		intake_stop(intake);
		return;
	}
	intake->assignment++;
	for (int i = 0; i < list->cnt; i++) {
		intake->parts[intake->part_count++] =
		    part_new(intake, list->elems[i].topic, list->elems[i].partition);
	}
	log_info("partitions assigned", LOG_NUMBER("count", list->cnt));
	if (list->cnt == 0) {
		rd_kafka_assign(intake->consumer, NULL);
		intake->state = INTAKE_RUNNING;
		return;
	}
	claim_look_up(intake);
}

/* Splits the part's queue off before assigning: afterwards would lose wake-ups. */
static void part_open_queue(struct part *part)
{
	struct intake *intake = part->intake;
	rd_kafka_queue_t *queue =
	    rd_kafka_queue_get_partition(intake->consumer, part->topic, part->partition);

	rd_kafka_queue_forward(queue, NULL);
	kafka_queue_init(&part->queue, &intake->worker->loop, queue, read_ready);
	part->has_queue = true;
	part->position = part->start;
	if (part->replay_to >= 0) {
		lag_begin_replay(part, clock_wall_ms());
	}
	if (!ledger_init(&part->ledger, part->start)) {
		fputs("out of memory\n", stderr);
		abort();
	}
}

void intake_claimed(struct intake *intake)
{
	rd_kafka_topic_partition_list_t *list;

	intake->has_lease = false;
	intake->must_prove = true;
	intake->is_stale = intake->is_busy;
	if (intake->state != INTAKE_CLAIMING) {
		commit_begin(intake); /* claimed again after a fence */
		return;
	}
	list = rd_kafka_topic_partition_list_new(intake->part_count);
	for (int i = 0; i < intake->part_count; i++) {
		struct part *part = intake->parts[i];

		part_open_queue(part);
		rd_kafka_topic_partition_list_add(list, part->topic, part->partition)->offset =
		    part->start;
	}
	rd_kafka_assign(intake->consumer, list);
	rd_kafka_topic_partition_list_destroy(list);
	intake->state = INTAKE_RUNNING;
	commit_begin(intake);
}

/* ---- taken ---- */

void intake_forget(struct intake *intake)
{
	int count = intake->part_count;

	intake->must_forget = intake->is_looking;
	if (intake->is_looking) {
		return; /* on_looked_up comes back */
	}
	intake->part_count = 0;
	intake->has_lease = false;
	intake->is_stale = intake->is_busy;
	intake->is_claim_stale = intake->is_claiming;
	intake->claim_again_ms = 0;
	for (int i = 0; i < count; i++) {
		lanes_drop(&intake->worker->lanes, intake->parts[i]);
		part_release(intake->parts[i]);
	}
	skip_forget(&intake->skip);
	intake->must_restart = false;
	stats_forget_partitions(&intake->worker->stats);
	due_forget(&intake->worker->due);
	rd_kafka_assign(intake->consumer, NULL);
	intake->state = INTAKE_IDLE;
}

static bool intake_is_drained(const struct intake *intake)
{
	for (int i = 0; i < intake->part_count; i++) {
		const struct part *part = intake->parts[i];

		if (part->holds > 0) {
			return false;
		}
		if (part->epoch > 0 && part->state == PART_READING &&
		    part_committable(part) > part->committed) {
			return false;
		}
	}
	return !intake->is_busy;
}

static void intake_drain(struct intake *intake)
{
	if (intake->state != INTAKE_DRAINING) {
		return;
	}
	if (intake_is_drained(intake) || clock_mono_ms() >= intake->drain_until_ms) {
		log_info("partitions given back", LOG_NUMBER("count", intake->part_count));
		intake_forget(intake);
		return;
	}
	worker_wake(intake->worker);
	if (intake->state == INTAKE_DRAINING) {
		commit_begin(intake);
	}
}

static void intake_revoke(struct intake *intake)
{
	bool lost = rd_kafka_assignment_lost(intake->consumer) != 0;

	STATS_COUNT(intake->worker->stats.rebalances, lost ? "lost" : "revoked");
	if (lost || intake->state != INTAKE_RUNNING) {
		log_warn(lost ? "the assignment is lost: dropping what is under way"
			      : "partitions revoked before they were claimed");
		intake_forget(intake);
		return;
	}
	intake->state = INTAKE_DRAINING;
	intake->drain_until_ms = clock_mono_ms() + INTAKE_DRAIN_MS;
	intake_drain(intake);
}

/* ---- begun again ---- */

void intake_restart_later(struct intake *intake, const struct part *part)
{
	if (!intake->must_restart) {
		log_warn("this partition's log is not the one that was read: looking again",
			 LOG_TEXT("messaging.destination.name", part->topic),
			 LOG_NUMBER("messaging.destination.partition.id", part->partition));
	}
	intake->must_restart = true;
}

/* Nobody else is asked: the partitions stay ours. */
static void intake_restart(struct intake *intake)
{
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new(intake->part_count);

	for (int i = 0; i < intake->part_count; i++) {
		rd_kafka_topic_partition_list_add(list, intake->parts[i]->topic,
						  intake->parts[i]->partition);
	}
	intake_forget(intake);
	intake_assign(intake, list);
	rd_kafka_topic_partition_list_destroy(list);
}

/* ---- events ---- */

static void intake_failed(struct intake *intake, rd_kafka_event_t *event)
{
	rd_kafka_resp_err_t err = rd_kafka_event_error(event);

	if (rd_kafka_event_error_is_fatal(event)) {
		log_error("Kafka's client can't go on",
			  LOG_TEXT("error", rd_kafka_event_error_string(event)));
		intake->worker->status = 1;
		intake_stop(intake);
		return;
	}
	log_warn("Kafka", LOG_TEXT("code", rd_kafka_err2name(err)),
		 LOG_TEXT("error", rd_kafka_event_error_string(event)));
}

static void intake_rebalance(struct intake *intake, rd_kafka_event_t *event)
{
	switch (rd_kafka_event_error(event)) {
	case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
		STATS_COUNT(intake->worker->stats.rebalances, "assigned");
		intake_assign(intake, rd_kafka_event_topic_partition_list(event));
		break;
	case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
		intake_revoke(intake);
		break;
	default:
		log_warn("a rebalance failed",
			 LOG_TEXT("error", rd_kafka_err2str(rd_kafka_event_error(event))));
		intake_forget(intake);
		break;
	}
}

static void intake_event(struct intake *intake, rd_kafka_event_t *event)
{
	const rd_kafka_message_t *message;

	switch (rd_kafka_event_type(event)) {
	case RD_KAFKA_EVENT_REBALANCE:
		intake_rebalance(intake, event);
		break;
	case RD_KAFKA_EVENT_OFFSET_COMMIT:
		commit_answered(intake, event);
		break;
	case RD_KAFKA_EVENT_ERROR:
		intake_failed(intake, event);
		break;
	case RD_KAFKA_EVENT_FETCH:
		/* only errors of the consumer itself come here: every partition has its own queue
		 */
		while ((message = rd_kafka_event_message_next(event)) != NULL) {
			log_warn("Kafka", LOG_TEXT("error", rd_kafka_message_errstr(message)));
		}
		break;
	default:
		break;
	}
}

static void on_closed(struct kafka_queue *queue)
{
	struct intake *intake = container_of(queue, struct intake, queue);

	rd_kafka_destroy(intake->consumer);
	intake->consumer = NULL;
	cluster_close(&intake->guard.cluster);
	intake->state = INTAKE_CLOSED;
	worker_closed(intake->worker);
}

/* The consumer has left the group.  It takes partitions back only if they were accepted; a look-up
 * still uses it. */
static bool intake_close_if_left(struct intake *intake)
{
	if (!intake->is_stopping || intake->state == INTAKE_CLOSED || intake->queue.closing ||
	    intake->is_looking || intake->watch.is_looking ||
	    !rd_kafka_consumer_closed(intake->consumer)) {
		return false;
	}
	if (intake->part_count > 0) {
		intake_forget(intake);
	}
	uv_timer_stop(&intake->tick);
	uv_close((uv_handle_t *)&intake->tick, NULL);
	kafka_queue_close(&intake->queue, on_closed);
	return true;
}

static void on_ready(struct kafka_queue *queue)
{
	struct intake *intake = container_of(queue, struct intake, queue);
	int left = INTAKE_EVENTS_MAX;
	rd_kafka_event_t *event;

	while (left > 0 && (event = rd_kafka_queue_poll(queue->queue, 0)) != NULL) {
		intake_event(intake, event);
		rd_kafka_event_destroy(event);
		left--;
	}
	if (!intake_close_if_left(intake) && left == 0) {
		kafka_queue_again(queue);
	}
}

/* ---- the tick ---- */

static void on_tick(uv_timer_t *timer)
{
	struct intake *intake = container_of(timer, struct intake, tick);
	int64_t now_boot_ms = clock_boot_ms();

	if (now_boot_ms - intake->tick_boot_ms > intake->gap_ms && intake->part_count > 0) {
		log_warn("this process stood still: membership has to be proven again",
			 LOG_NUMBER("gap_ms", now_boot_ms - intake->tick_boot_ms));
		intake->has_lease = false;
		intake->must_prove = true;
		intake->is_stale = intake->is_busy;
	}
	intake->tick_boot_ms = now_boot_ms;
	on_ready(&intake->queue); /* librdkafka counts polls, even of an idle queue */
	if (intake->queue.closing) {
		return;
	}
	claim_tick(intake);
	if (intake->state == INTAKE_DRAINING) {
		intake_drain(intake);
	} else if (intake->state == INTAKE_RUNNING && intake->must_restart) {
		intake_restart(intake);
	} else if (intake->state == INTAKE_RUNNING) {
		commit_begin(intake);
	}
	guard_tick(intake);
	for (int i = 0; i < intake->part_count; i++) {
		read_tick(intake->parts[i]);
	}
	watch_tick(intake);
	due_tick(&intake->worker->due);
}

/* ---- what others call ---- */

void intake_committed(struct intake *intake)
{
	for (int i = 0; i < intake->part_count; i++) {
		struct part *part = intake->parts[i];

		if (part->state == PART_CLAIMING && part->is_proven) {
			read_start(part);
		}
	}
	intake_drain(intake);
}

void intake_fenced(struct intake *intake, struct part *part)
{
	if (part->state == PART_RELEASED) {
		return;
	}
	log_warn("another worker has claimed this partition",
		 LOG_TEXT("messaging.destination.name", part->topic),
		 LOG_NUMBER("messaging.destination.partition.id", part->partition));
	if (part->state == PART_READING) {
		part->start = ledger_committable(&part->ledger);
	}
	part->state = PART_CLAIMING;
	part->is_proven = false;
	if (intake->claim_again_ms == 0) { /* each tick may find it fenced anew */
		intake->claim_again_ms = clock_mono_ms() + INTAKE_TICK_MS;
	}
}

void intake_done(struct intake *intake, struct part *part, int64_t offset)
{
	(void)intake;
	if (part->state == PART_RELEASED || !ledger_mark_done(&part->ledger, offset)) {
		return;
	}
	part->progress_ms = clock_mono_ms();
	if (part->has_unread && !ledger_is_full(&part->ledger)) {
		part->has_unread = false;
		kafka_queue_again(&part->queue);
	}
}

void intake_run_ended(struct intake *intake, struct part *part)
{
	part->holds--;
	if (part->state == PART_RELEASED) {
		part_free(part);
		return;
	}
	if (part->state == PART_REPLAYING && part->replay_lanes == 0) {
		read_replay_ended(part);
	}
	for (int i = 0; i < intake->part_count; i++) {
		if (intake->parts[i]->has_unread) {
			read_tick(intake->parts[i]); /* what the run held may be what was missing */
		}
	}
	intake_drain(intake);
}

static struct part *find_part_of(const struct intake *intake, const char *user)
{
	int32_t count = intake->guard.cluster.partition_counts[0];
	int32_t partition;

	if (count == 0) {
		return NULL;
	}
	partition = kafka_user_partition(user, count);
	for (int i = 0; i < intake->part_count; i++) {
		struct part *part = intake->parts[i];

		if (!part->is_requests && part->partition == partition) {
			return part;
		}
	}
	return NULL;
}

struct part *intake_part_of(struct intake *intake, const char *user)
{
	struct part *part = find_part_of(intake, user);
	bool is_served =
	    part != NULL && (part->state == PART_READING || part->state == PART_REPLAYING);

	return is_served ? part : NULL;
}

bool intake_owns(const struct intake *intake, const char *user)
{
	return find_part_of(intake, user) != NULL;
}

bool intake_holds(const struct intake *intake, const struct part *part)
{
	return intake->has_lease && part->state != PART_RELEASED &&
	       clock_boot_ms() - intake->tick_boot_ms <= intake->gap_ms;
}

bool intake_may_send(const struct intake *intake, const struct part *part)
{
	return intake_holds(intake, part) && intake->guard.is_armed &&
	       (part->state == PART_READING || part->state == PART_REPLAYING);
}

/* ---- start and end ---- */

static rd_kafka_conf_t *intake_conf(const struct worker_config *config, struct fault *fault)
{
	static const char *const OURS[][2] = {
	    {"enable.auto.commit", "false"},
	    {"enable.auto.offset.store", "false"},
	    {"auto.offset.reset", "error"}, /* a position outside the log: somebody made it anew */
	    {"partition.assignment.strategy", "range"}, /* both topics' partitions go together */
	    /* A member hears of a rebalance with its next one; meanwhile partitions stand still. */
	    {"heartbeat.interval.ms", "1000"},
	    {"enable.partition.eof", "true"},
	    {"topic.metadata.refresh.interval.ms", "10000"},
	    /* Of each partition: with 24 of them, what waits in librdkafka stays below 16 MiB, and
	     * a response, which is kept until its last record is read, below 2.  librdkafka 2.0
	     * looks for queues that have room again only when a fetch returns: that is soon. */
	    {"queued.max.messages.kbytes", "512"},
	    {"fetch.message.max.bytes", "131072"},
	    {"fetch.max.bytes", "2097152"},
	    {"fetch.wait.max.ms", "50"},
	};
	rd_kafka_conf_t *conf = kafka_conf_new(config->kafka_bootstrap, config->kafka_config_file,
					       "calrelay-worker", fault);

	for (size_t i = 0; conf != NULL && i < sizeof OURS / sizeof *OURS; i++) {
		if (!kafka_conf_set(conf, OURS[i][0], OURS[i][1], fault)) {
			rd_kafka_conf_destroy(conf);
			conf = NULL;
		}
	}
	if (conf != NULL && !kafka_conf_set(conf, "group.id", config->group, fault)) {
		rd_kafka_conf_destroy(conf);
		conf = NULL;
	}
	if (conf != NULL) {
		rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_REBALANCE |
						   RD_KAFKA_EVENT_OFFSET_COMMIT |
						   RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_FETCH);
	}
	return conf;
}

/* Whoever stood still for longer has to prove that nobody else owns our partitions by now: before
 * the group can have given up a member that is silent. */
static int64_t gap_of(const rd_kafka_conf_t *conf)
{
	char value[32];
	size_t size = sizeof value;
	int64_t session_ms = 0;

	if (rd_kafka_conf_get(conf, "session.timeout.ms", value, &size) == RD_KAFKA_CONF_OK) {
		session_ms = strtoll(value, NULL, 10);
	}
	return session_ms / 2 < INTAKE_GAP_MOST_MS ? session_ms / 2 : INTAKE_GAP_MOST_MS;
}

static bool intake_subscribe(struct intake *intake, struct fault *fault)
{
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(2);
	rd_kafka_resp_err_t err;

	rd_kafka_topic_partition_list_add(topics, intake->topics[0], RD_KAFKA_PARTITION_UA);
	rd_kafka_topic_partition_list_add(topics, intake->topics[1], RD_KAFKA_PARTITION_UA);
	err = rd_kafka_subscribe(intake->consumer, topics);
	rd_kafka_topic_partition_list_destroy(topics);
	return err == RD_KAFKA_RESP_ERR_NO_ERROR ||
	       fault_fatal(fault, "can't subscribe: %.160s", rd_kafka_err2str(err));
}

bool intake_open(struct intake *intake, struct worker *worker, struct fault *fault)
{
	rd_kafka_conf_t *conf;
	struct uuid member = uuid_random();
	char why[160];

	*intake = (struct intake){.worker = worker, .tick_boot_ms = clock_boot_ms()};
	uuid_format(&member, intake->member);
	conf = cluster_name_topics(&worker->map, worker->config.topic_prefix, intake->topics, fault)
		   ? intake_conf(&worker->config, fault)
		   : NULL;
	if (conf == NULL) {
		return false;
	}
	intake->gap_ms = gap_of(conf);
	intake->consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
	if (intake->consumer == NULL) {
		rd_kafka_conf_destroy(conf);
		return fault_fatal(fault, "Kafka client: %.160s", why);
	}
	rd_kafka_poll_set_consumer(intake->consumer);
	kafka_queue_init(&intake->queue, &worker->loop,
			 rd_kafka_queue_get_consumer(intake->consumer), on_ready);
	uv_timer_init(&worker->loop.uv, &intake->tick);
	uv_timer_start(&intake->tick, on_tick, INTAKE_TICK_MS, INTAKE_TICK_MS);
	return intake_subscribe(intake, fault);
}

void intake_stop(struct intake *intake)
{
	rd_kafka_error_t *error;

	if (intake->is_stopping) {
		return;
	}
	intake->is_stopping = true;
	error = rd_kafka_consumer_close_queue(intake->consumer, intake->queue.queue);
	if (error != NULL) {
		log_error("can't leave the group", LOG_TEXT("error", rd_kafka_error_string(error)));
		rd_kafka_error_destroy(error);
	}
}
