/* bury.h - the dead-letter topic: records that can never be applied, with Connect's headers. */
#ifndef CALRELAY_WORKER_BURY_H
#define CALRELAY_WORKER_BURY_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "common/fault.h"
#include "common/kafka.h"

struct worker;

struct bury {
	struct worker *worker;
	rd_kafka_t *producer;
	struct kafka_queue queue;
	char *topic;
	bool is_open;
};

/* Where a record came from and why it is dead. */
struct dead_letter {
	const char *topic;
	int32_t partition;
	int64_t offset;
	const void *key;
	size_t key_length;
	const void *value;
	size_t value_length;
	const rd_kafka_headers_t *headers; /* the record's own, kept; NULL: not at hand */
	const char *pos;   /* its calrelay.pos, where headers is NULL; NULL: it had none */
	const char *stage; /* "decode" or "graph": metric and header */
	const char *reason;
	/* Called once, when Kafka has it (ok) or will not take it (not ok: bury it again). */
	void (*done)(void *context, bool ok);
	void *context;
};

bool bury_open(struct bury *bury, struct worker *worker, struct fault *fault) MUST_CHECK;
void bury_send(struct bury *bury, const struct dead_letter *letter);
void bury_close(struct bury *bury);

#endif
