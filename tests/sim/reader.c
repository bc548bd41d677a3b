/* reader.c - records in, as worker/read.c: to the lanes, or to the fold of a replay. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/jsonw.h"
#include "tests/sim/consumer.h"
#include "tests/sim/host.h"
#include "tests/sim/process.h"
#include "tests/sim/sim.h"
#include "tests/sim/topic.h"
#include "worker/record.h"

#define READER_BUDGET 8

static struct worker *worker_of(const struct part *part)
{
	return part->intake->worker;
}

/* ---- one record ---- */

static struct change *decode(const struct part *part, const struct topic_record *from)
{
	struct record record = {.arena = &worker_of(part)->json,
				.value = from->value,
				.value_length = from->value != NULL ? strlen(from->value) : 0,
				.pos = from->pos,
				.pos_length = strlen(from->pos)};
	char id[UUID_TEXT_SIZE];
	struct change *change;
	struct fault fault;
	struct buf key;

	uuid_format(&from->id, id);
	buf_init(&key, 256);
	buf_char(&key, '{');
	jsonw_member_text(&key, "user_id", host_user_text(from->user));
	jsonw_member_text(&key, "id", id);
	buf_char(&key, '}');
	record.key = buf_string(&key);
	record.key_length = key.length;
	change = record_decode(&record, &worker_of(part)->map, &fault);
	if (change == NULL) {
		sim_fail("a record can't be read: %s", fault.what);
	} else if (from->xid != 0) {
		change->has_xid = true;
		change->xid = from->xid;
	}
	buf_close(&key);
	return change;
}

static void take_change(struct part *part, const struct topic_record *record)
{
	struct lanes *lanes = &worker_of(part)->lanes;
	struct change *change = decode(part, record);
	bool folds = part->state == PART_FOLDING;
	struct lane *lane;

	if (change == NULL) {
		return;
	}
	lane = lanes_get(lanes, &change->user, part);
	if (!lane_put(lanes, lane, change, NULL, 0, folds ? -1 : record->offset)) {
		abort();
	}
	if (!folds) {
		lanes_make_ready(lanes, lane);
	} else if (!lane->wants_replay) {
		lane->wants_replay = true;
		part->replay_lanes++;
		part->replay_users++;
	}
}

static void take_request(struct part *part, const struct topic_record *record)
{
	struct worker *worker = worker_of(part);
	const char *text = host_user_text(record->user);
	struct part *events = intake_part_of(part->intake, text);
	struct uuid user;

	if (events != NULL && uuid_parse(text, &user)) {
		struct lane *lane = lanes_get(&worker->lanes, &user, events);

		lane->wants_sync = true;
		lanes_make_ready(&worker->lanes, lane);
	}
	intake_done(part->intake, part, record->offset);
}

static void take_record(struct part *part, const struct topic_record *record)
{
	if (part->state == PART_READING &&
	    !ledger_deliver(&part->ledger, record->offset, sim.now_ms)) {
		sim_fail("offset %d comes twice", (int)record->offset);
		return;
	}
	part->progress_ms = clock_mono_ms();
	if (part->is_requests) {
		take_request(part, record);
	} else {
		take_change(part, record);
	}
}

void reader_mark_done(struct reader *reader, int64_t from, int64_t to)
{
	if (to > READER_OFFSETS_MAX) {
		sim_fail("more records than a simulated partition has");
		return;
	}
	for (int64_t offset = from; offset < to; offset++) {
		reader->is_done[offset] = true;
	}
}

int64_t reader_proves(const struct reader *reader)
{
	const struct topic_partition *partition =
	    topic_partition(reader->part.is_requests, reader->part.partition);

	for (size_t i = 0; i < partition->count; i++) {
		int64_t offset = partition->records[i].offset;

		if (offset >= reader->first && !reader->is_done[offset]) {
			return offset;
		}
	}
	return partition->high > reader->first ? partition->high : reader->first;
}

/* ---- replay ---- */

