/* watch.c - the ends of the logs, stalls, and the progress of replays. */
#include "worker/watch.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/lag.h"
#include "worker/run.h"
#include "worker/worker.h"

#define WATCH_EVERY_TICKS 10
#define WATCH_TIMEOUT_MS  3000
#define WATCH_TRUE_MS	  (2 * WATCH_EVERY_TICKS * 1000 + WATCH_TIMEOUT_MS)
#define WATCH_SHORT_LOOKS 2 /* a new leader may say too little for a moment */

/* ---- the look ---- */

static void on_look(uv_work_t *work)
{
	struct intake *intake = container_of(work, struct intake, watch.look);
	struct watch *watch = &intake->watch;

	watch->ok = rd_kafka_offsets_for_times(intake->consumer, watch->ends, WATCH_TIMEOUT_MS) ==
			RD_KAFKA_RESP_ERR_NO_ERROR &&
		    rd_kafka_committed(intake->consumer, watch->committed, WATCH_TIMEOUT_MS) ==
			RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void part_found_end(struct part *part, const rd_kafka_topic_partition_t *end)
{
	if (end->err == RD_KAFKA_RESP_ERR_NO_ERROR && end->offset >= 0) {
		lag_see_end(part, end->offset, clock_wall_ms());
	}
}

/* The log's end and the group's offset only grow: otherwise it is another log. */
static void part_compare(struct part *part, const rd_kafka_topic_partition_t *committed)
{
	part->short_looks = part->high_watermark < part->reached ? part->short_looks + 1 : 0;
	if (part->short_looks >= WATCH_SHORT_LOOKS ||
	    (committed->err == RD_KAFKA_RESP_ERR_NO_ERROR && part->acked >= 0 &&
	     committed->offset < part->acked)) {
		intake_restart_later(part->intake, part);
	}
}

static void on_looked(uv_work_t *work, int status)
{
	struct intake *intake = container_of(work, struct intake, watch.look);
	struct watch *watch = &intake->watch;

	watch->is_looking = false;
	if (status == 0 && watch->ok && watch->assignment == intake->assignment) {
		watch->asked_ms = watch->began_ms;
		for (int i = 0; i < intake->part_count; i++) {
			struct part *part = intake->parts[i];

			part_found_end(part, &watch->ends->elems[i]);
			part_compare(part, &watch->committed->elems[i]);
		}
	}
	rd_kafka_topic_partition_list_destroy(watch->ends);
	rd_kafka_topic_partition_list_destroy(watch->committed);
}

static bool watch_may_look(const struct intake *intake)
{
	return !intake->watch.is_looking && !intake->is_stopping && intake->part_count > 0 &&
	       intake->state == INTAKE_RUNNING;
}

static void watch_look(struct intake *intake)
{
	struct watch *watch = &intake->watch;
	int count = intake->part_count;

	watch->is_looking = true;
	watch->assignment = intake->assignment;
	watch->began_ms = clock_mono_ms();
	watch->ends = rd_kafka_topic_partition_list_new(count);
	watch->committed = rd_kafka_topic_partition_list_new(count);
	for (int i = 0; i < count; i++) {
		struct part *part = intake->parts[i];

		/* the time RD_KAFKA_OFFSET_END stands for the log's end (ListOffsets) */
		rd_kafka_topic_partition_list_add(watch->ends, part->topic, part->partition)
		    ->offset = RD_KAFKA_OFFSET_END;
		rd_kafka_topic_partition_list_add(watch->committed, part->topic, part->partition);
		part->acked = part->is_proven ? part->committed : -1;
		part->reached = part->state == PART_FOLDING ? part->replay_to : part->position;
	}
	uv_queue_work(&intake->worker->loop.uv, &watch->look, on_look, on_looked);
}

/* ---- stalls ---- */

/* Since when what is under way for longest is; 0: nothing is. */
static int64_t part_silent_since(const struct part *part)
{
	const struct intake *intake = part->intake;
	int64_t since_ms = part->dead != NULL ? part->dead->sent_ms : 0;

	if (intake->is_busy && (since_ms == 0 || intake->busy_ms < since_ms)) {
		since_ms = intake->busy_ms;
	}
	for (const struct run *run = intake->worker->alive; run != NULL; run = run->next_alive) {
		if (run->part == part && (since_ms == 0 || run->entered_ms < since_ms)) {
			since_ms = run->entered_ms;
		}
	}
	return since_ms;
}

/* A user whose run of an earlier assignment is not over waits for that one. */
static int64_t part_holds(const struct part *part)
{
	int64_t holds = part->holds;

	for (const struct run *run = part->intake->worker->alive; run != NULL;
	     run = run->next_alive) {
		holds += run->part != part && run->lane->part == part;
	}
	return holds;
}

static struct stall_view part_view(const struct part *part, int64_t now_ms)
{
	const struct intake *intake = part->intake;
	const struct worker *worker = intake->worker;
	int64_t since_ms = part_silent_since(part);

	return (struct stall_view){
	    .is_read = intake->state == INTAKE_RUNNING && !intake->must_restart &&
		       (part->state == PART_READING || part->state == PART_FOLDING),
	    .has_room = !part->has_unread,
	    .has_place =
		worker
		    ->in_flight<worker->config.max_in_flight, .has_failed = part->has_failed,
				.is_end_known = intake->watch.asked_ms>
			part->progress_ms &&
		now_ms - intake->watch.asked_ms <= WATCH_TRUE_MS,
	    .end = part->high_watermark,
	    .position = part->position,
	    .open = (int64_t)ledger_open_count(&part->ledger),
	    .holds = part_holds(part),
	    .idle_ms = now_ms - part->progress_ms,
	    .silent_ms = since_ms > 0 ? now_ms - since_ms : 0,
	};
}

static void part_check(struct part *part, int64_t now_ms)
{
	struct stall_view view = part_view(part, now_ms);
	enum stall stall = stall_of(&view);

	if (stall != part->stall && stall != STALL_NONE) {
		log_error(
		    "a partition stands still", LOG_TEXT("messaging.destination.name", part->topic),
		    LOG_NUMBER("messaging.destination.partition.id", part->partition),
		    LOG_TEXT("what", stall_name(stall)), LOG_NUMBER("position", view.position),
		    LOG_NUMBER("end", view.end), LOG_NUMBER("committable", part_committable(part)),
		    LOG_NUMBER("open", view.open), LOG_NUMBER("under_way", view.holds),
		    LOG_NUMBER("idle_ms", view.idle_ms), LOG_NUMBER("silent_ms", view.silent_ms));
	} else if (stall != part->stall) {
		log_info("a partition moves again",
			 LOG_TEXT("messaging.destination.name", part->topic),
			 LOG_NUMBER("messaging.destination.partition.id", part->partition));
	}
	part->stall = stall;
}

int watch_stalled(const struct intake *intake)
{
	int stalled = 0;

	for (int i = 0; i < intake->part_count; i++) {
		stalled += intake->parts[i]->stall != STALL_NONE;
	}
	return stalled;
}

/* ---- replays ---- */

static bool part_is_replayed(const struct part *part)
{
	return part->state == PART_FOLDING || part->state == PART_REPLAYING;
}

static void part_tell_replay(const struct part *part)
{
	log_info("a replay goes on", LOG_TEXT("messaging.destination.name", part->topic),
		 LOG_NUMBER("messaging.destination.partition.id", part->partition),
		 LOG_NUMBER("position", part->position), LOG_NUMBER("to", part->replay_to),
		 LOG_NUMBER("users", part->replay_users),
		 LOG_NUMBER("compared", part->replay_users - part->replay_lanes));
}

void watch_tick(struct intake *intake)
{
	struct watch *watch = &intake->watch;
	int64_t now_ms = clock_mono_ms();
	bool is_due = ++watch->ticks % WATCH_EVERY_TICKS == 0;

	for (int i = 0; i < intake->part_count; i++) {
		struct part *part = intake->parts[i];

		part_check(part, now_ms);
		if (is_due && part_is_replayed(part)) {
			part_tell_replay(part);
		}
	}
	if (is_due && watch_may_look(intake)) {
		watch_look(intake);
	}
}

/* ---- gauges ---- */

_Static_assert(INTAKE_PARTS_MAX <= METRIC_SERIES_MAX, "every partition has a series of its own");

static void part_refresh_stats(const struct part *part, struct stats *stats, int64_t now_ms)
{
	char number[12];
	const char *labels[] = {part->topic, number};
	struct lag lag;

	lag_of(part, &lag);
	snprintf(number, sizeof number, "%d", part->partition);
	metric_set(stats->lag_records, labels, (double)lag.records);
	metric_set(stats->lag_seconds, labels, lag_seconds(lag.oldest_ms, now_ms));
	if (part->committed >= 0) {
		metric_set(stats->committed_offset, labels, (double)part->committed);
	}
	if (part_is_replayed(part)) {
		metric_set(stats->replay_users, labels, part->replay_users);
		metric_set(stats->replay_users_left, labels, part->replay_lanes);
	}
}

/* Before that the look-up's thread has the parts. */
static bool intake_knows_offsets(const struct intake *intake)
{
	return intake->state == INTAKE_CLAIMING || intake->state == INTAKE_RUNNING ||
	       intake->state == INTAKE_DRAINING;
}

int64_t watch_refresh_stats(struct intake *intake, int64_t now_ms)
{
	struct stats *stats = &intake->worker->stats;
	int64_t late_ms = 0;

	metric_clear(stats->replay_users);
	metric_clear(stats->replay_users_left);
	if (!intake_knows_offsets(intake)) {
		return 0;
	}
	for (int i = 0; i < intake->part_count; i++) {
		struct lag lag;

		part_refresh_stats(intake->parts[i], stats, now_ms);
		lag_of(intake->parts[i], &lag);
		late_ms = lag_earlier(late_ms, lag.late_ms);
	}
	return late_ms;
}
