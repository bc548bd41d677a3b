/* chain.c - the life of a run: which step comes next, where it begins, how it ends.
 *
 * Four laws: a start answers exactly once, through run_resume; never before it returns; a run of a
 * partition that is gone still answers, and frees itself; nothing but run_enter changes the step.
 */
#include "worker/chain.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/steps.h"
#include "worker/verify.h"
#include "worker/worker.h"

#define CHAIN_CHANGED_MS 1000
#define CHAIN_HELD_MS	 500

static bool run_is_lost(const struct run *run)
{
	return run->is_fenced || run->part->state == PART_RELEASED ||
	       run->part->epoch != run->epoch;
}

/* ---- choosing what comes next ---- */

/* The next up to twenty operations: those under way, and planned ones.  How many of them are
 * planned only. */
static int run_choose_chunk(struct run *run)
{
	int planned = 0;

	run->chunk_count = 0;
	for (size_t i = 0; i < run->task_count && run->chunk_count < BATCH_ITEMS_MAX; i++) {
		struct task *task = &run->tasks[i];

		if (task->stage == TASK_INTENDED || task->stage == TASK_PLANNED) {
			planned += task->stage == TASK_PLANNED;
			run->chunk[run->chunk_count++] = task;
		}
	}
	return planned;
}

/* What is left would go out in a batch that is not full, and more has come since: together, then.
 * Only behind a batch: somebody to whom changes come all the time gets them all the same. */
static bool run_waits_for_more(const struct run *run, int planned)
{
	return run->has_sent && run->mode == RUN_CHANGES && planned == run->chunk_count &&
	       planned < BATCH_ITEMS_MAX && run->lane->items != NULL;
}

/* A removal whose every event was tried: what Microsoft would not remove is said. */
static enum run_step run_go_finish(struct run *run)
{
	size_t rejected = 0;

	for (size_t i = 0; run->mode == RUN_REMOVE && i < run->task_count; i++) {
		rejected += run->tasks[i].end == OP_REJECTED;
	}
	run_say_left(run, rejected, "Microsoft refused it");
	return RUN_FINISH;
}

static enum run_step run_go_on(struct run *run)
{
	int planned;

	if (run_needs_burial(run)) {
		return RUN_DEAD;
	}
	if (run_has_results(run)) {
		return RUN_RESULT;
	}
	if (run->part->intake->state == INTAKE_DRAINING) {
		return RUN_END; /* what isn't begun is the next owner's */
	}
	if (run->delay_ms > 0) {
		int64_t delay_ms = run->delay_ms;

		run->delay_ms = 0;
		return run_wait(run, delay_ms, RUN_WAIT);
	}
	planned = run_choose_chunk(run);
	if (run_waits_for_more(run, planned)) {
		return RUN_END;
	}
	if (run->chunk_count > 0) {
		return run_with_token(run, planned > 0 ? RUN_INTENT : RUN_SEND);
	}
	return run->mode == RUN_CHANGES ? RUN_END : run_go_finish(run);
}

/* What was achieved is stored, what was refused before it did anything is taken back, and then. */
static enum run_step run_go_park(struct run *run)
{
	if (run_needs_burial(run)) {
		return RUN_DEAD;
	}
	if (run_has_results(run) || run_has_released(run)) {
		return RUN_RESULT;
	}
	if (run_has_parked(run)) {
		return RUN_RESULT;
	}
	if (run->connection.status == CONNECTION_NEEDS_RECONNECT) {
		items_done(run, "parked"); /* she is parked already */
		return RUN_END;
	}
	return RUN_PARK;
}

static enum run_step run_next(struct run *run)
{
	if (run->park_reason == NULL) {
		return run_go_on(run);
	}
	return run->worker->verify != NULL ? verify_gives_up(run, run->park_reason)
					   : run_go_park(run);
}

enum run_step chain_choose(struct run *run, enum run_step step)
{
	while (step == RUN_NEXT || step == RUN_TOKEN) {
		step = step == RUN_NEXT ? run_next(run) : token_first_step(run);
	}
	return step;
}

/* ---- sync requests, parking, waiting ---- */

