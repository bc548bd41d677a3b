/* steps.c - the steps of the producer's life.
 *
 * Nothing is published before START_REPLICATION gave us the slot: that keeps a second producer
 * waiting.  What the slot was not told is sent again, and what Kafka has is not repeated. */
#include "producer/steps.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "producer/ask.h"
#include "producer/mend.h"
#include "producer/oversee.h"

#define STEPS_PAUSE_MOST_MS  5000
#define STEPS_PAUSE_FIRST_MS 200
#define STEPS_STANDBY_MS     1000
#define STEPS_DRAIN_LOOK_MS  20

/* ---- answers ---- */

static void on_answer(struct session_step *answer)
{
	relay_resume(container_of(answer, struct relay, answer), &answer->fault);
}

/* ---- topics ---- */

static void on_topics(struct topics_job *job)
{
	struct relay *relay = container_of(job, struct relay, topics);

	relay->topics_running = false;
	if (relay->clearing) {
		relay_cleared(relay);
	} else {
		relay_resume(relay, &job->fault);
	}
}

static void run_topics(struct relay *relay, enum topics_task task)
{
	relay->topics.settings = relay->settings;
	relay->topics.task = task;
	relay->topics.done = on_topics;
	relay->topics_running = true;
	tails_start(&relay->topics.tails, &relay->flow.tails);
	topics_start(relay->loop, &relay->topics);
}

static void topics_begin(struct relay *relay)
{
	run_topics(relay, TOPICS_MAKE);
}

static enum relay_step topics_finish(struct relay *relay, struct fault *fault)
{
	for (int i = 0; fault->kind == FAULT_FATAL && i < relay->topics.finding_count; i++) {
		log_error("not fit to run", LOG_TEXT("finding", relay->topics.findings[i]));
	}
	return RELAY_CHECK;
}

/* ---- the database ---- */

static void check_begin(struct relay *relay)
{
	ask_preflight(relay);
}

static enum relay_step check_finish(struct relay *relay, struct fault *fault)
{
	const PGresult *findings = relay->result;

	for (int i = 0; fault->kind == FAULT_NONE && i < PQntuples(findings); i++) {
		log_error("not fit to run", LOG_TEXT("finding", pg_text(findings, i, 0)));
	}
	if (fault->kind == FAULT_NONE && PQntuples(findings) > 0) {
		(void)fault_fatal(fault, "%.240s", pg_text(findings, 0, 0));
	}
	return RELAY_VIEW;
}

static void view_begin(struct relay *relay)
{
	const struct hostmap *map = &relay->settings->map;

	ask_sql(relay, SLOT_VIEW_SQL, 3,
		(const char *const[]){relay->settings->slot, map->schema, map->assignments.table});
}

static enum relay_step view_finish(struct relay *relay, struct fault *fault)
{
	if (fault->kind == FAULT_NONE) {
		(void)!slot_read_view(relay->result, &relay->view, fault);
	}
	return RELAY_CONNECT;
}

static void connect_begin(struct relay *relay)
{
	relay->replication = session_new(relay->loop, relay->settings->database_url, true);
	relay->answer.done = on_answer;
	session_connect(relay->replication, &relay->answer);
}

static enum relay_step connect_finish(struct relay *relay, struct fault *fault)
{
	(void)relay;
	(void)fault;
	return RELAY_IDENTIFY;
}

static void identify_begin(struct relay *relay)
{
	session_command(relay->replication, &relay->answer, "IDENTIFY_SYSTEM");
}

static enum relay_step identify_finish(struct relay *relay, struct fault *fault)
{
	if (fault->kind == FAULT_NONE) {
		(void)!slot_read_system(relay->answer.result, &relay->system, fault);
	}
	return RELAY_SLOT;
}

/* ---- the slot ---- */

static void slot_begin(struct relay *relay)
{
	struct fault fault = {0};
	enum slot_plan plan =
	    slot_decide(&relay->view, &relay->system, relay->settings->slot, &fault);

	relay->has_exported = false;
	if (plan != SLOT_CREATE) {
		relay_skip(relay);
		return;
	}
	relay->has_exported = true;
	buf_reset(&relay->command);
	slot_write_create(&relay->command, relay->settings->slot);
	session_command(relay->replication, &relay->answer, buf_string(&relay->command));
}

