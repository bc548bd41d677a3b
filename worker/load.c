/* load.c - the first step of a run: who is it, is there a calendar, what is to be done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/steps.h"
#include "worker/worker.h"

/* A user without a calendar: records are done, there is provably nothing to do. */
static enum run_step load_without_calendar(struct run *run, const char *outcome, const char *why)
{
	items_done(run, outcome);
	if (run->request_count == 0) {
		return RUN_END;
	}
	snprintf(run->error, sizeof run->error, "%s", why);
	return RUN_FINISH;
}

/* Left to a later sync; what the records know to be gone is noted first. */
static enum run_step load_parked(struct run *run, const char *reason)
{
	if (run->mode == RUN_CHANGES && !changes_plan(run)) {
		fault_retry(&run->fault, "out of memory");
		return run_after_fault(run, RUN_END);
	}
	return run_park(run, reason, run->connection.not_before_ms, false);
}

static enum run_step load_throttled(struct run *run, int64_t left_ms)
{
	if (left_ms <= RUN_WAIT_MOST_MS) {
		return run_wait(run, left_ms, RUN_LOAD);
	}
	return load_parked(run, "throttled");
}

static enum run_step load_active(struct run *run)
{
	int64_t left_ms = run->connection.not_before_ms - clock_wall_ms();

	if (left_ms > 0) {
		return load_throttled(run, left_ms);
	}
	if (run->mode == RUN_REMOVE) {
		run->mode = RUN_SYNC; /* a connection that is active again is not removed */
	}
	if (run->lane->wants_replay) {
		run->mode = RUN_REPLAY;
		run->request_count = 0; /* they stay due: a fold may know a part of it all */
		return RUN_READ;
	}
	if (!run->connection.is_adopted && !run->everything) {
		run->everything = true; /* nothing is created before one complete listing */
		return RUN_LOAD;
	}
	if (run->mode == RUN_SYNC || !run->connection.is_adopted) {
		run->mode = RUN_SYNC;
		return RUN_READ;
	}
	if (!changes_plan(run)) {
		fault_retry(&run->fault, "out of memory");
		return run_after_fault(run, RUN_END);
	}
	if (run->connection.is_idle) {
		run->must_refresh = true;
		return run_with_token(run, RUN_NEXT);
	}
	return RUN_NEXT;
}

/* NOLINTBEGIN(readability-function-size,clang-analyzer-unix.Malloc): uthash's loop */
void load_forget(struct run *run)
{
	struct row *row;
	struct row *next;

	HASH_ITER(hh, run->rows, row, next)
	{
		HASH_DEL(run->rows, row);
		free(row);
	}
	free(run->connection.access_sealed);
	free(run->connection.refresh_sealed);
	free(run->connection.snapshot);
	run->connection = (struct connection){0};
	run->request_count = 0;
	run->removes_events = false;
	run->removal_is_old = false;
	run->may_remove = false;
	run->mode = RUN_CHANGES;
}
/* NOLINTEND(readability-function-size,clang-analyzer-unix.Malloc) */

void load_start(struct run *run)
{
	load_forget(run);
	store_load(run);
}

static enum run_step load_to_verify(struct run *run)
{
	if (!run->connection.exists || run->connection.status != CONNECTION_ACTIVE) {
		return run_park(run, "it has to be connected", 0, false);
	}
	if (run->connection.not_before_ms > clock_wall_ms()) {
		return run_park(run, "Microsoft asked to wait", 0, false);
	}
	run->mode = RUN_SYNC;
	return RUN_READ;
}

enum run_step load_finish(struct run *run)
{
	if (run->fault.kind != FAULT_NONE) {
		return run_after_fault(run, RUN_LOAD);
	}
	if (run->worker->verify != NULL) {
		return load_to_verify(run);
	}
	if (!run->connection.exists) {
		return load_without_calendar(run, "not_connected", "no calendar is connected");
	}
	switch (run->connection.status) {
	case CONNECTION_ACTIVE:
		return load_active(run);
	case CONNECTION_NEEDS_RECONNECT:
		if (run->mode == RUN_CHANGES && run->items != NULL) {
			return load_parked(run, "needs_reconnect");
		}
		if (run->mode != RUN_REMOVE) {
			return load_without_calendar(run, "parked",
						     "Outlook has to be connected again");
		}
		break;
	case CONNECTION_DISCONNECTING:
		if (run->mode != RUN_REMOVE) {
			return load_without_calendar(run, "disconnecting",
						     "the calendar is disconnecting");
		}
		break;
	}
	items_done(run, "disconnecting");
	if (run->removes_events) {
		return run_with_token(run, RUN_LIST);
	}
	run->kept_count = run_shown_count(run);
	return RUN_FINISH;
}
