/* sync.c - a mailbox against what is wanted of it: sync requests, replays, removals.
 *
 * read (tables) ─▶ token ─▶ list (every page, or none at all) ─▶ tasks.  fullSyncForUser of the
 * plan. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/reconcile.h"
#include "worker/steps.h"
#include "worker/verify.h"
#include "worker/worker.h"

#define LIST_DEADLINE_MS 30000

enum run_step sync_read_finish(struct run *run)
{
	if (run->fault.kind == FAULT_RETRY) {
		return run_wait(run, 0, RUN_READ);
	}
	if (run->fault.kind != FAULT_NONE) {
		log_error("the host's tables can't be read", LOG_TEXT("error", run->fault.what));
		return run_wait(run, 0, RUN_READ);
	}
	return run_with_token(run, RUN_LIST);
}

/* ---- listing ---- */

static void on_listed(struct http_request *request)
{
	struct run *run = container_of(request, struct run, http);
	const struct http_reply *reply = &request->reply;
	const struct worker_config *config = &run->worker->config;

	run->fault = request->fault;
	graph_observe(run, "list");
	if (run->fault.kind == FAULT_NONE && reply->status == 200) {
		free(run->listing.next_url);
		run->listing.next_url = NULL;
		if (!listing_add_page(&run->listing, buf_string(&reply->body), reply->body.length,
				      config->extended_property, config->graph_url, &run->fault)) {
			listing_close(&run->listing); /* all of it again: half a listing is none */
		}
	}
	run_resume(run);
}

void sync_list_start(struct run *run)
{
	struct worker *worker = run->worker;

	if (run_is_held(run, &worker->graph)) {
		return;
	}
	buf_reset(&run->url);
	if (run->listing.next_url != NULL) {
		buf_text(&run->url, run->listing.next_url);
	} else {
		buf_format(&run->url, "%s/v1.0", worker->config.graph_url);
		listing_first_path(&run->url, worker->config.extended_property);
	}
	run->started_exchange_ms = clock_mono_ms();
	run->http = (struct http_request){
	    .method = "GET",
	    .url = buf_string(&run->url),
	    .authorization = run->bearer,
	    .prefer = "IdType=\"ImmutableId\", outlook.body-content-type=\"text\"",
	    .done = on_listed,
	    .may_send = run_may_call};
	http_send(worker->http, &run->http, LIST_DEADLINE_MS);
}

/* ---- comparing ---- */

/* What the person has added to an event is no drift; nor is what can't be mended. */
static void task_compare_listed(struct task *task, const struct listed *listed,
				const struct category_names *names)
{
	struct protocol_input *wish = &task->wish;

	wish->listed_id = listed->id;
	wish->listed_key = listed->change_key;
	wish->listed_shows_ours = category_take_ours(listed->categories, names);
	wish->listed_theirs = listed->categories;
	wish->listed_matches =
	    listed_matches(listed, &task->event) &&
	    (wish->listed_shows_ours || strlen(listed->categories) >= CATEGORY_LIST_SIZE);
}

/* A wish beside what the listing shows: NULL where it shows nothing.  pos NULL: the tables'. */
static void task_compare(struct run *run, struct task *task, const struct listed *listed,
			 const char *pos)
{
	const struct row *row = run_row(run, &task->assignment);
	const struct category_names names = {.map = &run->worker->map,
					     .wanted = task->event.category,
					     .written = row != NULL ? row->is.category : NULL};

	task->wish = (struct protocol_input){
	    .kind = PROTOCOL_COMPARED,
	    .pos = pos,
	    .respects_deletion = run->worker->respects_deletion,
	};
	if (listed != NULL) {
		task_compare_listed(task, listed, &names);
	}
	task_plan(task, row);
}

static bool plan_wanted(struct run *run, const struct change *change, struct item *item)
{
	const struct row *row = run_row(run, &change->id);
	struct task *task = run_add_task(run, &change->id);

	if (task == NULL ||
	    !outlook_event_make(&task->event, change, &run->worker->map, run->connection.time_zone,
				run->connection.mailbox)) {
		return false;
	}
	task->item = item;
	task_compare(run, task, reconcile_find(&run->listing, &change->id, row),
		     item != NULL ? change->pos : NULL);
	return true;
}

/* NOLINTNEXTLINE(readability-function-size): the nesting is uthash's */
static bool run_wants(const struct run *run, const struct uuid *assignment)
{
	struct item *item = NULL;

	if (run->mode == RUN_REPLAY) {
		HASH_FIND(hh, run->items, assignment, sizeof *assignment, item);
		if (item != NULL) {
			return true;
		}
	}
	for (size_t i = 0; i < run->wanted_count; i++) {
		if (uuid_compare(&run->wanted[i]->id, assignment) == 0) {
			return true;
		}
	}
	return false;
}

/* An event of ours whose assignment nobody knows, or a second one of the same assignment. */
static bool listed_is_orphan(const struct run *run, const struct listed *listed)
{
	const struct row *row;

	if (!listed->has_assignment) {
		return false;
	}
	if (run->mode == RUN_REMOVE) {
		return true;
	}
	row = run_row(run, &listed->assignment);
	if (reconcile_find(&run->listing, &listed->assignment, row) != listed) {
		return true;
	}
	if (run_wants(run, &listed->assignment)) {
		return false;
	}
	return run->mode == RUN_SYNC || run->part->replay_from_start;
}

