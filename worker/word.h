/* word.h - the command `remove-orphans`: a person's word that lets the mass-delete brake go. */
#ifndef CALRELAY_WORKER_WORD_H
#define CALRELAY_WORKER_WORD_H

#include "worker/worker.h"

/* The arguments: `--user ID`.  Files a sync of that calendar that removes every event of ours that
 * belongs to no assignment, however many they are; the workers do it.  The exit status: 0 filed, 1
 * not possible, 64 wrong arguments. */
int word_run(const struct worker_config *config, int argc, char **argv);

#endif
