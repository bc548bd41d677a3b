/* claim.c - looks positions up in Kafka and claims the fence in PostgreSQL. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/jsonw.h"
#include "common/log.h"
#include "worker/intake.h"
#include "worker/lag.h"
#include "worker/worker.h"

#define LOOKUP_TIMEOUT_MS 10000
#define CLAIM_MAX_BYTES	  (1u << 20)

/* Rows are claimed in order, or two workers would wait for each other. */
static const char CLAIM_SQL[] =
    "WITH input AS (SELECT * FROM jsonb_to_recordset($1::jsonb) AS i(topic text, partition int)), "
    "claimed AS (INSERT INTO public.calrelay_partition_owner AS o"
    "    (consumer_group, topic, partition, epoch, member)"
    "  SELECT $2, topic, partition, 1, $3 FROM input ORDER BY topic, partition"
    "  ON CONFLICT (consumer_group, topic, partition)"
    "    DO UPDATE SET epoch = o.epoch + 1, member = excluded.member"
    "  RETURNING o.topic, o.partition, o.epoch) "
    "SELECT c.topic, c.partition, c.epoch, p.partition IS NOT NULL, p.done_offset,"
    "    p.committed_offset, p.replay_to"
    "  FROM claimed c LEFT JOIN public.calrelay_partition_progress p"
    "    ON p.consumer_group = $2 AND p.topic = c.topic AND p.partition = c.partition";

/* ---- positions, on a thread: librdkafka's look-ups block ---- */

static bool look_up_committed(struct intake *intake)
{
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new(intake->part_count);
	bool ok;

	for (int i = 0; i < intake->part_count; i++) {
		rd_kafka_topic_partition_list_add(list, intake->parts[i]->topic,
						  intake->parts[i]->partition);
	}
	ok = rd_kafka_committed(intake->consumer, list, LOOKUP_TIMEOUT_MS) ==
	     RD_KAFKA_RESP_ERR_NO_ERROR;
	for (int i = 0; ok && i < intake->part_count; i++) {
		ok = list->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR;
		intake->parts[i]->committed =
		    list->elems[i].offset >= 0 ? list->elems[i].offset : -1;
	}
	rd_kafka_topic_partition_list_destroy(list);
	return ok;
}