static enum run_step progress_finish(struct run *run)
{
	if (run->fault.kind != FAULT_NONE) {
		log_warn("a sync request's progress is not stored",
			 LOG_TEXT("user.id", run->lane->user_text),
			 LOG_TEXT("error", run->fault.what));
	}
	return RUN_NEXT;
}

static void replay_items_done(struct run *run)
{
	if (run->mode == RUN_REPLAY) {
		items_done(run, "replayed");
	}
}

static enum run_step finish_finish(struct run *run)
{
	if (run->fault.kind != FAULT_NONE) {
		return run_after_fault(run, RUN_FINISH);
	}
	replay_items_done(run);
	if (run->mode == RUN_SYNC && run->connection.is_behind && run->error[0] == '\0') {
		double seconds = (double)(clock_mono_ms() - run->connection.behind_ms) / 1000.0;

		/* the changes that were parked, as one that waited as long as the oldest */
		metric_observe(run->worker->stats.end_to_end_seconds, NULL, seconds);
	}
	return RUN_END;
}

static enum run_step park_finish(struct run *run)
{
	if (run->fault.kind == FAULT_AUTH) {
		return run_wait(run, CHAIN_CHANGED_MS, RUN_END); /* the connection is another one */
	}
	if (run->fault.kind != FAULT_NONE) {
		return run_after_fault(run, RUN_PARK);
	}
	log_warn("a user is parked", LOG_TEXT("user.id", run->lane->user_text),
		 LOG_TEXT("reason", run->park_reason));
	for (size_t i = 0; i < run->task_count; i++) {
		run->tasks[i].item = NULL;
	}
	items_done(run, "parked");
	return RUN_END;
}

static void wait_start(struct run *run)
{
	(void)run; /* runs_wake looks for us */
}

/* Waiting for "wait" means: whatever the work that is left asks for. */
static enum run_step wait_finish(struct run *run)
{
	return run->after_wait == RUN_WAIT ? RUN_NEXT : run->after_wait;
}

/* ---- the end ---- */

static void run_free(struct run *run)
{
	load_forget(run);
	for (size_t i = 0; i < run->task_count; i++) {
		task_close(&run->tasks[i]);
	}
	for (size_t i = 0; i < run->wanted_count; i++) {
		free(run->wanted[i]);
	}
	if (run->bearer != NULL) {
		OPENSSL_cleanse(run->bearer, strlen(run->bearer));
	}
	free(run->bearer);
	oauth_tokens_free(&run->tokens);
	free(run->wanted);
	free(run->read_snapshot);
	free(run->tasks);
	listing_close(&run->listing);
	buf_close(&run->url);
	buf_close(&run->body);
	free(run);
}

/* Items that were not finished go back to the lane, or vanish with the partition. */
/* NOLINTNEXTLINE(readability-function-size): the nesting is uthash's */
static void run_return_items(struct run *run)
{
	struct item *item;
	struct item *next;

	HASH_ITER(hh, run->items, item, next)
	{
		HASH_DEL(run->items, item);
		if (run->part->state == PART_RELEASED) {
			item_free(item);
		} else if (!lane_put_back(&run->worker->lanes, run->lane, item)) {
			fputs("out of memory\n", stderr);
			abort();
		}
	}
}

static void run_end(struct run *run)
{
	struct worker *worker = run->worker;
	struct lane *lane = run->lane;
	struct part *part = run->part;

	if (run->is_fenced) {
		metric_add(worker->stats.fenced_writes, NULL, 1);
	}
	if (run->is_fenced && run->epoch == part->epoch) { /* else it is claimed anew already */
		intake_fenced(&worker->intake, part);
	}
	run_return_items(run);
	if (run->previous_alive != NULL) {
		run->previous_alive->next_alive = run->next_alive;
	} else {
		worker->alive = run->next_alive;
	}
	if (run->next_alive != NULL) {
		run->next_alive->previous_alive = run->previous_alive;
	}
	worker->in_flight--;
	lane->run = NULL;
	if (lane->wants_replay && lane->items == NULL) {
		lane->wants_replay = false;
		part->replay_lanes--;
	}
	run_free(run);
	if (lane->items != NULL || lane->wants_sync || lane->wants_replay) {
		lanes_make_ready(&worker->lanes, lane);
	} else {
		lanes_release(&worker->lanes, lane);
	}
	intake_run_ended(&worker->intake, part);
	worker_dispatch(worker);
}

