/* rig.h - a run of one user without a loop: what changes.c, outcome.c and run.c decide. */
#ifndef CALRELAY_TESTS_UNIT_WORKER_RIG_H
#define CALRELAY_TESTS_UNIT_WORKER_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "worker/chain.h"
#include "worker/steps.h"
#include "worker/worker.h"

#define RIG_EPOCH 5
#define RIG_START 100 /* first offset of the partition */

struct rig {
	struct worker *worker;
	struct part *part;
	struct run *run; /* the newest one */
	int dispatches;
};

static struct rig rig;

/* What main gives the room. */
void worker_dispatch(struct worker *worker)
{
	(void)worker;
	rig.dispatches++;
}

void worker_dispatch_soon(struct worker *worker)
{
	worker_dispatch(worker);
}

void worker_wake(struct worker *worker)
{
	runs_wake(worker, clock_mono_ms());
}

void worker_closed(struct worker *worker)
{
	(void)worker;
}

static inline struct uuid rig_id(uint8_t number)
{
	struct uuid id = {{0}};

	id.bytes[15] = number;
	return id;
}

static inline void rig_begin(void)
{
	struct fault fault;

	rig = (struct rig){.worker = calloc(1, sizeof *rig.worker),
			   .part = calloc(1, sizeof *rig.part)};
	assert_non_null(rig.worker);
	assert_non_null(rig.part);
	assert_true(hostmap_load(&rig.worker->map, NULL, &fault));
	stats_init(&rig.worker->stats);
	lanes_init(&rig.worker->lanes);
	rig.worker->intake = (struct intake){
	    .worker = rig.worker, .state = INTAKE_RUNNING, .parts = {rig.part}, .part_count = 1};
	*rig.part = (struct part){.intake = &rig.worker->intake,
				  .topic = "t",
				  .state = PART_READING,
				  .epoch = RIG_EPOCH,
				  .start = RIG_START,
				  .replay_to = -1,
				  .committed = RIG_START};
	assert_true(ledger_init(&rig.part->ledger, RIG_START));
}

/* A run of a user, at the step given, as run_start makes it. */
static inline struct run *rig_run(uint8_t user, enum run_step step)
{
	struct uuid id = rig_id(user);
	struct run *run = calloc(1, sizeof *run);

	assert_non_null(run);
	run->worker = rig.worker;
	run->go = chain_go;
	run->lane = lanes_get(&rig.worker->lanes, &id, rig.part);
	run->part = rig.part;
	run->epoch = rig.part->epoch;
	run->step = step;
	run->next_alive = rig.worker->alive;
	if (run->next_alive != NULL) {
		run->next_alive->previous_alive = run;
	}
	rig.worker->alive = run;
	rig.worker->in_flight++;
	run->lane->run = run;
	rig.part->holds++;
	snprintf(run->connection.time_zone, sizeof run->connection.time_zone, "UTC");
	rig.run = run;
	return run;
}

/* The partition is gone: whatever is left of runs, lanes and it frees itself. */
static inline void rig_end(void)
{
	rig.part->holds++;
	rig.part->state = PART_RELEASED;
	while (rig.worker->alive != NULL) {
		run_resume(rig.worker->alive);
	}
	lanes_drop(&rig.worker->lanes, NULL);
	assert_int_equal(rig.part->holds, 1);
	assert_int_equal(rig.worker->in_flight, 0);
	ledger_close(&rig.part->ledger);
	free(rig.part);
	stats_close(&rig.worker->stats);
	free(rig.worker);
}

/* A delivered record of the newest run: its offset is the count of those before. */
static inline struct item *rig_record(uint8_t assignment, const char *pos, const char *notes)
{
	struct assignment source = {.client_name = "Acme",
				    .status = "confirmed",
				    .notes = notes,
				    .start_day = 20780,
				    .end_day = 20784};
	int64_t offset = RIG_START + (int64_t)rig.part->ledger.count;
	struct change *change = change_new(&source);
	struct uuid id = rig_id(assignment);
	struct item *item;

	assert_non_null(change);
	change->id = id;
	snprintf(change->pos, sizeof change->pos, "%s", pos);
	rig.run->lane->items = rig.run->items;
	assert_true(lane_put(&rig.worker->lanes, rig.run->lane, change, strdup("raw"), 3, offset));
	rig.run->items = lane_take(&rig.worker->lanes, rig.run->lane);
	assert_true(ledger_deliver(&rig.part->ledger, offset, 0));
	HASH_FIND(hh, rig.run->items, &id, sizeof id, item);
	return item;
}

#endif
