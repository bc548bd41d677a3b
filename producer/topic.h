/* topic.h - what is known of the two event topics without asking Kafka: their names, where a record
 * carries its position, and what an error means. */
#ifndef CALRELAY_PRODUCER_TOPIC_H
#define CALRELAY_PRODUCER_TOPIC_H

#include <librdkafka/rdkafka.h>

#include "common/fault.h"
#include "producer/settings.h"
#include "producer/tails.h"

#define TOPIC_NAME_SIZE 256

void topic_name(const struct settings *settings, enum tails_topic topic,
		char name[TOPIC_NAME_SIZE]);

/* A record's position; false where it carries none. */
bool topic_read_pos(const rd_kafka_message_t *message, struct pos *pos);

/* An error of Kafka's as a fault: FAULT_FATAL where it forbids what we are doing, else FAULT_RETRY.
 */
bool topic_error(struct fault *fault, const char *doing, rd_kafka_resp_err_t error);

#endif
