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
	return task->stage == TASK_ENDED && task->end == OP_REJECTED && task->item != NULL &&
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

/* ---- what is to be written ---- */

void tasks_skip(struct run *run)
{
	for (size_t i = 0; i < run->task_count; i++) {
		struct task *task = &run->tasks[i];

		if (task->stage == TASK_SKIPPED && task->item != NULL) {
			item_done(run, task->item, "old");
			task->item = NULL;
		}
	}
}

static const char *task_says(const struct task *task)
{
	switch (task->end) {
	case OP_SYNCED:
		return "synced";
	case OP_REMOVED:
		return "removed";
	case OP_HIDDEN:
		return "hidden";
	case OP_REJECTED:
		return "failed";
	case OP_OPEN:
		break;
	}
	return "nothing_to_do";
}

static void task_done(struct run *run, struct task *task)
{
	if (task->item == NULL) {
		return;
	}
	/* a replay's record was shown long ago: its age is no latency */
	if (task->item->change->commit_us > 0 && task->end != OP_OPEN && run->mode == RUN_CHANGES) {
		double seconds = (double)(clock_wall_us() - task->item->change->commit_us) / 1e6;

		metric_observe(run->worker->stats.end_to_end_seconds, NULL,
			       seconds > 0 ? seconds : 0); /* PostgreSQL's clock may be ahead */
	}
	item_done(run, task->item, task_says(task));
	task->item = NULL;
}

/* Once a task's values are written, or needn't be. */
static void task_settle(struct run *run, struct task *task)
{
	if (task->stage == TASK_STORED) {
		task_done(run, task);
	} else if (task->stage == TASK_AGAIN) {
		log_warn("a result was not stored: the row is another attempt's by now",
			 LOG_TEXT("user.id", run->lane->user_text));
		task->item = NULL; /* it goes back to the lane with the run's end */
	}
}

static bool task_is_result(const struct task *task)
{
	return !task->is_stray && (task->stage == TASK_ENDED || task->stage == TASK_RECORD);
}

bool run_has_results(struct run *run)
{
	run->wrote_count = 0;
	for (size_t i = 0; i < run->task_count && run->wrote_count < RUN_RECORDS_MAX; i++) {
		struct task *task = &run->tasks[i];

		if (task->stage == TASK_ENDED && task->is_stray) {
			task->stage = TASK_STORED;
		} else if (task_is_result(task)) {
			if (task_prepare(task, run_row(run, &task->assignment))) {
				run->wrote[run->wrote_count++] = task;
			} else {
				task_settle(run, task);
			}
		}
	}
	tasks_skip(run);
	return run->wrote_count > 0;
}

bool run_has_released(struct run *run)
{
	run->wrote_count = 0;
	for (int i = 0; i < run->chunk_count; i++) {
		struct task *task = run->chunk[i];

		if (task->stage == TASK_INTENDED && !task->is_stray &&
		    task_prepare(task, run_row(run, &task->assignment))) {
			run->wrote[run->wrote_count++] = task;
		}
	}
	return run->wrote_count > 0;
}

bool run_has_parked(struct run *run)
{
	run->wrote_count = 0;
	for (size_t i = 0; i < run->task_count && run->wrote_count < RUN_RECORDS_MAX; i++) {
		struct task *task = &run->tasks[i];
		bool is_left = task->item != NULL && task->stage < TASK_PARKED;

		task->item = NULL; /* done with all the others */
		if ((is_left || task->stage == TASK_PARKED) &&
		    task_park(task, run_row(run, &task->assignment))) {
			run->wrote[run->wrote_count++] = task;
		}
	}
	return run->wrote_count > 0;
}

/* ---- writing ---- */

/* What is written is what the row says now.  Whether all of it was. */
static bool run_take_written(struct run *run)
{
	bool all = true;

	for (int i = 0; i < run->wrote_count; i++) {
		struct task *task = run->wrote[i];
		struct row *row;

		if (task->version == 0) {
			all = false;
			continue;
		}
		row = row_new(&task->assignment, &task->values, task->version);
		if (row == NULL) {
			fputs("out of memory\n", stderr);
			abort();
		}
		task_written(task);
		run_set_row(run, row);
		task_settle(run, task);
	}
	return all;
}

/* Rows that were not as we knew them, or of which nobody knows: they are read, then asked again. */
static enum run_step run_reread(struct run *run)
{
	if (run->fault.kind != FAULT_NONE) {
		return run_after_fault(run, RUN_REREAD);
	}
	return run_wait(run, 0, RUN_REREAD);
}

enum run_step reread_finish(struct run *run)
{
	if (run->fault.kind != FAULT_NONE) {
		return run_after_fault(run, RUN_REREAD);
	}
	if (!run->connection.exists) {
		return RUN_END; /* it is gone: whatever is left is looked at anew */
	}
	return RUN_NEXT;
}

void intent_start(struct run *run)
{
	run->wrote_count = 0;
	for (int i = 0; i < run->chunk_count; i++) {
		struct task *task = run->chunk[i];

		if (task->stage == TASK_PLANNED &&
		    task_prepare(task, run_row(run, &task->assignment)) &&
		    task->stage == TASK_PLANNED) {
			run->wrote[run->wrote_count++] = task;
		}
	}
	tasks_skip(run);
	if (run->wrote_count == 0) {
		run_resume_later(run); /* nothing needs a call any more */
		return;
	}
	store_write(run);
}

static void run_keep_intended(struct run *run)
{
	int count = 0;

	for (int i = 0; i < run->chunk_count; i++) {
		if (run->chunk[i]->stage == TASK_INTENDED) {
			run->chunk[count++] = run->chunk[i];
		}
	}
	run->chunk_count = count;
}

enum run_step intent_finish(struct run *run)
{
	if (run->fault.kind != FAULT_NONE || !run_take_written(run)) {
		return run_reread(run);
	}
	run_keep_intended(run);
	return run->chunk_count > 0 ? RUN_SEND : RUN_NEXT;
}

enum run_step result_finish(struct run *run)
{
	if (run->fault.kind != FAULT_NONE || !run_take_written(run)) {
		return run_reread(run); /* save again, never send again */
	}
	run->waits = 0;
	if (run->park_reason != NULL) {
		return RUN_NEXT;
	}
	return run->request_count > 0 ? RUN_PROGRESS : RUN_NEXT;
}

/* ---- dead letters ---- */

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
	    .pos = item->change->pos,
	    .stage = "graph",
	    .reason = task->op->error,
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
		return RUN_NEXT;
	}
	for (size_t i = 0; i < run->task_count; i++) {
		run->tasks[i].is_buried &= run->tasks[i].stage == TASK_STORED;
	}
	return run_after_fault(run, RUN_DEAD);
}
