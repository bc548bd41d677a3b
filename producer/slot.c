/* slot.c - the replication slot and the epoch. */
#include "producer/slot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/pg.h"
#include "common/text.h"

#define SLOT_RECORD_LEAST_MS 2000

const char SLOT_VIEW_SQL[] =
    "SELECT current_database(), (SELECT setting FROM pg_settings WHERE name = "
    "'wal_sender_timeout'), s.slot_name IS NOT NULL, coalesce(s.wal_status = 'lost', false), "
    "s.confirmed_flush_lsn::text, e.epoch, e.system_identifier, e.timeline, e.slot, "
    "e.snapshot_finished_at IS NOT NULL, e.given_up, e.consistent_point::text, "
    "e.snapshot_from::text, pg_current_wal_flush_lsn()::text, "
    "coalesce(pg_relation_size(to_regclass(format('%I.%I', $2::text, $3::text))) > 0, false) "
    "FROM (SELECT 1) one LEFT JOIN pg_replication_slots s ON s.slot_name = $1 "
    "LEFT JOIN (SELECT * FROM public.calrelay_source ORDER BY epoch DESC LIMIT 1) e ON true";

enum {
	VIEW_DATABASE,
	VIEW_TIMEOUT,
	VIEW_EXISTS,
	VIEW_LOST,
	VIEW_CONFIRMED,
	VIEW_EPOCH,
	VIEW_SYSTEM,
	VIEW_TIMELINE,
	VIEW_SLOT,
	VIEW_FINISHED,
	VIEW_GIVEN_UP,
	VIEW_CONSISTENT,
	VIEW_FROM,
	VIEW_FLUSH,
	VIEW_ROWS
};

/* One to eight hex digits; returns what follows them, or NULL. */
static const char *read_half(const char *text, uint64_t *half)
{
	size_t digits = strspn(text, "0123456789ABCDEFabcdef");

	if (digits == 0 || digits > 8) {
		return NULL;
	}
	*half = strtoull(text, NULL, 16);
	return text + digits;
}

/* Two 32-bit halves in hex, with a slash between them. */
bool slot_read_lsn(const char *text, uint64_t *lsn)
{
	const char *at = text;
	uint64_t high;
	uint64_t low;

	*lsn = 0;
	if (at == NULL || (at = read_half(at, &high)) == NULL || *at != '/' ||
	    (at = read_half(at + 1, &low)) == NULL || *at != '\0') {
		return false;
	}
	*lsn = high << 32 | low;
	return true;
}

static bool is_true(const PGresult *result, int column)
{
	const char *text = pg_text(result, 0, column);

	return text != NULL && *text == 't';
}

bool slot_read_view(const PGresult *result, struct slot_view *view, struct fault *fault)
{
	*view = (struct slot_view){0};
	if (PQntuples(result) != 1) {
		return fault_fatal(fault, "PostgreSQL's view of the slot has %d rows",
				   PQntuples(result));
	}
	text_copy(view->database, SLOT_TEXT_SIZE, pg_text(result, 0, VIEW_DATABASE));
	view->sender_timeout_ms = pg_integer(result, 0, VIEW_TIMEOUT, 0);
	view->exists = is_true(result, VIEW_EXISTS);
	view->is_lost = is_true(result, VIEW_LOST);
	(void)slot_read_lsn(pg_text(result, 0, VIEW_CONFIRMED), &view->confirmed_lsn);
	(void)slot_read_lsn(pg_text(result, 0, VIEW_FLUSH), &view->flush_lsn);
	view->has_rows = is_true(result, VIEW_ROWS);
	view->has_epoch = pg_text(result, 0, VIEW_EPOCH) != NULL;
	view->epoch = (uint32_t)pg_integer(result, 0, VIEW_EPOCH, 0);
	text_copy(view->system.identifier, SLOT_TEXT_SIZE, pg_text(result, 0, VIEW_SYSTEM));
	view->system.timeline = (int32_t)pg_integer(result, 0, VIEW_TIMELINE, 0);
	text_copy(view->slot, SLOT_TEXT_SIZE, pg_text(result, 0, VIEW_SLOT));
	view->snapshot_finished = is_true(result, VIEW_FINISHED);
	view->given_up = is_true(result, VIEW_GIVEN_UP);
	(void)slot_read_lsn(pg_text(result, 0, VIEW_CONSISTENT), &view->consistent_point);
	text_copy(view->snapshot_from, SLOT_TEXT_SIZE, pg_text(result, 0, VIEW_FROM));
	return true;
}

