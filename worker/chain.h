/* chain.h - runs: how they begin, and go on.
 *
 * The top of a run's files: it calls every step, and none calls it but through run->go. */
#ifndef CALRELAY_WORKER_CHAIN_H
#define CALRELAY_WORKER_CHAIN_H

#include "worker/run.h"

/* Begins a run for a lane that has none; takes the lane's items. */
void run_start(struct worker *worker, struct lane *lane);

/* Goes on with every run whose wait is over.  now_ms: monotonic. */
void runs_wake(struct worker *worker, int64_t now_ms);

/* The step under way ended as run->fault says: what run->go is. */
void chain_go(struct run *run);

/* The step that comes next, where one's finish said RUN_NEXT or RUN_TOKEN; others as they are. */
enum run_step chain_choose(struct run *run, enum run_step step);

#endif
