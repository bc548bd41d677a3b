/* commit.c - offsets out: first the proof in PostgreSQL, then Kafka, then the note that Kafka has
 * it.
 *
 * Kafka's committed offset is never above done_offset, and committed_offset never above Kafka's: of
 * a database that was set back the guard sees it by that, so nothing is saved where it is not
 * armed. */
#include <string.h>

#include "common/clock.h"
#include "common/jsonw.h"
#include "common/log.h"
#include "worker/intake.h"
#include "worker/worker.h"

#define COMMIT_MAX_BYTES (1u << 20)

#define COMMIT_INPUT                                                                               \
	"WITH input AS MATERIALIZED (SELECT * FROM jsonb_to_recordset($1::jsonb)"                  \
	"  AS i(topic text, partition int, epoch bigint, done bigint, replay bigint)), "           \
	"held AS MATERIALIZED (SELECT o.topic, o.partition FROM public.calrelay_partition_owner o" \
	"  WHERE o.consumer_group = $2"                                                            \
	"    AND EXISTS (SELECT FROM public.calrelay_armed JOIN " GUARD_HERE " h"                  \
	"      USING (system_identifier, timeline, database))"                                     \
	"    AND (o.topic, o.partition, o.epoch) IN (SELECT topic, partition, epoch FROM input)"   \
	"  ORDER BY o.topic, o.partition FOR SHARE) "

static const char SAVE_SQL[] = COMMIT_INPUT
    "INSERT INTO public.calrelay_partition_progress AS p"
    "    (consumer_group, topic, partition, done_offset, replay_to)"
    "  SELECT $2, i.topic, i.partition, i.done, i.replay FROM input i"
    "    JOIN held h USING (topic, partition) ORDER BY i.topic, i.partition"
    "  ON CONFLICT (consumer_group, topic, partition)"
    "    DO UPDATE SET done_offset = excluded.done_offset, replay_to = excluded.replay_to"
    "  RETURNING p.topic, p.partition";

static const char NOTE_SQL[] = COMMIT_INPUT
    "UPDATE public.calrelay_partition_progress p SET committed_offset = i.done"
    "  FROM input i JOIN held h USING (topic, partition)"
    "  WHERE p.consumer_group = $2 AND p.topic = i.topic AND p.partition = i.partition";

static void commit_end(struct intake *intake)
{
	intake->is_busy = false;
	intake->is_stale = false;
	for (int i = 0; i < intake->part_count; i++) {
		intake->parts[i]->saving = -1;
	}
	intake_committed(intake);
}

static void commit_send_sql(struct intake *intake, const char *sql,
			    void (*done)(struct pg_request *request))
{
	struct buf input;

	buf_init(&input, COMMIT_MAX_BYTES);
	buf_char(&input, '[');
	for (int i = 0; i < intake->part_count; i++) {
		const struct part *part = intake->parts[i];

		if (part->saving < 0) {
			continue;
		}
		jsonw_comma(&input);
		buf_char(&input, '{');
		jsonw_member_text(&input, "topic", part->topic);
		jsonw_member_number(&input, "partition", part->partition);
		jsonw_member_number(&input, "epoch", part->epoch);
		jsonw_member_number(&input, "done", part->saving);
		if (part->replay_to >= 0) {
			jsonw_member_number(&input, "replay", part->replay_to);
		}
		buf_char(&input, '}');
	}
	buf_char(&input, ']');
	intake->save.sql = sql;
	intake->save.params[0] = buf_string(&input);
	intake->save.params[1] = intake->worker->config.group;
	intake->save.param_count = 2;
	intake->save.done = done;
	pg_send(intake->worker->pg, &intake->save);
	buf_close(&input);
}

/* ---- note ---- */

static void on_noted(struct pg_request *request)
{
	struct intake *intake = container_of(request, struct intake, save);

	if (request->fault.kind != FAULT_NONE) {
		log_warn("can't note a committed offset", LOG_TEXT("error", request->fault.what));
	}
	commit_end(intake);
}

