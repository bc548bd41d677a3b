/* armed.h - whether this database may write to real calendars: pure.
 *
 * A database is armed where it runs.  A copy of it brings the row along and finds itself elsewhere;
 * one that was set back finds Kafka ahead of its tables.  Neither may write before somebody says
 * so. */
#ifndef CALRELAY_WORKER_ARMED_H
#define CALRELAY_WORKER_ARMED_H

#include <stdbool.h>
#include <stdint.h>

#define ARMED_REASON_SIZE 128 /* as probes have it */
#define ARMED_TABLE_SIZE  136 /* schema.table, quoted */

/* Where a database is. */
struct armed_place {
	char system[32]; /* PostgreSQL's system identifier */
	int32_t timeline;
	int64_t database; /* its oid */
	char kafka[64];	  /* the cluster's id */
};

struct armed_view {
	bool has_row;
	struct armed_place row; /* where it was armed */
	struct armed_place here;
	int64_t behind; /* partitions of which Kafka has a commit that the tables know nothing of */
	char hidden[ARMED_TABLE_SIZE]; /* a table of which we can't see all rows; "": none */
};

enum armed {
	ARMED_YES,
	ARMED_FIRST, /* a new database: arm it */
	ARMED_MOVED, /* the server was failed over and lost nothing: arm it again */
	ARMED_HELD
};

/* reason is for people, and empty but for ARMED_HELD. */
enum armed armed_decide(const struct armed_view *view, char reason[ARMED_REASON_SIZE]);

#endif
