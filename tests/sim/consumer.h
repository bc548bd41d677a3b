/* consumer.h - worker/intake.h on the simulated log and group, as intake.c, claim.c, read.c and
 * commit.c do it. */
#ifndef CALRELAY_TESTS_SIM_CONSUMER_H
#define CALRELAY_TESTS_SIM_CONSUMER_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/part.h"

#define READER_OFFSETS_MAX 1024

struct process;

/* An assigned partition and how far it is read. */
struct reader {
	struct part part; /* first */
	int64_t number;	  /* no two readers ever have the same */
	int64_t fetch_at;
	int64_t first; /* where reading began */
	bool is_done[READER_OFFSETS_MAX];
};

void consumer_start(struct process *process); /* joins, and ticks from now on */
void consumer_drop(struct process *process);  /* gives up every partition, without a word */
void consumer_stop(struct process *process);
void consumer_gives_back(struct process *process);

/* The group has news for it. */
void consumer_hears(struct process *process);

/* ---- between its own files ---- */

void consumer_claims(struct process *process); /* looks positions up, then claims the fence */
void consumer_claim_again(struct process *process);
void consumer_claimed(struct process *process);
void consumer_commits(struct process *process);
void consumer_drains(struct process *process);
void consumer_committed(struct process *process);

void reader_start(struct reader *reader);
void reader_fetch(struct reader *reader);
void reader_replay_ended(struct reader *reader);

/* Counts the records below to as done, from the given one on. */
void reader_mark_done(struct reader *reader, int64_t from, int64_t to);

/* The offset below which every record is done, by what was said of each alone. */
int64_t reader_proves(const struct reader *reader);

#endif
