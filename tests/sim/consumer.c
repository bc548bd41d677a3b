/* consumer.c - partitions given and taken, the tick, what a run asks of the intake. */
#include "tests/sim/consumer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "tests/sim/db.h"
#include "tests/sim/group.h"
#include "tests/sim/host.h"
#include "tests/sim/process.h"
#include "tests/sim/sim.h"
#include "tests/sim/topic.h"
#include "worker/chain.h"

#define CONSUMER_TICK_MS   1000 /* these three as in worker/intake.c */
#define CONSUMER_DRAIN_MS  9000
#define CONSUMER_LINGER_MS 20
#define CONSUMER_GAP_MS	   10000
#define CONSUMER_WAKE_MS   200
#define CONSUMER_FETCH_MS  500

static char ASSIGNMENTS[] = "assignments";
static char REQUESTS[] = "requests";
static int64_t readers_made;

static struct process *process_at(struct intake *intake)
{
	return process_of(intake->worker);
}

/* ---- parts ---- */

static void part_free(struct part *part)
{
	if (part->state == PART_RELEASED && part->holds == 0) {
		ledger_close(&part->ledger);
		free(container_of(part, struct reader, part));
	}
}

static void part_add(struct intake *intake, bool requests, int partition)
{
	struct reader *reader = sim_alloc(sizeof *reader);

	reader->number = ++readers_made;
	reader->part = (struct part){.intake = intake,
				     .is_requests = requests,
				     .topic = intake->topics[requests],
				     .partition = partition,
				     .replay_to = -1,
				     .saving = -1,
				     .committed = -1};
	intake->parts[intake->part_count++] = &reader->part;
}

/* ---- given ---- */

static void consumer_assign(struct process *process)
{
	struct intake *intake = &process->worker.intake;

	for (int i = 0; i < topic_partition_count(); i++) {
		if (group_owns(process, i)) {
			part_add(intake, false, i);
			part_add(intake, true, i);
		}
	}
	sim_trace("worker %d: is given %d partitions", process->number, intake->part_count / 2);
	if (intake->part_count == 0) {
		intake->state = INTAKE_RUNNING;
		return;
	}
	intake->guard.cluster.partition_counts[0] = topic_partition_count();
	consumer_claims(process);
}

void consumer_claimed(struct process *process)
{
	struct intake *intake = &process->worker.intake;

	intake->has_lease = false;
	intake->must_prove = true;
	intake->is_stale = intake->is_busy;
	if (intake->state != INTAKE_CLAIMING) {
		consumer_commits(process); /* claimed again after a fence */
		return;
	}
	for (int i = 0; i < intake->part_count; i++) {
		struct reader *reader = container_of(intake->parts[i], struct reader, part);

		reader->fetch_at = reader->part.start;
		reader->first = reader->part.start;
		reader->part.position = reader->part.start;
		if (!ledger_init(&reader->part.ledger, reader->part.start)) {
			abort();
		}
	}
	intake->state = INTAKE_RUNNING;
	consumer_commits(process);
}

/* ---- taken ---- */

void consumer_drop(struct process *process)
{
	struct intake *intake = &process->worker.intake;
	int count = intake->part_count;

	intake->part_count = 0;
	intake->has_lease = false;
	intake->is_stale = intake->is_busy;
	intake->is_claim_stale = intake->is_claiming;
	intake->must_forget = false;
	intake->claim_again_ms = 0;
	for (int i = 0; i < count; i++) {
		lanes_drop(&process->worker.lanes, intake->parts[i]);
		intake->parts[i]->state = PART_RELEASED;
		part_free(intake->parts[i]);
	}
	intake->state = INTAKE_IDLE;
}

void consumer_gives_back(struct process *process)
{
	struct intake *intake = &process->worker.intake;

	if (intake->is_looking) {
		intake->must_forget = true; /* the look-up comes back here */
		return;
	}
	consumer_drop(process);
	if (intake->is_stopping) {
		intake->state = INTAKE_CLOSED;
		group_leave(process);
		process_after(process, 0, process_gone, process);
	} else if (process->is_member) {
		group_gave_back(process);
	} else {
		group_join(process);
	}
}

static bool intake_is_drained(const struct intake *intake)
{
	for (int i = 0; i < intake->part_count; i++) {
		const struct part *part = intake->parts[i];

		if (part->holds > 0 || (part->epoch > 0 && part->state == PART_READING &&
					part_committable(part) > part->committed)) {
			return false;
		}
	}
	return !intake->is_busy;
}

