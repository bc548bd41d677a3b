/* kafka.h - librdkafka on the loop: configuration passed through, queues that wake us. */
#ifndef CALRELAY_COMMON_KAFKA_H
#define CALRELAY_COMMON_KAFKA_H

#include <librdkafka/rdkafka.h>
#include <stdint.h>

#include "common/fault.h"
#include "common/loop.h"

/* A client configuration from bootstrap servers and an optional KAFKA_CONFIG_FILE of name=value
 * lines (# comments), passed through verbatim: what the operator says there comes first, and what
 * our guarantees need is then set by the program with kafka_conf_set and wins.  librdkafka's own
 * log lines go into our log.  NULL with FAULT_FATAL naming the line, or a password's name where
 * others can read the file. */
rd_kafka_conf_t *kafka_conf_new(const char *bootstrap, const char *config_file,
				const char *client_id, struct fault *fault) MUST_CHECK;
/* The same into a configuration that holds defaults of ours, which the operator may change. */
bool kafka_conf_fill(rd_kafka_conf_t *conf, const char *bootstrap, const char *config_file,
		     const char *client_id, struct fault *fault) MUST_CHECK;
bool kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value,
		    struct fault *fault) MUST_CHECK;

/* The partition of a user: murmur2 of the user id's text, as Java clients compute it. */
int32_t kafka_user_partition(const char *user_id, int32_t partitions);

/* A queue whose events wake the loop.  ready is called from the loop when the queue went from empty
 * to not empty: poll it with timeout 0 until NULL, or call kafka_queue_again to be called once
 * more. Embedded; named end: kafka_queue_close, after which closed is called and memory may go. */
struct kafka_queue {
	rd_kafka_queue_t *queue; /* owned */
	int fd;
	uv_poll_t poll;
	struct loop *loop;
	struct loop_call again;
	bool again_due;
	bool closing;
	void (*ready)(struct kafka_queue *queue);
	void (*closed)(struct kafka_queue *queue);
};

void kafka_queue_init(struct kafka_queue *queue, struct loop *loop, rd_kafka_queue_t *rk_queue,
		      void (*ready)(struct kafka_queue *queue));
void kafka_queue_again(struct kafka_queue *queue);
void kafka_queue_close(struct kafka_queue *queue, void (*closed)(struct kafka_queue *queue));

#endif
