/* verify.h - the command `verify`: compares calendars with the plan, and changes neither.
 *
 * A worker without Kafka: its runs read the tables and list the mailbox as a sync does, and end
 * there.  The only thing it may write is a refreshed token, which could not be got again. */
#ifndef CALRELAY_WORKER_VERIFY_H
#define CALRELAY_WORKER_VERIFY_H

#include "worker/part.h"
#include "worker/run.h"

struct verify {
	struct worker *worker;
	struct part part; /* stands in for every user's: nobody takes it away */
	char *user;	  /* the only one to compare; NULL: all */
	struct pg_request users;
	int64_t right;
	int64_t drifted;
	int64_t unknown;  /* could not be compared */
	int64_t findings; /* events that are not as planned */
	bool failed;	  /* nobody could be looked at */
};

/* The arguments: none, or `--user ID`.  worker is open but for Kafka.  The exit status: 0 every
 * calendar is as planned; 1 some are not, or could not be compared; 64 wrong arguments. */
int verify_run(struct worker *worker, int argc, char **argv);

/* ---- for the runs ---- */

/* The mailbox is listed and the tasks are planned: prints what differs. */
enum run_step verify_compared(struct run *run);

/* This user can't be compared. */
enum run_step verify_gives_up(struct run *run, const char *why);

/* No run is left. */
void verify_is_over(struct verify *verify);

#endif
