/* commit.c - offsets out, as worker/commit.c: save, commit, note; Kafka checks what it is told. */
#include <stdlib.h>

#include "tests/sim/consumer.h"
#include "tests/sim/db.h"
#include "tests/sim/group.h"
#include "tests/sim/process.h"
#include "tests/sim/sim.h"
#include "tests/sim/topic.h"

#define COMMIT_PARTS_MAX (2 * TOPIC_PARTITIONS_MAX)

struct commit_row {
	bool requests;
	int partition;
	int64_t epoch;
	int64_t done;
	int64_t replay_to;
	int64_t reader;
	int64_t proven; /* by what was done, record by record */
	bool is_held;
};

struct commit_statement {
	struct statement base; /* first */
	struct commit_row rows[COMMIT_PARTS_MAX];
	int count;
};

static void commit_end(struct process *process)
{
	struct intake *intake = &process->worker.intake;

	intake->is_busy = false;
	intake->is_stale = false;
	for (int i = 0; i < intake->part_count; i++) {
		intake->parts[i]->saving = -1;
	}
	consumer_committed(process);
}

static struct commit_statement *commit_statement_new(struct process *process)
{
	struct commit_statement *it = statement_new(sizeof *it, process);
	const struct intake *intake = &process->worker.intake;

	for (int i = 0; i < intake->part_count; i++) {
		struct part *part = intake->parts[i];
		const struct reader *reader = container_of(part, struct reader, part);

		if (part->saving >= 0) {
			it->rows[it->count++] =
			    (struct commit_row){.requests = part->is_requests,
						.partition = part->partition,
						.epoch = part->epoch,
						.done = part->saving,
						.replay_to = part->replay_to,
						.reader = reader->number,
						.proven = reader_proves(reader)};
		}
	}
	return it;
}

/* ---- note ---- */

static void note_execute(struct statement *base)
{
	struct commit_statement *it = (struct commit_statement *)base;

	for (int i = 0; i < it->count; i++) {
		const struct commit_row *row = &it->rows[i];
		struct db_part *part = db_part(row->requests, row->partition);

		if (part->epoch == row->epoch && part->has_progress) {
			part->committed = row->done;
		}
	}
}

static void note_answer(struct statement *base)
{
	commit_end(base->process);
}

/* ---- commit ---- */

struct commit {
	struct process *process;
	uint32_t life;
	int generation; /* in which it was sent */
	struct commit_row rows[COMMIT_PARTS_MAX];
	int count;
	bool is_taken;
	int holders;
};

static void commit_release(void *context)
{
	struct commit *commit = context;

	if (--commit->holders == 0) {
		free(commit);
	}
}

/* What is committed has to be done by the one who commits it, and saved before. */
static void commit_check(const struct commit_row *row, const struct topic_partition *partition)
{
	const struct db_part *part = db_part(row->requests, row->partition);
	int64_t saved = part->saved_epoch == row->epoch ? part->saved : -1;

	if (row->done > saved) {
		sim_fail("partition %d is committed up to %d, but saved up to %d", row->partition,
			 (int)row->done, (int)saved);
	}
	if (partition->committed_by == row->reader && partition->committed > row->done) {
		sim_fail("partition %d goes back from %d to %d", row->partition,
			 (int)partition->committed, (int)row->done);
	}
	if (row->done > row->proven) {
		sim_fail("partition %d is committed up to %d, but %d is not done", row->partition,
			 (int)row->done, (int)row->proven);
	}
}

static void on_commit_lands(void *context)
{
	struct commit *commit = context;

	commit->is_taken = commit->process->life == commit->life &&
			   commit->process->generation == commit->generation &&
			   group_takes(commit->process);
	for (int i = 0; i < commit->count && commit->is_taken; i++) {
		const struct commit_row *row = &commit->rows[i];
		struct topic_partition *partition = topic_partition(row->requests, row->partition);

		commit_check(row, partition);
		partition->committed = row->done;
		partition->committed_by = row->reader;
	}
	commit_release(commit);
}