/* ---- commit ---- */

/* Of the whole commit, or of any one partition. */
static rd_kafka_resp_err_t commit_error(rd_kafka_event_t *event)
{
	const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
	rd_kafka_resp_err_t err = rd_kafka_event_error(event);

	for (int i = 0; err == RD_KAFKA_RESP_ERR_NO_ERROR && list != NULL && i < list->cnt; i++) {
		err = list->elems[i].err;
	}
	return err;
}

/* What Kafka took is ours for certain; what it refused may belong to somebody else by now. */
void commit_answered(struct intake *intake, rd_kafka_event_t *event)
{
	rd_kafka_resp_err_t err = commit_error(event);

	if (!intake->is_busy) {
		return; /* a commit of an assignment that is gone */
	}
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		log_warn("Kafka refused a commit", LOG_TEXT("error", rd_kafka_err2str(err)));
		intake->has_lease = false;
		intake->must_prove = true;
	}
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR || intake->is_stale) {
		commit_end(intake);
		return;
	}
	intake->has_lease = true;
	intake->must_prove = false;
	for (int i = 0; i < intake->part_count; i++) {
		struct part *part = intake->parts[i];

		if (part->saving >= 0) {
			part->committed = part->saving;
			part->is_proven = true;
		}
	}
	commit_send_sql(intake, NOTE_SQL, on_noted);
}

static void commit_to_kafka(struct intake *intake)
{
	rd_kafka_topic_partition_list_t *list =
	    rd_kafka_topic_partition_list_new(intake->part_count);
	rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;

	for (int i = 0; i < intake->part_count; i++) {
		const struct part *part = intake->parts[i];

		if (part->saving >= 0) {
			rd_kafka_topic_partition_list_add(list, part->topic, part->partition)
			    ->offset = part->saving;
		}
	}
	if (list->cnt > 0) {
		err =
		    rd_kafka_commit_queue(intake->consumer, list, intake->queue.queue, NULL, NULL);
	}
	if (list->cnt == 0 || err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		commit_end(intake);
	}
	rd_kafka_topic_partition_list_destroy(list);
}

/* ---- save ---- */

static bool part_was_saved(const struct part *part, const PGresult *result)
{
	for (int i = 0; i < PQntuples(result); i++) {
		if (pg_integer(result, i, 1, -1) == part->partition &&
		    strcmp(pg_text(result, i, 0), part->topic) == 0) {
			return true;
		}
	}
	return false;
}

static void on_saved(struct pg_request *request)
{
	struct intake *intake = container_of(request, struct intake, save);

	if (request->fault.kind != FAULT_NONE) {
		log_warn("can't save progress", LOG_TEXT("error", request->fault.what));
	}
	if (request->fault.kind != FAULT_NONE || intake->is_stale) {
		commit_end(intake);
		return;
	}
	for (int i = 0; i < intake->part_count; i++) {
		struct part *part = intake->parts[i];

		if (part->saving >= 0 && !part_was_saved(part, request->result)) {
			part->saving = -1;
			metric_add(intake->worker->stats.fenced_writes, NULL, 1);
			intake_fenced(intake, part);
		}
	}
	commit_to_kafka(intake);
}

void commit_begin(struct intake *intake)
{
	int moved = 0;

	if (intake->is_busy || !intake->guard.is_armed) {
		return;
	}
	for (int i = 0; i < intake->part_count; i++) {
		struct part *part = intake->parts[i];
		int64_t done = part_committable(part);

		part->saving = -1;
		if (part->epoch > 0 && (done > part->committed || intake->must_prove)) {
			part->saving = done;
			moved++;
		}
	}
	if (moved == 0) {
		return;
	}
	intake->is_busy = true;
	intake->busy_ms = clock_mono_ms();
	commit_send_sql(intake, SAVE_SQL, on_saved);
}
