/* emit.h - one record: key, value, headers and partition, handed to Kafka.
 *
 * Everything that is published passes here: the stream's rows, fan-outs, snapshots. */
#ifndef CALRELAY_PRODUCER_EMIT_H
#define CALRELAY_PRODUCER_EMIT_H

#include "common/buf.h"
#include "common/metrics.h"
#include "producer/assemble.h"
#include "producer/debezium.h"
#include "producer/publish.h"

#define EMIT_USER_SIZE	128 /* longest user id */
#define EMIT_COUNTS_MAX 16

/* Where records of one kind are counted. */
struct emit_count {
	char op;
	const char *cause; /* a literal of ours */
	struct series *series;
};

struct emit {
	struct publish *publish;
	const char *prefix;
	char database[64];
	uint32_t epoch;
	int32_t partitions;
	bool has_schemas; /* CALRELAY_SCHEMAS_ENABLE */
	struct metric *events;
	struct emit_count counts[EMIT_COUNTS_MAX]; /* the kinds that came up so far */
	int count_count;
	struct buf key;
	struct buf value;
	struct buf header;
};

struct emit_record {
	enum tails_topic topic;
	struct pos pos; /* its epoch is filled in here */
	const char *cause;
	const struct relation *relation; /* whose record it is */
	const struct assemble_record *record;
	struct debezium_event
	    *event; /* NULL for a tombstone; name, database and time filled here */
	uint64_t number;
};

void emit_init(struct emit *emit);
void emit_close(struct emit *emit);

/* *sent says whether it is on its way (false: Kafka has it already). */
bool emit_send(struct emit *emit, const struct emit_record *record, bool *sent,
	       struct fault *fault) MUST_CHECK;

#endif
