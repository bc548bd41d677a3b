/* arm.h - the command `arm`: this database is the one that keeps the real calendars. */
#ifndef CALRELAY_WORKER_ARM_H
#define CALRELAY_WORKER_ARM_H

#include "common/fault.h"
#include "worker/armed.h"
#include "worker/worker.h"

/* What a worker that started now would find.  Blocks; asks PostgreSQL and Kafka. */
bool arm_look(const struct worker_config *config, struct armed_view *view,
	      struct fault *fault) MUST_CHECK;

/* Arms, whatever it finds, and prints both places.  Returns the exit status. */
int arm_run(const struct worker_config *config, int argc, char **argv);

#endif