void consumer_drains(struct process *process)
{
	struct intake *intake = &process->worker.intake;

	if (intake->state != INTAKE_DRAINING) {
		return;
	}
	if (intake_is_drained(intake) || clock_mono_ms() >= intake->drain_until_ms) {
		sim_trace("worker %d: gives its partitions back", process->number);
		consumer_gives_back(process);
		return;
	}
	worker_wake(&process->worker);
	if (intake->state == INTAKE_DRAINING) {
		consumer_commits(process);
	}
}

static void consumer_revoke(struct process *process)
{
	struct intake *intake = &process->worker.intake;

	if (intake->state == INTAKE_DRAINING || intake->must_forget) {
		return;
	}
	if (!process->is_member || intake->state != INTAKE_RUNNING) {
		consumer_gives_back(process);
		return;
	}
	intake->state = INTAKE_DRAINING;
	intake->drain_until_ms = clock_mono_ms() + CONSUMER_DRAIN_MS;
	consumer_drains(process);
}

void consumer_stop(struct process *process)
{
	sim_trace("worker %d: stops", process->number);
	process->worker.is_stopping = true;
	process->worker.intake.is_stopping = true;
	consumer_revoke(process);
}

void consumer_hears(struct process *process)
{
	if (process->worker.intake.state == INTAKE_CLOSED) {
		return;
	}
	if (!process->is_member) {
		sim_trace("worker %d: has lost its partitions", process->number);
		consumer_gives_back(process);
	} else if (group_is_preparing() && !process->was_told) {
		process->was_told = true;
		consumer_revoke(process);
	} else if (!group_is_preparing() && !process->was_assigned) {
		process->was_assigned = true;
		consumer_assign(process);
	}
}

/* ---- due requests, as worker/due.c ---- */

struct due_statement {
	struct statement base; /* first */
	bool is_due[HOST_USERS];
};

static void due_execute(struct statement *base)
{
	struct due_statement *it = (struct due_statement *)base;
	const struct db_request *request;

	for (size_t i = 0; (request = db_request(i)) != NULL; i++) {
		if (request->state <= DB_RUNNING && request->due_ms <= sim.now_ms) {
			it->is_due[request->user] = true;
		}
	}
}

static void due_wake(struct worker *worker, int user)
{
	struct part *part = intake_part_of(&worker->intake, host_user_text(user));
	struct uuid id;
	struct lane *lane;

	if (part == NULL || !uuid_parse(host_user_text(user), &id)) {
		return;
	}
	lane = lanes_get(&worker->lanes, &id, part);
	if (lane->run != NULL) {
		return;
	}
	lane->wants_sync = true;
	lanes_make_ready(&worker->lanes, lane);
}

static void due_answer(struct statement *base)
{
	struct due_statement *it = (struct due_statement *)base;
	struct worker *worker = &base->process->worker;

	worker->due.is_asking = false;
	if (base->fault.kind != FAULT_NONE) {
		return;
	}
	for (int user = 0; user < HOST_USERS; user++) {
		if (it->is_due[user]) {
			due_wake(worker, user);
		}
	}
	worker_dispatch(worker);
}

static void due_ticks(struct process *process)
{
	struct worker *worker = &process->worker;
	struct due_statement *it;

	worker->due.ticks++;
	if (worker->intake.part_count == 0 || worker->is_stopping || worker->due.is_asking ||
	    worker->due.ticks % 2 != 0) {
		return;
	}
	worker->due.is_asking = true;
	it = statement_new(sizeof *it, process);
	it->base.execute = due_execute;
	it->base.answer = due_answer;
	statement_send(&it->base);
}

/* ---- timers ---- */

static void on_tick(void *context)
{
	struct process *process = context;
	struct intake *intake = &process->worker.intake;

	process_after(process, CONSUMER_TICK_MS, on_tick, process);
	if (clock_boot_ms() - intake->tick_boot_ms > CONSUMER_GAP_MS && intake->part_count > 0) {
		sim_trace("worker %d: stood still", process->number);
		intake->has_lease = false;
		intake->must_prove = true;
		intake->is_stale = intake->is_busy;
	}
	intake->tick_boot_ms = clock_boot_ms();
	if (intake->claim_again_ms > 0 && clock_mono_ms() >= intake->claim_again_ms) {
		consumer_claim_again(process);
	}
	if (intake->state == INTAKE_DRAINING) {
		consumer_drains(process);
	} else if (intake->state == INTAKE_RUNNING) {
		consumer_commits(process);
	}
	due_ticks(process);
}

