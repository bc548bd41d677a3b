/* outcome.c - what became of a run's tasks: intents taken, results stored, letters buried. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/steps.h"
#include "worker/worker.h"

static void count_records(struct run *run, const struct item *item, const char *outcome)
{
	for (size_t i = 0; i < item->offset_count; i++) {
		STATS_COUNT(run->worker->stats.records, outcome);
	}
}

/* NOLINTNEXTLINE(readability-function-size): the nesting is uthash's */
void item_done(struct run *run, struct item *item, const char *outcome)
{
	count_records(run, item, outcome);
	for (size_t i = 0; i < item->offset_count; i++) {
		intake_done(&run->worker->intake, run->part, item->offsets[i]);
	}
	HASH_DEL(run->items, item);
	item_free(item);
}

void items_done(struct run *run, const char *outcome)
{
	struct item *item;
	struct item *next;

	HASH_ITER(hh, run->items, item, next)
	{
		item_done(run, item, outcome);
	}
}

static bool task_needs_burial(const struct task *task)
{
	return task->stage == TASK_ENDED && task->op.end == OP_REJECTED && task->item != NULL &&
	       !task->is_buried;
}

bool run_needs_burial(const struct run *run)
{
	for (size_t i = 0; i < run->task_count; i++) {
		if (task_needs_burial(&run->tasks[i])) {
			return true;
		}
	}
	return false;
}

enum run_step intent_finish(struct run *run)
{
	if (run->fault.kind != FAULT_NONE) {
		return run_after_fault(run, RUN_INTENT);
	}
	for (int i = 0; i < run->chunk_count; i++) {
		struct task *task = run->chunk[i];

		if (task->stage == TASK_SKIPPED && task->item != NULL) {
			item_done(run, task->item, "old");
			task->item = NULL;
		} else if (task->stage == TASK_PLANNED) {
			task->stage = TASK_SKIPPED; /* its connection is gone */
		}
	}
	run->chunk_count = 0;
	for (size_t i = 0; i < run->task_count && run->chunk_count < BATCH_ITEMS_MAX; i++) {
		if (run->tasks[i].stage == TASK_INTENDED) {
			run->chunk[run->chunk_count++] = &run->tasks[i];
		}
	}
	return run->chunk_count > 0 ? RUN_SEND : run_go_on(run);
}

static const char *task_says(const struct task *task)
{
	if (task->stage == TASK_RECORD) {
		return "nothing_to_do";
	}
	switch (task->op.end) {
	case OP_SYNCED:
		return "synced";
	case OP_REMOVED:
		return "removed";
	default:
		return "failed";
	}
}

static void task_stored(struct run *run, struct task *task)
{
	if (task->item != NULL) {
		int64_t commit_us = task->item->change->commit_us;

		/* a replay's record was shown long ago: its age is no latency */
		if (commit_us > 0 && task->stage == TASK_ENDED && run->mode == RUN_CHANGES) {
			double seconds = (double)(clock_wall_us() - commit_us) / 1e6;

			metric_observe(run->worker->stats.end_to_end_seconds, NULL, seconds);
		}
		item_done(run, task->item, task_says(task));
		task->item = NULL;
	}
	task->stage = TASK_STORED;
}

enum run_step result_finish(struct run *run)
{
	if (run->fault.kind != FAULT_NONE) {
		return run_after_fault(run, RUN_RESULT); /* save again, never send again */
	}
	for (int i = 0; i < run->wrote_count; i++) {
		if (run->wrote[i]->stage == TASK_INTENDED) {
			run->wrote[i]->stage = TASK_PLANNED; /* its intent was taken back */
		} else {
			task_stored(run, run->wrote[i]);
		}
	}
	run->waits = 0;
	if (run->park_reason != NULL) {
		return run_go_park(run);
	}
	return run->request_count > 0 ? RUN_PROGRESS : run_go_on(run);
}

static void on_buried(void *context, bool ok)
{
	struct run *run = context;

	if (!ok) {
		fault_retry(&run->fault, "the dead-letter topic does not take records");
	}
	if (--run->dead_open == 0) {
		run_resume_later(run);
	}
}

static void bury_task(struct run *run, struct task *task)
{
	const struct item *item = task->item;
	char id[UUID_TEXT_SIZE];
	char key[2 * UUID_TEXT_SIZE + 32];
	int key_length;
	struct dead_letter letter;

	uuid_format(&task->assignment, id);
	key_length = snprintf(key, sizeof key, "{\"user_id\":\"%s\",\"id\":\"%s\"}",
			      run->lane->user_text, id);
	letter = (struct dead_letter){
	    .topic = run->part->topic,
	    .partition = run->part->partition,
	    .offset = item->offset_count > 0 ? item->offsets[item->offset_count - 1] : -1,
	    .key = key,
	    .key_length = (size_t)key_length,
	    .value = item->raw,
	    .value_length = item->raw_length,
	    .stage = "graph",
	    .reason = task->op.error,
	    .done = on_buried,
	    .context = run};
	task->is_buried = true;
	run->dead_open++;
	bury_send(&run->worker->bury, &letter);
}

void dead_start(struct run *run)
{
	run->dead_open = 1; /* keeps the step open until every letter is sent */
	for (size_t i = 0; i < run->task_count; i++) {
		if (task_needs_burial(&run->tasks[i])) {
			bury_task(run, &run->tasks[i]);
		}
	}
	on_buried(run, true);
}

enum run_step dead_finish(struct run *run)
{
	if (run->fault.kind == FAULT_NONE) {
		return run->park_reason != NULL ? run_go_park(run) : run_go_on(run);
	}
	for (size_t i = 0; i < run->task_count; i++) {
		run->tasks[i].is_buried &= run->tasks[i].stage == TASK_STORED;
	}
	return run_after_fault(run, RUN_DEAD);
}