static enum relay_step slot_finish(struct relay *relay, struct fault *fault)
{
	if (fault->kind != FAULT_NONE) {
		return RELAY_IMPORT_CONNECT;
	}
	if (!relay->has_exported) {
		(void)slot_decide(&relay->view, &relay->system, relay->settings->slot, fault);
		return RELAY_STREAM_START;
	}
	snprintf(relay->exported, sizeof relay->exported, "%s",
		 PQgetvalue(relay->answer.result, 0, 2));
	log_info("slot created", LOG_TEXT("slot", relay->settings->slot),
		 LOG_TEXT("consistent_point", PQgetvalue(relay->answer.result, 0, 1)));
	return RELAY_IMPORT_CONNECT;
}

static void import_connect_begin(struct relay *relay)
{
	relay->fill = session_new(relay->loop, relay->settings->database_url, false);
	session_connect(relay->fill, &relay->answer);
}

static enum relay_step import_connect_finish(struct relay *relay, struct fault *fault)
{
	(void)relay;
	(void)fault;
	return RELAY_IMPORT;
}

/* Before the replication connection gets its next command, which ends the exported snapshot. */
static void import_begin(struct relay *relay)
{
	buf_reset(&relay->command);
	buf_format(&relay->command,
		   "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '%s'",
		   relay->exported);
	session_command(relay->fill, &relay->answer, buf_string(&relay->command));
}

static enum relay_step import_finish(struct relay *relay, struct fault *fault)
{
	(void)relay;
	(void)fault;
	return RELAY_STREAM_START;
}

static void stream_start_begin(struct relay *relay)
{
	buf_reset(&relay->command);
	slot_write_start(&relay->command, relay->settings);
	session_command(relay->replication, &relay->answer, buf_string(&relay->command));
}

static enum relay_step stream_start_finish(struct relay *relay, struct fault *fault)
{
	if (fault->kind == FAULT_INPUT && strcmp(relay->answer.sqlstate, "55006") == 0) {
		*fault = (struct fault){0}; /* somebody else has it */
		return RELAY_STANDBY;
	}
	if (fault->kind == FAULT_NONE) {
		relay->standing_by = false;
		stream_open(&relay->flow.stream, relay->replication);
		relay->replication = NULL;
	}
	return RELAY_VIEW_AGAIN;
}

static void on_timer(uv_timer_t *timer)
{
	struct relay *relay = container_of(timer, struct relay, timer);
	struct fault none = {0};

	relay_resume(relay, &none);
}

/* The snapshot would be old when our turn comes: its owner makes one, or we make another. */
static void standby_begin(struct relay *relay)
{
	relay->standing_by = true;
	session_free(relay->fill);
	relay->fill = NULL;
	relay->has_exported = false;
	uv_timer_start(&relay->timer, on_timer, STEPS_STANDBY_MS, 0);
}

static enum relay_step standby_finish(struct relay *relay, struct fault *fault)
{
	(void)relay;
	(void)fault;
	return RELAY_WATCH;
}

static const char WATCH_SQL[] = "SELECT active FROM pg_replication_slots WHERE slot_name = $1";

/* Asks before it tries, because each vain START_REPLICATION is an error in the server's log. */
static void watch_begin(struct relay *relay)
{
	ask_sql(relay, WATCH_SQL, 1, (const char *const[]){relay->settings->slot});
}

static enum relay_step watch_finish(struct relay *relay, struct fault *fault)
{
	if (fault->kind != FAULT_NONE) {
		return RELAY_STANDBY;
	}
	if (PQntuples(relay->result) != 1) {
		(void)fault_retry(fault, "the slot is gone");
		return RELAY_STANDBY;
	}
	return strcmp(PQgetvalue(relay->result, 0, 0), "t") == 0 ? RELAY_STANDBY
								 : RELAY_STREAM_START;
}

/* ---- the epoch ---- */

static enum relay_step view_again_finish(struct relay *relay, struct fault *fault)
{
	(void)view_finish(relay, fault);
	return RELAY_TAILS;
}

static void tails_begin(struct relay *relay)
{
	run_topics(relay, TOPICS_TAILS);
}

static void note_topics(struct relay *relay)
{
	const struct tails *tails = &relay->flow.tails;

	relay->in_topics =
	    (struct slot_topics){.epoch = tails_epoch(tails),
				 .transaction_lsn = tails_transaction(tails, relay->view.epoch),
				 .is_empty = tails_is_empty(tails, TAILS_ASSIGNMENTS),
				 .is_other = relay->flow.stream.is_other};
}

static enum relay_step tails_finish(struct relay *relay, struct fault *fault)
{
	if (fault->kind != FAULT_NONE) {
		return RELAY_EPOCH;
	}
	tails_renew(&relay->flow.tails, &relay->topics.tails);
	note_topics(relay);
	(void)!flow_open(&relay->flow, slot_record_timeout_ms(&relay->view), fault);
	return RELAY_EPOCH;
}

