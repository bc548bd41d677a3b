/* claim.c - where a consumer goes on, whose partitions are, what is committed. */
#include "common/clock.h"
#include "tests/sim/consumer.h"
#include "tests/sim/db.h"
#include "tests/sim/group.h"
#include "tests/sim/host.h"
#include "tests/sim/process.h"
#include "tests/sim/sim.h"
#include "tests/sim/topic.h"

#define CLAIM_PARTS_MAX (2 * TOPIC_PARTITIONS_MAX)
#define CLAIM_AGAIN_MS	1000

static struct part *part_at(struct process *process, bool requests, int partition)
{
	struct intake *intake = &process->worker.intake;

	for (int i = 0; i < intake->part_count; i++) {
		if (intake->parts[i]->is_requests == requests &&
		    intake->parts[i]->partition == partition) {
			return intake->parts[i];
		}
	}
	return NULL;
}

/* ---- the fence ---- */

struct claim_row {
	bool requests;
	int partition;
	int64_t epoch;
	struct part_progress progress;
};

struct claim_statement {
	struct statement base; /* first */
	struct claim_row rows[CLAIM_PARTS_MAX];
	int count;
};

static void claim_execute(struct statement *base)
{
	struct claim_statement *it = (struct claim_statement *)base;

	for (int i = 0; i < it->count; i++) {
		struct claim_row *row = &it->rows[i];
		struct db_part *part = db_part(row->requests, row->partition);

		row->epoch = ++part->epoch;
		row->progress = (struct part_progress){.is_known = part->has_progress,
						       .done = part->has_progress ? part->done : -1,
						       .committed = part->committed,
						       .replay_to = part->replay_to};
	}
	sim_trace("db: worker %d claims, epoch %d of partition %d", base->process->number,
		  (int)it->rows[0].epoch, it->rows[0].partition);
}

static void claim_fence(struct process *process);

/* ---- what was skipped: the tables have to tell, as worker/skip.c ---- */

struct skip_statement {
	struct statement base; /* first */
	bool was_skipped[TOPIC_PARTITIONS_MAX];
	int64_t number; /* of the first reader: which assignment it was for */
};

static int64_t assignment_of(struct process *process)
{
	const struct intake *intake = &process->worker.intake;

	return intake->part_count > 0 ? container_of(intake->parts[0], struct reader, part)->number
				      : 0;
}

static void skip_execute(struct statement *base)
{
	struct skip_statement *it = (struct skip_statement *)base;

	for (int user = 0; user < HOST_USERS; user++) {
		if (it->was_skipped[topic_partition_of(user)] && db_connection(user)->exists) {
			db_file(user, 0);
		}
	}
}

static void skip_answer(struct statement *base)
{
	struct skip_statement *it = (struct skip_statement *)base;
	struct intake *intake = &base->process->worker.intake;

	if (it->number != assignment_of(base->process)) {
		return; /* the parts it was for are gone */
	}
	if (base->fault.kind != FAULT_NONE) {
		intake->claim_again_ms = clock_mono_ms() + CLAIM_AGAIN_MS;
		return;
	}
	for (int i = 0; i < intake->part_count; i++) {
		intake->parts[i]->was_skipped = false;
	}
	consumer_claimed(base->process);
}

static void skip_send(struct process *process)
{
	struct intake *intake = &process->worker.intake;
	struct skip_statement *it = statement_new(sizeof *it, process);
	int count = 0;

	it->number = assignment_of(process);
	it->base.execute = skip_execute;
	it->base.answer = skip_answer;
	for (int i = 0; i < intake->part_count; i++) {
		if (intake->parts[i]->was_skipped) {
			sim_trace("worker %d: partition %d was skipped", process->number,
				  intake->parts[i]->partition);
			it->was_skipped[intake->parts[i]->partition] = true;
			count++;
		}
	}
	if (count > 0) {
		statement_send(&it->base);
	} else {
		statement_drop(&it->base);
		consumer_claimed(process);
	}
}

/* ---- claimed ---- */

static void claim_row_take(struct process *process, struct claim_row *row)
{
	struct part *part = part_at(process, row->requests, row->partition);
	bool is_new;

	if (part == NULL || part->state != PART_CLAIMING) {
		return;
	}
	is_new = part->epoch == 0;
	part->is_proven = false;
	part->epoch = row->epoch;
	if (is_new) {
		if (sim.broken == SIM_NO_REPLAY) {
			row->progress.is_known = false;
		}
		part_decide(part, part->committed, &row->progress);
		if (part->replay_to >= 0) {
			sim_trace("worker %d: partition %d is replayed, %d to %d", process->number,
				  part->partition, (int)part->start, (int)part->replay_to);
		}
	}
}

static void claim_answer(struct statement *base)
{
	struct claim_statement *it = (struct claim_statement *)base;
	struct intake *intake = &base->process->worker.intake;

	intake->is_claiming = false;
	if (intake->is_claim_stale) {
		intake->is_claim_stale = false;
		if (intake->state == INTAKE_CLAIMING) {
			claim_fence(base->process);
		}
		return;
	}
	if (base->fault.kind != FAULT_NONE) {
		intake->claim_again_ms = clock_mono_ms() + CLAIM_AGAIN_MS;
		return;
	}
	for (int i = 0; i < it->count; i++) {
		claim_row_take(base->process, &it->rows[i]);
	}
	skip_send(base->process);
}

static void claim_fence(struct process *process)
{
	struct intake *intake = &process->worker.intake;
	struct claim_statement *it;

	if (intake->is_claiming) {
		return;
	}
	it = statement_new(sizeof *it, process);
	for (int i = 0; i < intake->part_count; i++) {
		const struct part *part = intake->parts[i];

		if (part->state == PART_CLAIMING) {
			it->rows[it->count].requests = part->is_requests;
			it->rows[it->count++].partition = part->partition;
		}
	}
	it->base.execute = claim_execute;
	it->base.answer = claim_answer;
	intake->claim_again_ms = 0;
	if (it->count == 0) {
		statement_drop(&it->base);
		return;
	}
	intake->is_claiming = true;
	statement_send(&it->base);
}

/* ---- positions ---- */

static void on_looked_up(void *context)
{
	struct process *process = context;
	struct intake *intake = &process->worker.intake;

	intake->is_looking = false;
	if (intake->must_forget) {
		intake->must_forget = false;
		consumer_gives_back(process);
		return;
	}
	if (sim_fault_chance(50)) {
		intake->claim_again_ms = clock_mono_ms() + CLAIM_AGAIN_MS;
		return;
	}
	for (int i = 0; i < intake->part_count; i++) {
		struct part *part = intake->parts[i];
		const struct topic_partition *partition =
		    topic_partition(part->is_requests, part->partition);

		part->committed = partition->committed;
		part->low_watermark = partition->low;
		part->high_watermark = partition->high;
	}
	intake->state = INTAKE_CLAIMING;
	claim_fence(process);
}

void consumer_claims(struct process *process)
{
	struct intake *intake = &process->worker.intake;

	intake->state = INTAKE_LOOKING;
	intake->is_looking = true;
	intake->claim_again_ms = 0;
	process_after(process, sim_between(1, 300), on_looked_up, process);
}

void consumer_claim_again(struct process *process)
{
	if (process->worker.intake.state == INTAKE_LOOKING) {
		consumer_claims(process);
	} else {
		claim_fence(process);
	}
}