static void on_wake(void *context)
{
	struct process *process = context;

	process_after(process, CONSUMER_WAKE_MS, on_wake, process);
	worker_wake(&process->worker);
}

static void on_fetch(void *context)
{
	struct process *process = context;
	struct intake *intake = &process->worker.intake;

	process_after(process, sim_between(1, CONSUMER_FETCH_MS), on_fetch, process);
	for (int i = 0; i < intake->part_count && intake->state == INTAKE_RUNNING; i++) {
		reader_fetch(container_of(intake->parts[i], struct reader, part));
	}
	worker_dispatch_soon(&process->worker);
}

void consumer_start(struct process *process)
{
	process->worker.intake =
	    (struct intake){.worker = &process->worker, .tick_boot_ms = clock_boot_ms()};
	process->worker.intake.topics[0] = ASSIGNMENTS;
	process->worker.intake.topics[1] = REQUESTS;
	snprintf(process->worker.intake.member, UUID_TEXT_SIZE, "member-%d-%u", process->number,
		 (unsigned)process->life);
	on_tick(process);
	on_wake(process);
	on_fetch(process);
	group_join(process);
}

/* ---- worker/intake.h ---- */

void intake_done(struct intake *intake, struct part *part, int64_t offset)
{
	(void)intake;
	if (part->state == PART_RELEASED || !ledger_mark_done(&part->ledger, offset)) {
		return;
	}
	reader_mark_done(container_of(part, struct reader, part), offset, offset + 1);
	part->progress_ms = clock_mono_ms();
}

void intake_run_ended(struct intake *intake, struct part *part)
{
	part->holds--;
	if (part->state == PART_RELEASED) {
		part_free(part);
		return;
	}
	if (part->state == PART_REPLAYING && part->replay_lanes == 0) {
		reader_replay_ended(container_of(part, struct reader, part));
	}
	consumer_drains(process_at(intake));
}

void intake_fenced(struct intake *intake, struct part *part)
{
	if (part->state == PART_RELEASED) {
		return;
	}
	sim_trace("worker %d: partition %d is another one's", process_at(intake)->number,
		  part->partition);
	if (part->state == PART_READING) {
		part->start = ledger_committable(&part->ledger);
	}
	part->state = PART_CLAIMING;
	part->is_proven = false;
	if (intake->claim_again_ms == 0) { /* each tick may find it fenced anew */
		intake->claim_again_ms = clock_mono_ms() + CONSUMER_TICK_MS;
	}
}

struct part *intake_part_of(struct intake *intake, const char *user)
{
	int partition = topic_partition_of(host_user(user));

	for (int i = 0; i < intake->part_count; i++) {
		struct part *part = intake->parts[i];

		if (!part->is_requests && part->partition == partition) {
			return part->state == PART_READING || part->state == PART_REPLAYING ? part
											    : NULL;
		}
	}
	return NULL;
}

bool intake_holds(const struct intake *intake, const struct part *part)
{
	return intake->has_lease && part->state != PART_RELEASED &&
	       clock_boot_ms() - intake->tick_boot_ms <= CONSUMER_GAP_MS;
}

bool intake_may_send(const struct intake *intake, const struct part *part)
{
	return sim.broken == SIM_ALWAYS_MAY_SEND ||
	       (intake_holds(intake, part) &&
		(part->state == PART_READING || part->state == PART_REPLAYING));
}

/* ---- worker/worker.h, as worker/main.c ---- */

void worker_wake(struct worker *worker)
{
	runs_wake(worker, clock_mono_ms());
}

static void on_lingered(void *context)
{
	struct process *process = context;

	process->is_lingering = false;
	worker_dispatch(&process->worker);
}

void worker_dispatch_soon(struct worker *worker)
{
	struct process *process = process_of(worker);

	if (!process->is_lingering) {
		process->is_lingering = true;
		process_after(process, CONSUMER_LINGER_MS, on_lingered, process);
	}
}

void worker_dispatch(struct worker *worker)
{
	struct lane *lane;

	while (process_of(worker)->is_up && worker->in_flight < worker->config.max_in_flight &&
	       worker->intake.state == INTAKE_RUNNING &&
	       (lane = lanes_next_ready(&worker->lanes)) != NULL) {
		bool folds = lane->part->state == PART_REPLAYING && !lane->wants_replay;
		bool is_served =
		    lane->part->state == PART_READING || lane->part->state == PART_REPLAYING;

		if (lane->run == NULL && is_served && !(folds && lane->items != NULL)) {
			run_start(worker, lane);
		}
	}
}