static bool plan_orphan(struct run *run, const struct listed *listed)
{
	const struct row *row = run_row(run, &listed->assignment);
	/* a row that knows of no event may have an intent under way, which has made this one */
	bool is_mapped =
	    row != NULL && reconcile_find(&run->listing, &listed->assignment, row) == listed;
	struct task *task = run_add_task(run, &listed->assignment);

	if (task == NULL) {
		return false;
	}
	task->is_extra = run->mode != RUN_REMOVE;
	if (run->mode == RUN_REMOVE || !is_mapped) {
		return task_plan_stray(task, listed->id);
	}
	task->event.verdict = OUTLOOK_GONE;
	task_compare(run, task, listed, NULL);
	return true;
}

/* A tombstone with a request that may have landed: the listing shows that it hasn't. */
static bool row_needs_settling(const struct run *run, const struct row *row)
{
	return (row->is.is_dirty || row->is.pending_pos != NULL) &&
	       !run_wants(run, &row->assignment) &&
	       reconcile_find(&run->listing, &row->assignment, row) == NULL;
}

static bool plan_unsettled(struct run *run)
{
	for (const struct row *row = run->rows; row != NULL; row = row->hh.next) {
		struct task *task;

		if (!row_needs_settling(run, row)) {
			continue;
		}
		task = run_add_task(run, &row->assignment);
		if (task == NULL) {
			return false;
		}
		task->is_extra = true;
		task->event.verdict = OUTLOOK_GONE;
		task_compare(run, task, NULL, NULL);
	}
	return true;
}

/* The log has said that it is gone: that takes nobody's word. */
static bool orphan_is_known(const struct run *run, const struct listed *listed)
{
	const struct row *row = run_row(run, &listed->assignment);

	return row != NULL && row->is.state == ROW_DELETED;
}

/* Whether orphans that only the tables know of have to stay: so many look like a mistake. */
static bool brake_holds(struct run *run)
{
	size_t orphans = 0;

	if (run->mode == RUN_REMOVE || run->worker->verify != NULL || run->may_remove) {
		return false;
	}
	for (size_t i = 0; i < run->listing.count; i++) {
		orphans += listed_is_orphan(run, &run->listing.events[i]) &&
			   !orphan_is_known(run, &run->listing.events[i]);
	}
	if (!reconcile_needs_word(orphans, run->listing.count)) {
		return false;
	}
	snprintf(run->error, sizeof run->error,
		 "%zu of %zu events in the calendar belong to no assignment: that many are not "
		 "removed without a person's word",
		 orphans, run->listing.count);
	log_error("the mass-delete brake holds", LOG_TEXT("user.id", run->lane->user_text),
		  LOG_NUMBER("orphans", (int64_t)orphans),
		  LOG_NUMBER("listed", (int64_t)run->listing.count));
	return true;
}

static bool plan_orphans(struct run *run)
{
	bool brakes = brake_holds(run);

	for (size_t i = 0; i < run->listing.count; i++) {
		const struct listed *listed = &run->listing.events[i];

		if (listed_is_orphan(run, listed) && (!brakes || orphan_is_known(run, listed)) &&
		    !plan_orphan(run, listed)) {
			return false;
		}
	}
	return true;
}

static bool plan_items(struct run *run)
{
	for (struct item *item = run->items; item != NULL; item = item->hh.next) {
		if (!plan_wanted(run, item->change, item)) {
			return false;
		}
	}
	return true;
}

static bool plan_tables(struct run *run)
{
	for (size_t i = 0; i < run->wanted_count; i++) {
		if (!plan_wanted(run, run->wanted[i], NULL)) {
			return false;
		}
	}
	return true;
}

/* Orphans first: an event that goes must be gone before its assignment looks for one to adopt. */
static bool sync_plan(struct run *run)
{
	bool ok = plan_orphans(run);

	if (run->mode == RUN_REPLAY) {
		ok = ok && plan_items(run);
		/* what the fold knows was read from the log, not from the tables */
		free(run->read_snapshot);
		run->read_snapshot = NULL;
	} else if (run->mode == RUN_SYNC) {
		ok = ok && plan_tables(run);
	}
	if (run->mode != RUN_REMOVE) {
		ok = ok && plan_unsettled(run);
	}
	return ok;
}

enum run_step sync_compare(struct run *run)
{
	if (!sync_plan(run)) {
		return run_wait(run, 0, RUN_END);
	}
	if (run->worker->verify != NULL) {
		return verify_compared(run);
	}
	return run->request_count > 0 ? RUN_PROGRESS : RUN_NEXT;
}

enum run_step sync_list_finish(struct run *run)
{
	if (run->fault.kind != FAULT_NONE || run->http.reply.status != 200) {
		return graph_refused(run, RUN_LIST);
	}
	run_served(run, &run->worker->graph);
	run->stuck_ms = 0;
	if (run->listing.next_url != NULL) {
		return run_with_token(run, RUN_LIST);
	}
	run->waits = 0;
	return palette_is_wanted(run) ? RUN_PALETTE : sync_compare(run);
}
