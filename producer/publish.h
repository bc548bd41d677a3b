/* publish.h - records into Kafka: acks=all, idempotent, in order, each to a partition we name.
 *
 * A record that somebody else wrote among ours ends the session, so that the ends are read anew.
 * A record that could not be delivered stops everything: nothing behind it may be taken for
 * delivered.  What is not confirmed in time is withdrawn before anybody else can hold the slot. */
#ifndef CALRELAY_PRODUCER_PUBLISH_H
#define CALRELAY_PRODUCER_PUBLISH_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fault.h"
#include "common/loop.h"
#include "producer/settings.h"
#include "producer/tails.h"

#define PUBLISH_IN_FLIGHT_MAX_BYTES (8u << 20)
#define PUBLISH_IN_FLIGHT_MAX	    20000
#define PUBLISH_RECORD_MAX_BYTES    10000000 /* beyond it the program stops: no record is dropped */

struct publish;

struct publish_record {
	enum tails_topic topic;
	int32_t partition;
	struct pos pos;
	const char *key;
	size_t key_length;
	const char *value; /* NULL: a tombstone */
	size_t value_length;
	const char *cause;
	const char *header_name; /* one more header, or NULL */
	const char *header_value;
	uint64_t number; /* comes back with the delivery */
};

struct publish_owner {
	/* Kafka confirmed a record. */
	void (*delivered)(struct publish_owner *owner, uint64_t number);
	/* After a batch of confirmations: there may be room again. */
	void (*settled)(struct publish_owner *owner);
	/* Once: nothing more is confirmed; close it and start over (or FAULT_FATAL: end). */
	void (*failed)(struct publish_owner *owner, const struct fault *fault);
};

/* timeout_ms: how long a record may wait for Kafka.  tails is shared and outlives it. */
struct publish *publish_new(struct loop *loop, const struct settings *settings, int timeout_ms,
			    struct tails *tails, struct publish_owner *owner,
			    struct fault *fault) MUST_CHECK;

/* *sent is false where the partition has it already. */
bool publish_send(struct publish *publish, const struct publish_record *record, bool *sent,
		  struct fault *fault) MUST_CHECK;
bool publish_has_room(const struct publish *publish);
size_t publish_in_flight(const struct publish *publish);

rd_kafka_t *publish_client(const struct publish *publish); /* to ask Kafka with; borrowed */

/* Where the partition ends if nobody but us writes; -1 while a record of ours is on its way. */
int64_t publish_idle_offset(const struct publish *publish, enum tails_topic topic,
			    int32_t partition);

/* Withdraws what is not on its way, waits a little for what is, then closed comes. */
void publish_close(struct publish *publish, void (*closed)(void *context), void *context);

#endif
