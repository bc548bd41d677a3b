/* run.c - what every step of a run needs: its rows and tasks, waiting, parking, the services. */
#include "worker/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/lag.h"
#include "worker/worker.h"

#define RUN_BACKOFF_FIRST_MS 250
#define RUN_BACKOFF_MOST_MS  30000
#define RUN_HELD_MS	     500
#define RUN_VERIFY_WAITS     4 /* a command doesn't wait for ever */

/* ---- rows and tasks ---- */

/* NOLINTNEXTLINE(readability-function-size): the nesting is uthash's */
struct row *run_row(const struct run *run, const struct uuid *assignment)
{
	struct row *row;

	HASH_FIND(hh, run->rows, assignment, sizeof *assignment, row);
	return row;
}

struct task *run_add_task(struct run *run, const struct uuid *assignment)
{
	struct task *task;

	if (run->task_count == run->task_capacity) {
		size_t capacity = run->task_capacity > 0 ? run->task_capacity * 2 : 16;
		struct task *tasks = realloc(run->tasks, capacity * sizeof *tasks);

		if (tasks == NULL) {
			return NULL;
		}
		run->tasks = tasks;
		run->task_capacity = capacity;
	}
	task = &run->tasks[run->task_count++];
	*task = (struct task){.assignment = *assignment};
	return task;
}

/* NOLINTBEGIN(readability-function-size,clang-analyzer-unix.Malloc): uthash's */
void run_drop_row(struct run *run, const struct uuid *assignment)
{
	struct row *row = run_row(run, assignment);

	if (row != NULL) {
		HASH_DEL(run->rows, row);
		free(row);
	}
}

void run_set_row(struct run *run, struct row *row)
{
	run_drop_row(run, &row->assignment);
	HASH_ADD(hh, run->rows, assignment, sizeof row->assignment, row);
}
/* NOLINTEND(readability-function-size,clang-analyzer-unix.Malloc) */

/* Full jitter, so that workers that failed together don't come back together. */
static int64_t backoff_ms(int waits)
{
	int64_t most_ms = RUN_BACKOFF_FIRST_MS << (waits < 7 ? waits : 7);
	struct uuid random = uuid_random();
	int64_t share = random.bytes[0] << 8 | random.bytes[1];

	most_ms = most_ms < RUN_BACKOFF_MOST_MS ? most_ms : RUN_BACKOFF_MOST_MS;
	return RUN_BACKOFF_FIRST_MS + most_ms * share / 65536;
}

enum run_step run_wait(struct run *run, int64_t after_ms, enum run_step step)
{
	if (run->worker->verify != NULL && run->waits == RUN_VERIFY_WAITS) {
		run->park_reason = "no answer";
		return RUN_NEXT;
	}
	run->after_wait = step;
	run->resume_at_ms = clock_mono_ms() + (after_ms > 0 ? after_ms : backoff_ms(run->waits++));
	return RUN_WAIT;
}

enum run_step run_after_fault(struct run *run, enum run_step again)
{
	log_warn("a step will be tried again", LOG_TEXT("user.id", run->lane->user_text),
		 LOG_NUMBER("partition", run->part->partition), LOG_TEXT("error", run->fault.what));
	return run_wait(run, run->fault.retry_after_ms, again);
}

size_t run_shown_count(const struct run *run)
{
	size_t count = 0;

	for (const struct row *row = run->rows; row != NULL; row = row->hh.next) {
		count += row->is.event_id != NULL;
	}
	return count;
}

/* Events that a removal did not see go: what is left to do, or, where nothing was begun, what the
 * mapping knows. */
static size_t run_count_left(struct run *run)
{
	size_t left = 0;

	for (size_t i = 0; i < run->task_count; i++) {
		left += run->tasks[i].stage != TASK_STORED;
	}
	if (run->task_count == 0) {
		left = run_shown_count(run);
		run->left_count = left;
	}
	return left;
}

void run_say_left(struct run *run, size_t left, const char *why)
{
	if (left > 0) {
		snprintf(
		    run->error, sizeof run->error,
		    "%zu %s not be removed: %s. Delete what remains in Outlook, or connect the "
		    "same calendar again and disconnect once more.",
		    left, left == 1 ? "event could" : "events could", why);
	}
}

