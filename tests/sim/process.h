/* process.h - one worker process: its lives, and the production state that one life holds. */
#ifndef CALRELAY_TESTS_SIM_PROCESS_H
#define CALRELAY_TESTS_SIM_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/worker.h"

#define PROCESS_MAX 3

struct process {
	struct worker worker;
	int number;
	uint32_t life; /* events of another life are dropped */
	bool is_up;
	int64_t frozen_until_ms;
	int64_t frozen_since_ms;

	/* as a member of the group: what it has been told, and what it has answered */
	bool is_member;
	bool was_told;	 /* to give its partitions back */
	bool has_joined; /* and has done so */
	bool was_assigned;
	int generation;
	int64_t lost_ms; /* when it was expelled */

	bool is_lingering;
};

extern struct process processes[PROCESS_MAX];

struct process *process_of(struct worker *worker);
const struct seal_keys *process_keys(void); /* everybody's */

void process_start(struct process *process);

/* Its memory goes; what it has sent may still arrive. */
void process_crash(struct process *process);

/* Drains, commits, leaves the group. */
void process_stop(struct process *process);
void process_freeze(struct process *process, int64_t for_ms);

/* Later, in this life of it. */
void process_after(struct process *process, int64_t after_ms, void (*run)(void *context),
		   void *context);

void process_gone(void *process); /* it has left the group: its memory goes */

bool process_is_idle(const struct process *process);

void processes_begin(void);
void processes_end(void);

#endif
