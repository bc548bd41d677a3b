/* changes.c - plans a lane's items: which need an operation, which only a row, which nothing. */
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "worker/plan.h"
#include "worker/steps.h"
#include "worker/visible.h"
#include "worker/worker.h"

/* Whether the last sync has read the tables at or behind this change's transaction. */
static bool change_was_synced(const struct run *run, const struct change *change)
{
	return change->has_xid && run->connection.snapshot != NULL &&
	       visible_in_snapshot(run->connection.snapshot, change->xid);
}

static void task_keep_row(struct task *task, const struct row *row)
{
	if (row == NULL) {
		return;
	}
	text_copy(task->op.event_id, sizeof task->op.event_id, row->event_id);
	text_copy(task->op.change_key, sizeof task->op.change_key, row->change_key);
}

/* The calendar shows this change or a newer one already; only the position is news. */
static void task_plan_synced(struct task *task, const struct row *row, const char *pos)
{
	bool is_news = row != NULL && row->state != ROW_FAILED && row->pending_pos[0] == '\0' &&
		       !row->is_dirty && strcmp(pos, row->applied_pos) > 0;

	task->stage = is_news ? TASK_RECORD : TASK_SKIPPED;
	if (is_news) {
		memcpy(task->event.hash, row->hash, sizeof task->event.hash);
		task_keep_row(task, row);
	}
}

static void task_plan_record(struct task *task, const struct row *row, const char *pos)
{
	switch (plan_record(row, pos, &task->event)) {
	case PLAN_SKIP:
		task->stage = TASK_SKIPPED;
		break;
	case PLAN_RECORD:
		task->stage = TASK_RECORD;
		task_keep_row(task, row);
		break;
	case PLAN_SEND:
		task->stage = TASK_PLANNED;
		break;
	}
}

static bool item_plan(struct run *run, struct item *item)
{
	const struct row *row = run_row(run, &item->id);
	const struct change *change = item->change;
	struct task *task = run_add_task(run, &item->id);

	if (task == NULL || !outlook_event_make(&task->event, change, &run->worker->map,
						run->connection.time_zone)) {
		return false;
	}
	snprintf(task->pos, sizeof task->pos, "%s", change->pos);
	task->item = item;
	op_init(&task->op, task->event.verdict == OUTLOOK_EVENT, row != NULL ? row->event_id : NULL,
		row != NULL ? row->incarnation : 1);
	if (change_was_synced(run, change)) {
		task_plan_synced(task, row, change->pos);
	} else {
		task_plan_record(task, row, change->pos);
	}
	return true;
}

bool changes_plan(struct run *run)
{
	struct item *item;

	for (item = run->items; item != NULL; item = item->hh.next) {
		if (!item_plan(run, item)) {
			return false;
		}
	}
	for (size_t i = 0; i < run->task_count; i++) {
		struct task *task = &run->tasks[i];

		if (task->stage == TASK_SKIPPED) {
			item_done(run, task->item, "old");
			task->item = NULL;
		}
	}
	return true;
}
