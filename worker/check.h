/* check.h - the worker's preflight doctor: one line per finding, with the way out. */
#ifndef CALRELAY_WORKER_CHECK_H
#define CALRELAY_WORKER_CHECK_H

struct worker_config;

/* Blocks; meant for --check.  0 where everything holds, else 1. */
int check_all(const struct worker_config *config);

#endif