static const char EPOCH_SQL[] =
    "INSERT INTO public.calrelay_source (epoch, system_identifier, timeline, slot, "
    "consistent_point) VALUES ($1, $2, $3, $4, $5::pg_lsn)";

static void epoch_begin(struct relay *relay)
{
	struct slot_epoch *epoch = &relay->epoch;
	char number[16];
	char timeline[16];
	char point[32];

	*epoch = slot_decide_epoch(&relay->view, &relay->system, relay->settings->slot,
				   &relay->in_topics);
	relay->flow.stream.expected_lsn =
	    epoch->is_new ? 0 : slot_expected(&relay->view, &relay->in_topics);
	relay->flow.emit.epoch = epoch->number;
	snprintf(relay->flow.emit.database, sizeof relay->flow.emit.database, "%s",
		 relay->view.database);
	if (!epoch->is_new) {
		relay_skip(relay);
		return;
	}
	snprintf(number, sizeof number, "%" PRIu32, epoch->number);
	snprintf(timeline, sizeof timeline, "%" PRId32, relay->system.timeline);
	snprintf(point, sizeof point, "%" PRIX32 "/%" PRIX32,
		 (uint32_t)(epoch->consistent_point >> 32), (uint32_t)epoch->consistent_point);
	ask_sql(relay, EPOCH_SQL, 5,
		(const char *const[]){number, relay->system.identifier, timeline,
				      relay->settings->slot, point});
}

static enum relay_step epoch_finish(struct relay *relay, struct fault *fault)
{
	if (fault->kind == FAULT_INPUT) {
		fault->kind = FAULT_RETRY; /* somebody began it at the same moment: look again */
	}
	if (fault->kind == FAULT_NONE && relay->epoch.is_new) {
		relay->flow.stream.is_other = false;
		relay->flow.ack.done_lsn = 0;
		log_info("epoch begins", LOG_NUMBER("epoch", relay->epoch.number),
			 LOG_NUMBER("timeline", relay->system.timeline));
	}
	return RELAY_MEND;
}

/* ---- the fill ---- */

static void on_catalog(struct catalog *catalog, const struct fault *fault)
{
	struct flow *flow = container_of(catalog, struct flow, catalog);
	struct relay *relay = container_of(flow, struct relay, flow);

	if (!relay->clearing && relay->step == RELAY_CATALOG) {
		relay_resume(relay, fault);
	}
}

static void catalog_begin(struct relay *relay)
{
	catalog_load(&relay->flow.catalog, on_catalog);
}

static enum relay_step catalog_finish(struct relay *relay, struct fault *fault)
{
	(void)fault;
	if (!relay->epoch.needs_snapshot) {
		return RELAY_STREAM;
	}
	return relay->has_exported ? RELAY_FILL : RELAY_FILL_CONNECT;
}

static enum relay_step fill_connect_finish(struct relay *relay, struct fault *fault)
{
	(void)relay;
	(void)fault;
	return RELAY_FILL;
}

static void fill_begin(struct relay *relay)
{
	struct snapshot *snapshot = &relay->flow.snapshot;

	snapshot->session = relay->fill;
	snapshot->is_consistent = relay->has_exported;
	snapshot->consistent_point = relay->epoch.consistent_point;
	snapshot->epoch = relay->epoch.number;
	snapshot->from = relay->epoch.snapshot_from;
	log_info("snapshot begins", LOG_NUMBER("epoch", relay->epoch.number),
		 LOG_TEXT("kind", relay->has_exported ? "consistent" : "incremental"),
		 LOG_TEXT("from", snapshot->from));
	snapshot_start(snapshot);
}

static enum relay_step fill_finish(struct relay *relay, struct fault *fault)
{
	(void)fault;
	return relay->epoch.number > 1 ? RELAY_VANISHED : RELAY_FILLED;
}

/* What is there has a record of this epoch by now; what has none was deleted unheard. */
static void vanished_begin(struct relay *relay)
{
	relay->topics.epoch = relay->epoch.number;
	run_topics(relay, TOPICS_OLD);
}

static enum relay_step vanished_finish(struct relay *relay, struct fault *fault)
{
	(void)relay;
	(void)fault;
	return RELAY_MEND_VANISHED;
}

static const char FILLED_SQL[] =
    "UPDATE public.calrelay_source SET snapshot_finished_at = now() WHERE epoch = $1";

