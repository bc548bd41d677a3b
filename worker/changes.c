/* changes.c - plans a lane's items: which need an operation, which only a row, which nothing. */
#include <stdio.h>
#include <string.h>

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
	snprintf(task->op.event_id, sizeof task->op.event_id, "%s",
		 row->event_id != NULL ? row->event_id : "");
	snprintf(task->op.change_key, sizeof task->op.change_key, "%s",
		 row->change_key != NULL ? row->change_key : "");
}

static bool item_plan(struct run *run, struct item *item)
{
	const struct row *row = run_row(run, &item->id);
	const struct change *change = item->change;
	struct task *task = run_add_task(run, &item->id);
	enum plan plan;

	if (task == NULL || !outlook_event_make(&task->event, change, &run->worker->map,
						run->connection.time_zone)) {
		return false;
	}
	plan = change_was_synced(run, change) ? PLAN_SKIP
					      : plan_record(row, change->pos, &task->event);
	snprintf(task->pos, sizeof task->pos, "%s", change->pos);
	task->item = item;
	op_init(&task->op, task->event.verdict == OUTLOOK_EVENT, row != NULL ? row->event_id : NULL,
		row != NULL ? row->incarnation : 1);
	switch (plan) {
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
	return true;
}
