/* sim.h - the simulated world's time, chance, events and trace; everything follows from one seed.
 *
 * The worker's own code runs in it; what it talks to is simulated.  One event at a time, in the
 * order of virtual time. */
#ifndef CALRELAY_TESTS_SIM_SIM_H
#define CALRELAY_TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/uuid.h"

#define SIM_TRACE_LINES	 60
#define SIM_TRACE_BYTES	 200
#define SIM_QUARANTINE_S INT64_C(300)
#define SIM_LATEST_MS	 150000	 /* after it was sent, a lost request may land so late */
#define SIM_FAULTS_MS	 420000	 /* how long things happen; then all faults stop */
#define SIM_BOUND_MS	 2400000 /* within this much calm everything has to be right */

/* What a negative control breaks, in the simulated parts alone. */
enum sim_break {
	SIM_WHOLE,
	SIM_NO_COMPARE,	       /* a write lands on a row that has changed since */
	SIM_NO_FENCE,	       /* whoever lost a partition may go on writing */
	SIM_NO_FOLLOW_UP,      /* nobody comes back for a dirty row */
	SIM_NO_QUARANTINE,     /* a dirty row counts as settleable at once */
	SIM_NO_TRANSACTION_ID, /* Graph makes every creation anew */
	SIM_COMMIT_DELIVERED,  /* offsets are committed as they are read */
	SIM_COMMIT_UNPROVEN,   /* offsets are committed without being saved before */
	SIM_SHORT_LISTING,     /* a listing lacks a page, and nobody says so */
	SIM_EMPTY_ON_ERROR,    /* a failing listing answers with nothing */
	SIM_ALWAYS_MAY_SEND,   /* nobody asks for the lease before a call */
	SIM_NO_REPLAY,	       /* a reset of the offsets goes unnoticed */
	SIM_OLD_SNAPSHOT,      /* what a sync has read is not remembered */
	SIM_BREAKS
};

struct process;

/* An event of the world, or of one life of one process: then it waits while that is frozen, and is
 * dropped when that ends. */
struct sim_call {
	struct process *process; /* NULL: of the world */
	void (*run)(void *context);
	void (*drop)(void *context); /* instead of run; NULL: there is nothing to free */
	void *context;
};

struct sim {
	uint64_t seed;
	enum sim_break broken;
	int64_t now_ms; /* since 1970, so that it is a wall clock, too */
	bool is_calm;	/* all faults have stopped */
	char failure[256];
	int roughness; /* how many times as often as usual something fails */
	uint64_t dice;
	uint64_t names; /* uuid_random's own dice */
};

extern struct sim sim;

void sim_begin(uint64_t seed, enum sim_break broken);
void sim_end(void); /* drops what still waits */

/* 0 .. below-1. */
int64_t sim_below(int64_t below);
int64_t sim_between(int64_t least, int64_t most);
bool sim_chance(int per_mille);
bool sim_fault_chance(int per_mille); /* as rough as the seed is; never in the calm */
struct uuid sim_uuid(void);

void sim_after(int64_t after_ms, const struct sim_call *call);
void sim_after_world(int64_t after_ms, void (*run)(void *context), void *context);

/* Runs the next event; false where there is none, or something has failed. */
bool sim_step(void);

void sim_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
void sim_print_trace(void);

/* The first one counts; the simulation ends with the event under way. */
void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool sim_has_failed(void);

/* Memory or the end of the program. */
void *sim_alloc(size_t size);
void *sim_grow(void *array, size_t count, size_t size); /* room for one more than count */
char *sim_copy(const char *text);			/* NULL stays NULL */

#endif
