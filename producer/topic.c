/* topic.c - what is known of the two event topics without asking Kafka. */
#include "producer/topic.h"

#include <stdio.h>

void topic_name(const struct settings *settings, enum tails_topic topic, char name[TOPIC_NAME_SIZE])
{
	if (topic == TAILS_REQUESTS) {
		snprintf(name, TOPIC_NAME_SIZE, "%s.public.calendar_sync_requests",
			 settings->prefix);
	} else {
		snprintf(name, TOPIC_NAME_SIZE, "%s.%s.%s", settings->prefix, settings->map.schema,
			 settings->map.assignments.table);
	}
}

bool topic_read_pos(const rd_kafka_message_t *message, struct pos *pos)
{
	rd_kafka_headers_t *headers;
	const void *value;
	size_t size;

	return rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
	       rd_kafka_header_get_last(headers, POS_HEADER, &value, &size) ==
		   RD_KAFKA_RESP_ERR_NO_ERROR &&
	       pos_parse(value, size, pos);
}

bool topic_error(struct fault *fault, const char *doing, rd_kafka_resp_err_t error)
{
	if (error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
	    error == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED) {
		return fault_fatal(fault, "Kafka forbids %s: %s (grant it to this client)", doing,
				   rd_kafka_err2str(error));
	}
	return fault_retry(fault, "Kafka, %s: %s", doing, rd_kafka_err2str(error));
}