static void commit_taken(struct process *process)
{
	struct intake *intake = &process->worker.intake;
	struct commit_statement *it;

	intake->has_lease = true;
	intake->must_prove = false;
	for (int i = 0; i < intake->part_count; i++) {
		struct part *part = intake->parts[i];

		if (part->saving >= 0) {
			part->committed = part->saving;
			part->is_proven = true;
		}
	}
	it = commit_statement_new(process);
	it->base.execute = note_execute;
	it->base.answer = note_answer;
	statement_send(&it->base);
}

static void on_commit_answered(void *context)
{
	struct commit *commit = context;
	struct process *process = commit->process;
	struct intake *intake = &process->worker.intake;
	bool is_taken = commit->is_taken && !sim_fault_chance(20);

	commit_release(commit);
	if (!is_taken) {
		sim_trace("worker %d: a commit is refused", process->number);
		intake->has_lease = false;
		intake->must_prove = true;
	}
	if (!is_taken || intake->is_stale) {
		commit_end(process);
		return;
	}
	commit_taken(process);
}

static void commit_to_kafka(struct process *process)
{
	struct commit_statement *rows = commit_statement_new(process);
	struct commit *commit = sim_alloc(sizeof *commit);
	int64_t land_ms = sim_fault_chance(30) ? sim_between(500, 5000) : sim_between(1, 20);

	*commit = (struct commit){.process = process,
				  .life = process->life,
				  .generation = process->generation,
				  .count = rows->count,
				  .holders = 2};
	for (int i = 0; i < rows->count; i++) {
		commit->rows[i] = rows->rows[i];
	}
	statement_drop(&rows->base);
	if (commit->count == 0) {
		free(commit);
		commit_end(process);
		return;
	}
	sim_after(land_ms, &(struct sim_call){
			       .run = on_commit_lands, .drop = commit_release, .context = commit});
	sim_after(land_ms + sim_between(1, 20), &(struct sim_call){.process = process,
								   .run = on_commit_answered,
								   .drop = commit_release,
								   .context = commit});
}

/* ---- save ---- */

static void save_execute(struct statement *base)
{
	struct commit_statement *it = (struct commit_statement *)base;

	for (int i = 0; i < it->count; i++) {
		struct commit_row *row = &it->rows[i];
		struct db_part *part = db_part(row->requests, row->partition);

		row->is_held = part->epoch == row->epoch || sim.broken == SIM_NO_FENCE;
		if (row->is_held) {
			part->has_progress = true;
			part->done = row->done;
			if (part->saved_epoch != row->epoch || part->saved < row->done) {
				part->saved_epoch = row->epoch;
				part->saved = row->done;
			}
			part->replay_to = row->replay_to;
		}
	}
}

static void save_answer(struct statement *base)
{
	struct commit_statement *it = (struct commit_statement *)base;
	struct intake *intake = &base->process->worker.intake;

	if (base->fault.kind != FAULT_NONE || intake->is_stale) {
		commit_end(base->process);
		return;
	}
	for (int i = 0; i < it->count; i++) {
		struct commit_row *row = &it->rows[i];

		for (int k = 0; k < intake->part_count && !row->is_held; k++) {
			struct part *part = intake->parts[k];

			if (part->saving >= 0 && part->is_requests == row->requests &&
			    part->partition == row->partition) {
				part->saving = -1;
				intake_fenced(intake, part);
			}
		}
	}
	commit_to_kafka(base->process);
}

static int64_t part_to_commit(struct part *part)
{
	if (sim.broken == SIM_COMMIT_DELIVERED && part->state == PART_READING) {
		return container_of(part, struct reader, part)->fetch_at;
	}
	return part_committable(part);
}

void consumer_commits(struct process *process)
{
	struct intake *intake = &process->worker.intake;
	struct commit_statement *it;
	int moved = 0;

	if (intake->is_busy) {
		return;
	}
	for (int i = 0; i < intake->part_count; i++) {
		struct part *part = intake->parts[i];
		int64_t done = part_to_commit(part);

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
	if (sim.broken == SIM_COMMIT_UNPROVEN) {
		commit_to_kafka(process);
		return;
	}
	it = commit_statement_new(process);
	it->base.execute = save_execute;
	it->base.answer = save_answer;
	statement_send(&it->base);
}
