/* cluster.h - what Kafka says of itself, of our two topics, and of the group's offsets.
 *
 * Its calls block: on a thread, or in a command. */
#ifndef CALRELAY_WORKER_CLUSTER_H
#define CALRELAY_WORKER_CLUSTER_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/fault.h"
#include "common/hostmap.h"

struct worker_config;

struct cluster {
	char id[64];
	int32_t partition_counts[2]; /* 0: there is no such topic */
	char *committed; /* JSON: {topic, partition, committed} of all partitions; owned */
};

/* The topics of assignments and of sync requests; the caller frees them, also where it fails. */
bool cluster_name_topics(const struct hostmap *map, const char *prefix, char *topics[2],
			 struct fault *fault) MUST_CHECK;

/* false: not everything was answered, so nothing in cluster may be believed. */
bool cluster_look_up(struct cluster *cluster, rd_kafka_t *consumer,
		     char *const topics[2]) MUST_CHECK;

/* The same for a command, with a client of its own. */
bool cluster_ask(struct cluster *cluster, const struct worker_config *config,
		 const struct hostmap *map, struct fault *fault) MUST_CHECK;
void cluster_close(struct cluster *cluster);

#endif
