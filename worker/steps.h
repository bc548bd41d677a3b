/* steps.h - the steps of a run that live in files of their own. */
#ifndef CALRELAY_WORKER_STEPS_H
#define CALRELAY_WORKER_STEPS_H

#include "worker/run.h"

/* load.c */
void load_start(struct run *run);
enum run_step load_finish(struct run *run);
void load_forget(struct run *run); /* frees what was loaded */

/* outcome.c */
void intent_start(struct run *run);
enum run_step intent_finish(struct run *run);
enum run_step result_finish(struct run *run);
enum run_step reread_finish(struct run *run);
bool run_has_results(struct run *run);	/* collects them into run->wrote */
bool run_has_released(struct run *run); /* collects intents that can be taken back */
bool run_has_parked(struct run *run);	/* collects what is noted of tasks left to a sync */
void tasks_skip(struct run *run);	/* what nothing is to be done for is done */
bool run_needs_burial(const struct run *run);
void dead_start(struct run *run);
enum run_step dead_finish(struct run *run);
void item_done(struct run *run, struct item *item, const char *outcome);
void items_done(struct run *run, const char *outcome);

/* token.c: a live access token, refreshed by one worker at a time. */
enum run_step token_first_step(struct run *run); /* of RUN_TOKEN */
void token_lease_start(struct run *run);
enum run_step token_lease_finish(struct run *run);
void token_refresh_start(struct run *run);
enum run_step token_refresh_finish(struct run *run);
void token_renew_start(struct run *run);
enum run_step token_renew_finish(struct run *run);

/* send.c: one $batch. */
void send_start(struct run *run);
enum run_step send_finish(struct run *run);

/* sync.c: the mailbox against what is wanted. */
enum run_step sync_read_finish(struct run *run);
void sync_list_start(struct run *run);
enum run_step sync_list_finish(struct run *run);
enum run_step sync_compare(struct run *run); /* once all is listed */

/* palette.c: the colours of our own categories. */
bool palette_is_wanted(const struct run *run);
void palette_start(struct run *run);
enum run_step palette_finish(struct run *run);

/* plan of a lane's items (run.c calls it once loaded); false without memory. */
bool changes_plan(struct run *run);

/* What a refused Graph call (not a batch item) means; shared by send and sync. */
enum run_step graph_refused(struct run *run, enum run_step again);

/* Observes a Graph exchange in the metrics. */
void graph_observe(struct run *run, const char *kind);

#endif
