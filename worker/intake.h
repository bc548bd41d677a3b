/* intake.h - partitions given and taken, records in, offsets out.
 *
 * ASSIGN: look up positions (claim.c, thread) ─▶ is this database armed? (guard.c) ─▶ claim the
 * fence (claim.c, PostgreSQL) ─▶ assign ─▶ prove membership by committing the positions (commit.c)
 * ─▶ read (read.c). REVOKE: stop dispatch, drain, commit, answer. */
#ifndef CALRELAY_WORKER_INTAKE_H
#define CALRELAY_WORKER_INTAKE_H

#include <librdkafka/rdkafka.h>

#include "common/fault.h"
#include "common/kafka.h"
#include "common/pg.h"
#include "common/uuid.h"
#include "worker/guard.h"
#include "worker/part.h"
#include "worker/skip.h"
#include "worker/watch.h"

#define INTAKE_PARTS_MAX 1024
#define INTAKE_AGAIN_MS	 1000 /* what failed while partitions are claimed is tried again */

struct worker;

enum intake_state {
	INTAKE_IDLE,	 /* no partitions */
	INTAKE_LOOKING,	 /* an ASSIGN waits for positions, and for an armed database */
	INTAKE_CLAIMING, /* and for the fence */
	INTAKE_RUNNING,
	INTAKE_DRAINING, /* a REVOKE waits for runs and the last commit */
	INTAKE_CLOSED,
	INTAKE_STATES
};

struct intake {
	struct worker *worker;
	rd_kafka_t *consumer;
	struct kafka_queue queue;    /* rebalances, commits, errors */
	char *topics[2];	     /* assignments, sync requests */
	char member[UUID_TEXT_SIZE]; /* our name in the fence */
	enum intake_state state;
	bool is_stopping; /* the group is being left for good */
	struct part *parts[INTAKE_PARTS_MAX];
	int part_count;
	int64_t assignment; /* counts them */
	uv_timer_t tick;
	int64_t tick_boot_ms;
	int64_t gap_ms;		/* between two ticks, beyond which membership has to be proven */
	int64_t drain_until_ms; /* monotonic */
	bool must_restart;	/* the log is not what it was: look everything up again */

	/* claim.c */
	uv_work_t lookup;
	bool lookup_ok;
	bool is_looking;  /* the look-up's thread reads the parts */
	bool must_forget; /* as soon as it has ended */
	struct pg_request claim;
	bool is_claiming;
	bool is_claim_stale;	/* the parts it was for are gone */
	int64_t claim_again_ms; /* monotonic; 0: not due */
	struct skip skip;
	struct guard guard;

	/* commit.c */
	struct pg_request save;
	bool is_busy;	 /* a save, commit or note is under way */
	int64_t busy_ms; /* since then, monotonic */
	bool is_stale;	 /* it began before what it would have to prove */
	bool must_prove; /* commit even where nothing moved */
	bool has_lease;	 /* membership was proven, and no gap since */

	struct watch watch;
};

bool intake_open(struct intake *intake, struct worker *worker, struct fault *fault) MUST_CHECK;

/* Drains, commits, leaves the group; then calls worker_closed. */
void intake_stop(struct intake *intake);

/* The assignments' partition of a user, where we own and serve it; else NULL. */
struct part *intake_part_of(struct intake *intake, const char *user);

/* Whether a user's partition is ours, served or not. */
bool intake_owns(const struct intake *intake, const char *user);

/* A run ended: perhaps a drain or a replay is over. */
void intake_run_ended(struct intake *intake, struct part *part);

/* A record is done. */
void intake_done(struct intake *intake, struct part *part, int64_t offset);

/* A write was refused because the epoch is not ours any more. */
void intake_fenced(struct intake *intake, struct part *part);

/* Whether part is still ours for certain: it was not let go, and no gap makes that doubtful. */
bool intake_holds(const struct intake *intake, const struct part *part);

/* Whether a Graph call may be made for part now: it is held, and served. */
bool intake_may_send(const struct intake *intake, const struct part *part);

/* Called when intake_stop has done its work; implemented by main. */
void worker_closed(struct worker *worker);

/* ---- between the intake's own files ---- */

void intake_forget(struct intake *intake);  /* gives up every partition */
void claim_look_up(struct intake *intake);  /* then guard_ask, and claim_send */
void claim_send(struct intake *intake);	    /* for every part that is PART_CLAIMING; then skip.c */
void claim_tick(struct intake *intake);	    /* what failed, again when it is time */
void intake_claimed(struct intake *intake); /* all parts have their epoch, nothing is skipped */

/* From the next tick on, as if the partitions had just been given: their log is another one. */
void intake_restart_later(struct intake *intake, const struct part *part);

/* save (PostgreSQL) ─▶ commit (Kafka) ─▶ note (PostgreSQL); does nothing while one is under way or
 * nothing moved. */
void commit_begin(struct intake *intake);
void commit_answered(struct intake *intake, rd_kafka_event_t *event);
void intake_committed(struct intake *intake); /* commit.c has ended one round, well or not */

void read_ready(struct kafka_queue *queue); /* a part's queue has records */
void read_tick(struct part *part);	    /* every second, whether or not something woke us */
void read_start(struct part *part);	    /* the part's epoch is claimed and proven */
void read_replay_ended(struct part *part);

#endif
