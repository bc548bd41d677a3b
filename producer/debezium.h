/* debezium.h - Debezium's envelope, field for field, schemaless; then our `project`.
 *
 * Pure.  Field order and types are those of Debezium 3.6.1 (docs/events.md names the differences).
 */
#ifndef CALRELAY_PRODUCER_DEBEZIUM_H
#define CALRELAY_PRODUCER_DEBEZIUM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "producer/relation.h"

struct debezium_source {
	const char *name; /* the topic prefix */
	const char *database;
	const char *snapshot; /* "false", "first", "true", "incremental", ... */
	int64_t time_us;      /* of the commit, or of the snapshot */
	bool has_place;	      /* whether lsn and xid are known */
	uint64_t lsn;	      /* start of the frame that carried the change */
	uint32_t xid;
	const char *origin; /* replication origin; NULL: none */
	uint64_t origin_lsn;
	uint64_t last_commit_lsn; /* end of the last commit before; 0: none in this session */
};

/* Which event of its transaction this is, counted from 1; all 0: not told. */
struct debezium_order {
	uint32_t total;
	uint32_t of_table;
};

/* A row as it stands in the envelope. */
struct debezium_row {
	const struct pgoutput_value *values;
	uint16_t count;
	const struct pgoutput_value *fallback; /* the old row: for values that were not sent */
	uint16_t fallback_count;
};

struct debezium_event {
	struct debezium_source source;
	struct debezium_order order;
	const struct relation *relation;
	const struct debezium_row *before; /* NULL: null */
	const struct debezium_row *after;
	char op;
	int64_t now_ns;	     /* when we made it */
	const char *project; /* JSON, "null", or NULL: the field is absent */
};

void debezium_write_value(struct buf *out, const struct debezium_event *event);

/* {"user_id":U,"id":A} */
void debezium_write_key(struct buf *out, const struct pgoutput_value *user_id,
			const struct pgoutput_value *id);

/* The project's own JSON: the five fields, under these names whatever the host calls its columns.
 */
void debezium_write_project(struct buf *out, const struct relation *relation,
			    const struct debezium_row *row);

#endif