static void filled_begin(struct relay *relay)
{
	char number[16];

	session_free(relay->fill);
	relay->fill = NULL;
	log_info("snapshot finished", LOG_NUMBER("records", relay->flow.snapshot.records));
	snprintf(number, sizeof number, "%" PRIu32, relay->epoch.number);
	ask_sql(relay, FILLED_SQL, 1, (const char *const[]){number});
}

static enum relay_step filled_finish(struct relay *relay, struct fault *fault)
{
	(void)relay;
	(void)fault;
	return RELAY_STREAM;
}

/* ---- streaming, and what comes after ---- */

static void streaming_begin(struct relay *relay)
{
	session_free(relay->fill); /* an exported snapshot that was not needed */
	relay->fill = NULL;
	relay->pause_ms = STEPS_PAUSE_FIRST_MS;
	log_info("streaming", LOG_TEXT("slot", relay->settings->slot),
		 LOG_NUMBER("epoch", relay->epoch.number));
	stream_read(&relay->flow.stream);
	oversee_start(&relay->oversee);
}

static void pause_begin(struct relay *relay)
{
	uv_timer_start(&relay->timer, on_timer, (uint64_t)relay->pause_ms, 0);
	relay->pause_ms =
	    relay->pause_ms * 2 < STEPS_PAUSE_MOST_MS ? relay->pause_ms * 2 : STEPS_PAUSE_MOST_MS;
}

static enum relay_step pause_finish(struct relay *relay, struct fault *fault)
{
	(void)relay;
	(void)fault;
	return RELAY_TOPICS;
}

static void drain_begin(struct relay *relay)
{
	uv_timer_start(&relay->timer, on_timer, STEPS_DRAIN_LOOK_MS, 0);
}

static enum relay_step drain_finish(struct relay *relay, struct fault *fault)
{
	bool late = clock_mono_ms() >= relay->drain_by_ms;
	bool empty = flow_is_empty(&relay->flow) &&
		     ack_count(&relay->flow.ack) <= (relay->flow.stream.in_transaction ? 1 : 0);

	(void)fault;
	if (!late && !empty) {
		return RELAY_DRAIN;
	}
	stream_tell(&relay->flow.stream);
	relay_clear(relay);
	return RELAY_STEPS;
}

/* clang-format off */
const struct step STEPS[RELAY_STEPS] = { /* read downwards */
	[RELAY_TOPICS]         = {"topics",         topics_begin,         topics_finish},
	[RELAY_CHECK]          = {"check",          check_begin,          check_finish},
	[RELAY_VIEW]           = {"view",           view_begin,           view_finish},
	[RELAY_CONNECT]        = {"connect",        connect_begin,        connect_finish},
	[RELAY_IDENTIFY]       = {"identify",       identify_begin,       identify_finish},
	[RELAY_SLOT]           = {"slot",           slot_begin,           slot_finish},
	[RELAY_IMPORT_CONNECT] = {"import connect", import_connect_begin, import_connect_finish},
	[RELAY_IMPORT]         = {"import",         import_begin,         import_finish},
	[RELAY_STREAM_START]   = {"stream start",   stream_start_begin,   stream_start_finish},
	[RELAY_STANDBY]        = {"standby",        standby_begin,        standby_finish},
	[RELAY_WATCH]          = {"watch",          watch_begin,          watch_finish},
	/* from here on the slot is ours */
	[RELAY_VIEW_AGAIN]     = {"view again",     view_begin,           view_again_finish},
	[RELAY_TAILS]          = {"tails",          tails_begin,          tails_finish},
	[RELAY_EPOCH]          = {"epoch",          epoch_begin,          epoch_finish},
	[RELAY_MEND]           = {"mend",           mend_begin,           mend_finish},
	[RELAY_CATALOG]        = {"catalog",        catalog_begin,        catalog_finish},
	[RELAY_FILL_CONNECT]   = {"fill connect",   import_connect_begin, fill_connect_finish},
	[RELAY_FILL]           = {"fill",           fill_begin,           fill_finish},
	[RELAY_VANISHED]       = {"vanished",       vanished_begin,       vanished_finish},
	[RELAY_MEND_VANISHED]  = {"mend vanished",  mend_vanished_begin,  mend_vanished_finish},
	[RELAY_FILLED]         = {"filled",         filled_begin,         filled_finish},
	[RELAY_STREAM]         = {"streaming",      streaming_begin,      NULL}, /* until a fault */
	[RELAY_PAUSE]          = {"pause",          pause_begin,          pause_finish},
	[RELAY_DRAIN]          = {"drain",          drain_begin,          drain_finish},
};
/* clang-format on */
