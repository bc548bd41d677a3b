/* changes.c - plans a lane's items: which need an operation, which only a row, which nothing. */
#include "worker/steps.h"
#include "worker/visible.h"
#include "worker/worker.h"

/* Whether the last sync has read the tables at or behind this change's transaction. */
static bool change_was_synced(const struct run *run, const struct change *change)
{
	return change->has_xid && run->connection.snapshot != NULL &&
	       visible_in_snapshot(run->connection.snapshot, change->xid);
}

static bool item_plan(struct run *run, struct item *item)
{
	const struct change *change = item->change;
	struct task *task = run_add_task(run, &item->id);

	if (task == NULL ||
	    !outlook_event_make(&task->event, change, &run->worker->map, run->connection.time_zone,
				run->connection.mailbox)) {
		return false;
	}
	task->item = item;
	task->wish = (struct protocol_input){
	    .kind = PROTOCOL_RECORD,
	    .pos = change->pos,
	    .is_unnamed = !change->has_xid,
	    .was_synced = change_was_synced(run, change),
	    .respects_deletion = run->worker->respects_deletion,
	};
	task_plan(task, run_row(run, &item->id));
	return true;
}

/* NOLINTNEXTLINE(readability-function-size): the nesting is uthash's */
bool changes_plan(struct run *run)
{
	struct item *item;
	struct item *next;

	HASH_ITER(hh, run->items, item, next)
	{
		if (protocol_has_passed(run_row(run, &item->id), item->change->pos)) {
			item_done(run, item, "old"); /* before anything costs something */
		} else if (!item_plan(run, item)) {
			return false;
		}
	}
	tasks_skip(run);
	return true;
}