/* Disconnecting always ends, even with a dead token: then it says what it had to leave. */
static enum run_step run_leave_events(struct run *run, const char *reason, bool needs_person)
{
	const char *why = "Microsoft no longer accepts our access";

	if (!needs_person) {
		why = "Microsoft has not let us into the mailbox for a day";
	} else if (strcmp(reason, "token_unreadable") == 0) {
		why = "our stored access can no longer be read";
	}
	log_warn("a removal ends without Microsoft", LOG_TEXT("user.id", run->lane->user_text),
		 LOG_TEXT("reason", reason));
	run_say_left(run, run_count_left(run), why);
	return RUN_FINISH;
}

enum run_step run_park(struct run *run, const char *reason, int64_t until_ms, bool needs_person)
{
	if (run->mode == RUN_REMOVE && (needs_person || run->removal_is_old)) {
		return run_leave_events(run, reason, needs_person);
	}
	run->park_reason = reason;
	run->park_until_ms = until_ms;
	run->park_needs_person = needs_person;
	return RUN_NEXT;
}

int64_t run_waits_since(const struct run *run)
{
	int64_t since_ms = run->mode == RUN_REPLAY ? run->part->fold_late_ms : 0;

	for (const struct item *item = run->items; item != NULL; item = item->hh.next) {
		for (size_t i = 0; i < item->offset_count; i++) {
			int64_t record_ms = ledger_since_ms(&run->part->ledger, item->offsets[i]);

			since_ms = lag_earlier(since_ms, record_ms);
		}
	}
	return since_ms;
}

/* ---- services that everybody needs ---- */

bool run_is_held(struct run *run, struct breaker *breaker)
{
	if (run->worker->verify != NULL) {
		return false;
	}
	run->is_held = !intake_may_send(&run->worker->intake, run->part) ||
		       !breaker_may_call(breaker, clock_mono_ms());
	if (run->is_held) {
		run_resume_later(run);
	}
	return run->is_held;
}

bool run_may_call(struct http_request *request)
{
	const struct run *run = container_of(request, struct run, http);

	return run->worker->verify != NULL || intake_holds(&run->worker->intake, run->part);
}

static const char *service_name(const struct run *run, const struct breaker *breaker)
{
	return breaker == &run->worker->graph ? "graph" : "login";
}

void run_served(struct run *run, struct breaker *breaker)
{
	if (breaker_succeeded(breaker)) {
		log_info("a service works again", LOG_TEXT("service", service_name(run, breaker)));
	}
}

void run_unserved(struct run *run, struct breaker *breaker)
{
	if (breaker_failed(breaker, &run->lane->user, clock_mono_ms())) {
		log_error("a service fails for everybody: one call at a time tries it",
			  LOG_TEXT("service", service_name(run, breaker)));
	}
}

enum run_step run_stuck(struct run *run, const char *reason, int64_t after_ms, enum run_step again)
{
	int64_t now_ms = clock_mono_ms();

	if (run->worker->graph.is_open || run->worker->login.is_open) {
		run->stuck_ms = 0; /* everybody's trouble */
	} else if (run->stuck_ms == 0) {
		run->stuck_ms = now_ms;
	} else if (now_ms - run->stuck_ms > RUN_STUCK_MOST_MS) {
		return run_park(run, reason, clock_wall_ms() + RUN_PARK_MS, false);
	}
	return run_wait(run, after_ms, again);
}

enum run_step run_with_token(struct run *run, enum run_step step)
{
	run->after_token = step;
	return RUN_TOKEN;
}

enum run_step run_refused_token(struct run *run, enum run_step again)
{
	if (run->was_refused) {
		return run_park(run, "token_refused", 0, true);
	}
	run->was_refused = true;
	run->must_refresh = true;
	return run_with_token(run, again);
}

/* ---- answers ---- */

void run_resume(struct run *run)
{
	run->go(run);
}

static void on_resume(struct loop_call *call)
{
	run_resume(container_of(call, struct run, resume));
}

void run_resume_later(struct run *run)
{
	loop_defer(&run->worker->loop, &run->resume, on_resume);
}
