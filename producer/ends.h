/* ends.h - the ends of the partitions: the newest position there, the offset behind it, what came
 * late; and which keys an epoch does not know.
 *
 * These calls wait for Kafka, so they run beside the loop (producer/topics.h). */
#ifndef CALRELAY_PRODUCER_ENDS_H
#define CALRELAY_PRODUCER_ENDS_H

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

#include "common/fault.h"
#include "producer/late.h"
#include "producer/settings.h"
#include "producer/tails.h"

struct ends_job {
	rd_kafka_t *rk; /* a consumer with enable.partition.eof; for ends_ask any client */
	const struct settings *settings;
	const atomic_bool *stop; /* end early; ends_ask keeps to 2 s by itself */
	struct tails *tails;	 /* in: has_foreign and foreign_offset; out: the rest */
	struct late *late;	 /* out, with ends_read and ends_read_old */
	uint32_t epoch;		 /* ends_read_old */
	struct fault *fault;
};

/* Reads the last records of each partition.  False with a fault: FAULT_RETRY, or FAULT_FATAL where
 * Kafka forbids it. */
bool ends_read(const struct ends_job *job) MUST_CHECK;

/* Reads all of the assignments' topic for keys that have no record of the epoch.  The same faults.
 */
bool ends_read_old(const struct ends_job *job) MUST_CHECK;

/* Asks only for the offsets: tails' next_offset.  The same faults. */
bool ends_ask(const struct ends_job *job) MUST_CHECK;

#endif