int slot_record_timeout_ms(const struct slot_view *view)
{
	int64_t timeout_ms = SLOT_SENDER_TIMEOUT_MS;

	if (view->sender_timeout_ms > 0 && view->sender_timeout_ms < timeout_ms) {
		timeout_ms = view->sender_timeout_ms;
	}
	timeout_ms = timeout_ms * 3 / 4;
	return timeout_ms > SLOT_RECORD_LEAST_MS ? (int)timeout_ms : SLOT_RECORD_LEAST_MS;
}

bool slot_read_system(const PGresult *result, struct slot_system *system, struct fault *fault)
{
	if (PQntuples(result) != 1 || PQnfields(result) < 4) {
		return fault_fatal(fault, "IDENTIFY_SYSTEM has an answer of another form");
	}
	text_copy(system->identifier, SLOT_TEXT_SIZE, pg_text(result, 0, 0));
	system->timeline = (int32_t)pg_integer(result, 0, 1, 0);
	return true;
}

static bool is_same_epoch(const struct slot_view *view, const struct slot_system *system,
			  const char *slot)
{
	return view->has_epoch && !view->given_up && strcmp(view->slot, slot) == 0 &&
	       strcmp(view->system.identifier, system->identifier) == 0 &&
	       view->system.timeline == system->timeline;
}

enum slot_plan slot_decide(const struct slot_view *view, const struct slot_system *system,
			   const char *slot, struct fault *fault)
{
	if (view->exists && view->is_lost) {
		fault_fatal(
		    fault,
		    "slot %s is lost: the server removed WAL it needs, so changes are "
		    "missing. Drop it and begin anew: SELECT pg_drop_replication_slot('%s'); "
		    "UPDATE public.calrelay_source SET given_up = true",
		    slot, slot);
		return SLOT_STOP;
	}
	if (view->exists) {
		return SLOT_USE;
	}
	if (is_same_epoch(view, system, slot)) {
		fault_fatal(fault,
			    "slot %s is gone, so changes may be missing. To begin a new epoch "
			    "with a snapshot: UPDATE public.calrelay_source SET given_up = true",
			    slot);
		return SLOT_STOP;
	}
	return SLOT_CREATE;
}

/* Whether the topic goes on from what this server's log and tables had. */
static bool is_same_history(const struct slot_view *view, const struct slot_topics *topics)
{
	bool is_forgotten = topics->is_empty && view->has_rows && view->snapshot_finished;

	return topics->epoch <= view->epoch && !topics->is_other && !is_forgotten &&
	       topics->transaction_lsn <= view->flush_lsn;
}

uint64_t slot_expected(const struct slot_view *view, const struct slot_topics *topics)
{
	return topics->transaction_lsn > view->confirmed_lsn ? topics->transaction_lsn : 0;
}

struct slot_epoch slot_decide_epoch(const struct slot_view *view, const struct slot_system *system,
				    const char *slot, const struct slot_topics *topics)
{
	uint32_t highest = view->has_epoch ? view->epoch : 0;

	if (is_same_epoch(view, system, slot) && is_same_history(view, topics)) {
		struct slot_epoch same = {.number = view->epoch,
					  .needs_snapshot = !view->snapshot_finished,
					  .consistent_point = view->consistent_point};

		text_copy(same.snapshot_from, SLOT_TEXT_SIZE, view->snapshot_from);
		return same;
	}
	if (topics->epoch > highest) {
		highest = topics->epoch;
	}
	return (struct slot_epoch){.number = highest + 1,
				   .is_new = true,
				   .needs_snapshot = true,
				   .consistent_point = view->confirmed_lsn};
}

static void write_quoted(struct buf *out, const char *name, char quote)
{
	buf_char(out, quote);
	for (; *name != '\0'; name++) {
		if (*name == quote) {
			buf_char(out, quote);
		}
		buf_char(out, *name);
	}
	buf_char(out, quote);
}

void slot_write_create(struct buf *out, const char *slot)
{
	buf_text(out, "CREATE_REPLICATION_SLOT ");
	write_quoted(out, slot, '"');
	buf_text(out, " LOGICAL pgoutput (SNAPSHOT 'export')");
}

/* The list of publications is parsed as identifiers inside a string, so it is quoted twice. */
void slot_write_start(struct buf *out, const struct settings *settings)
{
	struct buf names;

	buf_init(&names, 1024);
	write_quoted(&names, settings->publication, '"');
	buf_char(&names, ',');
	write_quoted(&names, SETTINGS_REQUESTS_PUBLICATION, '"');
	buf_text(out, "START_REPLICATION SLOT ");
	write_quoted(out, settings->slot, '"');
	buf_text(out, " LOGICAL 0/0 (proto_version '1', messages 'true', publication_names ");
	write_quoted(out, buf_string(&names), '\'');
	buf_char(out, ')');
	buf_close(&names);
}
