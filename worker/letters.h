/* letters.h - the command `dead-letters`: lists the dead letters, or has them made good.
 *
 * Nothing is written into an event topic: an old record put behind a newer one of its key would
 * outlive it in compaction.  What a letter was about is in the host's tables, so a replay asks for
 * what "sync now" asks for, once per user: their calendar is compared with the plan, the newest
 * state wins, and where nothing is wrong nothing is written. */
#ifndef CALRELAY_WORKER_LETTERS_H
#define CALRELAY_WORKER_LETTERS_H

#include "worker/worker.h"

/* The arguments: `list`, `replay --all` or `replay --partition N --offset M`.  The exit status:
 * 0 done, also where there is no letter to list; 1 not possible; 64 wrong arguments. */
int letters_run(const struct worker_config *config, int argc, char **argv);

#endif