static bool look_up_watermarks(struct intake *intake)
{
	for (int i = 0; i < intake->part_count; i++) {
		struct part *part = intake->parts[i];

		if (rd_kafka_query_watermark_offsets(
			intake->consumer, part->topic, part->partition, &part->low_watermark,
			&part->high_watermark, LOOKUP_TIMEOUT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR) {
			return false;
		}
	}
	return true;
}

/* The loop leaves the parts alone while is_looking. */
static void on_look_up(uv_work_t *work)
{
	struct intake *intake = container_of(work, struct intake, lookup);

	intake->lookup_ok =
	    cluster_look_up(&intake->guard.cluster, intake->consumer, intake->topics) &&
	    intake->guard.cluster.partition_counts[0] > 0 && look_up_committed(intake) &&
	    look_up_watermarks(intake);
}

/* A person's changes and requests have to meet in one worker, so in partitions of one number. */
static bool counts_differ(const struct intake *intake)
{
	const int32_t *counts = intake->guard.cluster.partition_counts;

	return counts[1] > 0 && counts[1] != counts[0];
}

static void refuse_counts(struct intake *intake)
{
	log_error("two topics must have as many partitions: give the one with fewer the others "
		  "(kafka-topics --alter), and every program CALRELAY_PARTITIONS",
		  LOG_TEXT("topic", intake->topics[0]),
		  LOG_NUMBER("partitions", intake->guard.cluster.partition_counts[0]),
		  LOG_TEXT("requests_topic", intake->topics[1]),
		  LOG_NUMBER("requests_partitions", intake->guard.cluster.partition_counts[1]));
	intake->worker->status = 1;
	intake_stop(intake);
	intake_forget(intake);
}

static void claim_see_ends(struct intake *intake)
{
	for (int i = 0; i < intake->part_count; i++) {
		struct part *part = intake->parts[i];

		part->position =
		    part->committed > part->low_watermark ? part->committed : part->low_watermark;
		lag_see_end(part, part->high_watermark, clock_wall_ms());
	}
}

static void on_looked_up(uv_work_t *work, int status)
{
	struct intake *intake = container_of(work, struct intake, lookup);

	intake->is_looking = false;
	if (intake->must_forget || intake->is_stopping) {
		intake_forget(intake);
		return;
	}
	if (status != 0 || !intake->lookup_ok) {
		log_warn("can't look up the assigned positions: trying again");
		intake->claim_again_ms = clock_mono_ms() + INTAKE_AGAIN_MS;
		return;
	}
	if (counts_differ(intake)) {
		refuse_counts(intake);
		return;
	}
	claim_see_ends(intake);
	guard_ask(intake);
}

void claim_look_up(struct intake *intake)
{
	intake->state = INTAKE_LOOKING;
	intake->is_looking = true;
	intake->claim_again_ms = 0;
	uv_queue_work(&intake->worker->loop.uv, &intake->lookup, on_look_up, on_looked_up);
}

/* ---- the fence ---- */

static struct part *find_part(struct intake *intake, const char *topic, int64_t partition)
{
	for (int i = 0; i < intake->part_count; i++) {
		struct part *part = intake->parts[i];

		if (part->partition == partition && strcmp(part->topic, topic) == 0) {
			return part;
		}
	}
	return NULL;
}

static void claim_tell(const struct part *part, const struct part_progress *progress)
{
	if (part->replay_to >= 0) {
		log_info("a replay begins", LOG_TEXT("messaging.destination.name", part->topic),
			 LOG_NUMBER("messaging.destination.partition.id", part->partition),
			 LOG_NUMBER("from", part->start), LOG_NUMBER("to", part->replay_to));
	}
	if (part->was_skipped) {
		log_warn(part->is_log_new ? "a topic was made anew: its users' calendars are "
					    "compared with the tables"
					  : "records were skipped: their users' calendars are "
					    "compared with the tables",
			 LOG_TEXT("messaging.destination.name", part->topic),
			 LOG_NUMBER("messaging.destination.partition.id", part->partition),
			 LOG_NUMBER("done", progress->done), LOG_NUMBER("start", part->start));
	}
}

static void claim_row(struct intake *intake, const PGresult *result, int i)
{
	struct part *part = find_part(intake, pg_text(result, i, 0), pg_integer(result, i, 1, -1));
	struct part_progress progress = {.is_known = strcmp(pg_text(result, i, 3), "t") == 0,
					 .done = pg_integer(result, i, 4, -1),
					 .committed = pg_integer(result, i, 5, -1),
					 .replay_to = pg_integer(result, i, 6, -1)};
	bool is_new;

	if (part == NULL || part->state != PART_CLAIMING) {
		return;
	}
	is_new = part->epoch == 0;
	part->is_proven = false;
	part->epoch = pg_integer(result, i, 2, 0);
	if (is_new) {
		part_decide(part, part->committed, &progress);
	}
	if (is_new) {
		claim_tell(part, &progress);
	}
}

static void on_claimed(struct pg_request *request)
{
	struct intake *intake = container_of(request, struct intake, claim);

	intake->is_claiming = false;
	if (intake->is_claim_stale) {
		intake->is_claim_stale = false;
		if (intake->state == INTAKE_CLAIMING) {
			claim_send(intake); /* for the parts that came meanwhile */
		}
		return;
	}
	if (request->fault.kind != FAULT_NONE) {
		log_warn("can't claim partitions: trying again",
			 LOG_TEXT("error", request->fault.what));
		intake->claim_again_ms = clock_mono_ms() + INTAKE_AGAIN_MS;
		return;
	}
	for (int i = 0; i < PQntuples(request->result); i++) {
		claim_row(intake, request->result, i);
	}
	skip_begin(intake);
}

void claim_send(struct intake *intake)
{
	struct buf input;

	if (intake->is_claiming) {
		return;
	}
	buf_init(&input, CLAIM_MAX_BYTES);
	buf_char(&input, '[');
	for (int i = 0; i < intake->part_count; i++) {
		if (intake->parts[i]->state == PART_CLAIMING) {
			jsonw_comma(&input);
			buf_char(&input, '{');
			jsonw_member_text(&input, "topic", intake->parts[i]->topic);
			jsonw_member_number(&input, "partition", intake->parts[i]->partition);
			buf_char(&input, '}');
		}
	}
	buf_char(&input, ']');
	intake->claim_again_ms = 0;
	if (input.length == strlen("[]")) {
		buf_close(&input);
		return; /* all are given back, or claimed by now */
	}
	intake->is_claiming = true;
	intake->claim.sql = CLAIM_SQL;
	intake->claim.params[0] = buf_string(&input);
	intake->claim.params[1] = intake->worker->config.group;
	intake->claim.params[2] = intake->member;
	intake->claim.param_count = 3;
	intake->claim.done = on_claimed;
	pg_send(intake->worker->pg, &intake->claim);
	buf_close(&input);
}

void claim_tick(struct intake *intake)
{
	if (intake->claim_again_ms == 0 || clock_mono_ms() < intake->claim_again_ms) {
		return;
	}
	if (intake->state == INTAKE_LOOKING) {
		claim_look_up(intake);
	} else {
		claim_send(intake);
	}
}