static void make_ready(struct part *part)
{
	struct lanes *lanes = &worker_of(part)->lanes;

	for (struct lane *lane = lanes->by_user; lane != NULL; lane = lane->hh.next) {
		if (lane->part == part) {
			lanes_make_ready(lanes, lane);
		}
	}
}

static void fold_end(struct reader *reader)
{
	struct part *part = &reader->part;

	sim_trace("partition %d is folded: %d users", part->partition, part->replay_lanes);
	part->state = PART_REPLAYING;
	part->has_folded = true;
	make_ready(part);
	if (part->replay_lanes == 0) {
		reader_replay_ended(reader);
	}
}

void reader_replay_ended(struct reader *reader)
{
	struct part *part = &reader->part;

	sim_trace("partition %d: its replay is done", part->partition);
	/* behind a gap, the record that ended the fold is part of it */
	reader_mark_done(reader, 0,
			 reader->fetch_at > part->replay_to ? reader->fetch_at : part->replay_to);
	ledger_close(&part->ledger);
	if (!ledger_init(&part->ledger, part->replay_to)) {
		abort();
	}
	part->start = part->replay_to;
	part->replay_to = -1;
	part->has_folded = false;
	part->state = PART_READING;
}

/* ---- the queue ---- */

static const struct topic_record *next_record(const struct reader *reader)
{
	const struct topic_partition *partition =
	    topic_partition(reader->part.is_requests, reader->part.partition);

	for (size_t i = 0; i < partition->count; i++) {
		if (partition->records[i].offset >= reader->fetch_at) {
			return &partition->records[i];
		}
	}
	return NULL;
}

static bool may_read(const struct part *part)
{
	return part->state == PART_FOLDING ||
	       (part->state == PART_READING && !ledger_is_full(&part->ledger) &&
		lanes_has_room(&worker_of(part)->lanes, part, part->intake->part_count));
}

/* What was not delivered below the log's end is a gap, and done. */
static void take_gap(struct part *part)
{
	int64_t end = topic_partition(part->is_requests, part->partition)->high;

	if (part->state == PART_READING && end > 0 && ledger_deliver(&part->ledger, end - 1, 0)) {
		intake_done(part->intake, part, end - 1);
	}
	part->position = end;
}

/* The last records may be gaps, which only the end of the partition shows. */
static void fold_if_whole(struct reader *reader, bool is_end)
{
	const struct part *part = &reader->part;
	int64_t high = topic_partition(part->is_requests, part->partition)->high;
	int64_t at = is_end ? high : reader->fetch_at;

	if (part->state == PART_FOLDING && at >= part->replay_to) {
		fold_end(reader);
	}
}

void reader_fetch(struct reader *reader)
{
	struct part *part = &reader->part;

	for (int64_t left = sim_between(1, READER_BUDGET); left > 0 && may_read(part); left--) {
		const struct topic_record *record = next_record(reader);

		if (record == NULL) {
			take_gap(part);
			fold_if_whole(reader, true);
			return;
		}
		reader->fetch_at = record->offset + 1;
		part->position = reader->fetch_at;
		take_record(part, record);
		fold_if_whole(reader, false);
	}
}

void reader_start(struct reader *reader)
{
	struct part *part = &reader->part;

	if (part->replay_to < 0) {
		part->state = PART_READING;
	} else {
		part->state = part->has_folded ? PART_REPLAYING : PART_FOLDING;
	}
	part->progress_ms = clock_mono_ms();
	make_ready(part);
	if (part->state == PART_REPLAYING && part->replay_lanes == 0) {
		reader_replay_ended(reader);
	}
}

/* A commit was answered: what it proves is read. */
void consumer_committed(struct process *process)
{
	struct intake *intake = &process->worker.intake;

	for (int i = 0; i < intake->part_count; i++) {
		struct part *part = intake->parts[i];

		if (part->state == PART_CLAIMING && part->is_proven) {
			reader_start(container_of(part, struct reader, part));
		}
	}
	consumer_drains(process);
}