/* ---- the table ---- */

static const struct {
	const char *name;
	void (*start)(struct run *run);
	enum run_step (*finish)(struct run *run);
} STEPS[] = {
    /* clang-format off: read downwards, this is the life of a run */
    [RUN_LOAD] = {"load", load_start, load_finish},
    [RUN_LEASE] = {"lease", token_lease_start, token_lease_finish},
    [RUN_REFRESH] = {"refresh", token_refresh_start, token_refresh_finish},
    [RUN_RENEW] = {"renew", token_renew_start, token_renew_finish},
    [RUN_READ] = {"read", store_read, sync_read_finish},
    [RUN_LIST] = {"list", sync_list_start, sync_list_finish},
    [RUN_PALETTE] = {"palette", palette_start, palette_finish},
    [RUN_INTENT] = {"intent", intent_start, intent_finish},
    [RUN_SEND] = {"send", send_start, send_finish},
    [RUN_DEAD] = {"dead", dead_start, dead_finish},
    [RUN_RESULT] = {"result", store_write, result_finish},
    [RUN_REREAD] = {"reread", store_rows, reread_finish},
    [RUN_PROGRESS] = {"progress", store_progress, progress_finish},
    [RUN_FINISH] = {"finish", store_finish, finish_finish},
    [RUN_PARK] = {"park", store_park, park_finish},
    [RUN_WAIT] = {"wait", wait_start, wait_finish},
    [RUN_END] = {"end", run_end, NULL},
    /* clang-format on */
};
static_assert(sizeof STEPS / sizeof *STEPS == RUN_STEPS, "every step has its row");

static void run_enter(struct run *run, enum run_step step)
{
	if (run_is_lost(run)) {
		step = RUN_END;
	}
	log_debug("run", LOG_TEXT("user.id", run->lane->user_text),
		  LOG_TEXT("from", STEPS[run->step].name), LOG_TEXT("to", STEPS[step].name));
	run->step = step;
	run->entered_ms = clock_mono_ms();
	run->fault = (struct fault){0};
	STEPS[step].start(run);
}

/* A lost run's answer decides nothing: what was fenced off is not stored, so it is not done. */
void chain_go(struct run *run)
{
	enum run_step next;

	if (run_is_lost(run)) {
		next = RUN_END;
	} else if (run->is_held) {
		run->is_held = false;
		next = run_wait(run, CHAIN_HELD_MS, run->step);
	} else {
		next = STEPS[run->step].finish(run);
	}
	run_enter(run, chain_choose(run, next));
}

void runs_wake(struct worker *worker, int64_t now_ms)
{
	struct run *next;

	if (worker->is_waking) {
		return; /* a run that ends here may drain the intake, which asks to wake the rest */
	}
	worker->is_waking = true;
	for (struct run *run = worker->alive; run != NULL; run = next) {
		bool is_cut = run_is_lost(run) || run->part->intake->state == INTAKE_DRAINING;

		next = run->next_alive;
		if (run->step != RUN_WAIT) {
			continue;
		}
		if (is_cut) {
			run_enter(run, RUN_END);
		} else if (run->resume_at_ms <= now_ms) {
			run_resume(run);
		}
	}
	worker->is_waking = false;
}

void run_start(struct worker *worker, struct lane *lane)
{
	struct run *run = calloc(1, sizeof *run);

	if (run == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	run->worker = worker;
	run->go = chain_go;
	run->lane = lane;
	run->part = lane->part;
	run->epoch = lane->part->epoch;
	run->started_ms = clock_mono_ms();
	run->everything = lane->wants_sync || lane->wants_replay;
	lane->wants_sync = false;
	run->items = lane_take(&worker->lanes, lane);
	buf_init(&run->url, 16384);
	buf_init(&run->body, BATCH_MAX_BYTES);
	run->next_alive = worker->alive;
	if (run->next_alive != NULL) {
		run->next_alive->previous_alive = run;
	}
	worker->alive = run;
	worker->in_flight++;
	lane->run = run;
	lane->part->holds++;
	run_enter(run, RUN_LOAD);
}
