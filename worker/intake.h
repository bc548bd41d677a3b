/* intake.h - partitions given and taken, records in, offsets out.
 *
 * ASSIGN: look up positions (thread) ─▶ claim the fence (PostgreSQL) ─▶ assign ─▶ prove membership by
 * committing the position ─▶ read.  REVOKE: stop dispatch, drain, commit, answer. */
#ifndef CALRELAY_WORKER_INTAKE_H
#define CALRELAY_WORKER_INTAKE_H

#include <librdkafka/rdkafka.h>

#include "common/fault.h"
#include "common/kafka.h"
#include "common/pg.h"
#include "common/uuid.h"
#include "worker/part.h"

#define INTAKE_PARTS_MAX 1024

struct worker;
struct lane;

enum intake_state {
	INTAKE_IDLE,      /* no partitions */
	INTAKE_LOOKING,   /* an ASSIGN waits for positions */
	INTAKE_CLAIMING,  /* and for the fence */
	INTAKE_RUNNING,
	INTAKE_DRAINING,  /* a REVOKE waits for runs and the last commit */
	INTAKE_CLOSING,
	INTAKE_CLOSED,
	INTAKE_STATES
};

struct intake {
	struct worker *worker;
	rd_kafka_t *consumer;
	struct kafka_queue queue;    /* rebalances, commits, errors */
	char *topics[2];             /* assignments, sync requests */
	char member[UUID_TEXT_SIZE]; /* our name in the fence */
	enum intake_state state;
	struct part *parts[INTAKE_PARTS_MAX];
	int part_count;
	rd_kafka_topic_partition_list_t *given; /* of the ASSIGN being answered */
	int32_t partition_count;     /* of the assignments' topic; 0: unknown yet */
	uv_work_t lookup;
	bool is_looking;             /* a look-up thread runs */
	bool lookup_ok;
	bool was_lost;
	uv_timer_t tick;
	int64_t tick_boot_ms;
	bool has_lease;              /* no gap since membership was last proven */
	int64_t drain_until_ms;
	struct pg_request claim;
	bool is_claiming;
	struct pg_request progress;
	bool is_saving;              /* done_offset on its way to PostgreSQL */
	bool is_committing;          /* an offset commit on its way to Kafka */
	bool is_noting;              /* committed_offset on its way to PostgreSQL */
	bool wants_save;
	int handles;
};

bool intake_open(struct intake *intake, struct worker *worker, struct fault *fault) MUST_CHECK;

/* Drains, commits, leaves the group; then calls worker_closed. */
void intake_stop(struct intake *intake);

/* The assignments' partition of a user, where we own and read it; else NULL. */
struct part *intake_part_of(struct intake *intake, const char *user);

/* A run ended: perhaps the drain is over, perhaps the window has room again. */
void intake_run_ended(struct intake *intake, struct part *part);

/* A record is done. */
void intake_done(struct intake *intake, struct part *part, int64_t offset);

/* A write was refused because the epoch is not ours any more. */
void intake_fenced(struct intake *intake, struct part *part);

/* Whether a Graph call may be made for part now: it is ours, and no gap made that doubtful. */
bool intake_may_send(const struct intake *intake, const struct part *part);

/* Partitions that have open records and made no progress for too long. */
int intake_stalled(const struct intake *intake);
void intake_refresh_stats(struct intake *intake);

/* Called when intake_stop has done its work; implemented by main. */
void worker_closed(struct worker *worker);

#endif
