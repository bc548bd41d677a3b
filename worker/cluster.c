/* cluster.c - asks Kafka for its id, the topics' partitions and the group's offsets. */
#include "worker/cluster.h"

#include <stdlib.h>

#include "common/buf.h"
#include "common/jsonw.h"
#include "common/kafka.h"
#include "common/text.h"
#include "worker/worker.h"

#define CLUSTER_TIMEOUT_MS 10000
#define CLUSTER_MAX_BYTES  (1u << 20)

bool cluster_name_topics(const struct hostmap *map, const char *prefix, char *topics[2],
			 struct fault *fault)
{
	const char *const TABLES[] = {map->assignments.table, "calendar_sync_requests"};
	const char *const SCHEMAS[] = {map->schema, "public"};

	for (int i = 0; i < 2; i++) {
		struct buf topic;

		buf_init(&topic, 300);
		buf_format(&topic, "%s.%s.%s", prefix, SCHEMAS[i], TABLES[i]);
		topics[i] = buf_steal(&topic);
		if (topics[i] == NULL) {
			return fault_fatal(fault, "CALRELAY_TOPIC_PREFIX is too long");
		}
	}
	return true;
}

static bool look_up_id(struct cluster *cluster, rd_kafka_t *consumer)
{
	char *id = rd_kafka_clusterid(consumer, CLUSTER_TIMEOUT_MS);

	if (id == NULL) {
		return false;
	}
	text_copy(cluster->id, sizeof cluster->id, id);
	rd_kafka_mem_free(consumer, id);
	return true;
}

/* That there is no such topic is an answer, too. */
static bool read_partition_count(const struct rd_kafka_metadata *metadata, int32_t *count)
{
	if (metadata->topic_cnt != 1) {
		return false;
	}
	switch (metadata->topics[0].err) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		*count = metadata->topics[0].partition_cnt;
		return true;
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
		*count = 0;
		return true;
	default:
		return false;
	}
}

static bool look_up_partition_count(rd_kafka_t *consumer, const char *name, int32_t *count)
{
	const struct rd_kafka_metadata *metadata;
	rd_kafka_topic_t *topic = rd_kafka_topic_new(consumer, name, NULL);
	bool ok =
	    topic != NULL && rd_kafka_metadata(consumer, 0, topic, &metadata, CLUSTER_TIMEOUT_MS) ==
				 RD_KAFKA_RESP_ERR_NO_ERROR;

	if (ok) {
		ok = read_partition_count(metadata, count);
		rd_kafka_metadata_destroy(metadata);
	}
	if (topic != NULL) {
		rd_kafka_topic_destroy(topic);
	}
	return ok;
}

/* false: of one of them nobody knows. */
static bool write_offsets(struct buf *out, const rd_kafka_topic_partition_list_t *list)
{
	buf_char(out, '[');
	for (int i = 0; i < list->cnt; i++) {
		const rd_kafka_topic_partition_t *at = &list->elems[i];

		if (at->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
			return false;
		}
		if (at->offset >= 0) {
			jsonw_comma(out);
			buf_char(out, '{');
			jsonw_member_text(out, "topic", at->topic);
			jsonw_member_number(out, "partition", at->partition);
			jsonw_member_number(out, "committed", at->offset);
			buf_char(out, '}');
		}
	}
	buf_char(out, ']');
	return true;
}

static bool look_up_offsets(struct cluster *cluster, rd_kafka_t *consumer, char *const topics[2])
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
	struct buf out;
	bool ok = true;

	buf_init(&out, CLUSTER_MAX_BYTES);
	for (int i = 0; i < 2; i++) {
		for (int32_t j = 0; j < cluster->partition_counts[i]; j++) {
			rd_kafka_topic_partition_list_add(list, topics[i], j);
		}
	}
	if (list->cnt > 0) {
		ok = rd_kafka_committed(consumer, list, CLUSTER_TIMEOUT_MS) ==
		     RD_KAFKA_RESP_ERR_NO_ERROR;
	}
	ok = ok && write_offsets(&out, list);
	rd_kafka_topic_partition_list_destroy(list);
	free(cluster->committed);
	cluster->committed = ok ? buf_steal(&out) : NULL;
	buf_close(&out);
	return cluster->committed != NULL;
}

bool cluster_look_up(struct cluster *cluster, rd_kafka_t *consumer, char *const topics[2])
{
	for (int i = 0; i < 2; i++) {
		if (!look_up_partition_count(consumer, topics[i], &cluster->partition_counts[i])) {
			return false;
		}
	}
	return look_up_id(cluster, consumer) && look_up_offsets(cluster, consumer, topics);
}

void cluster_close(struct cluster *cluster)
{
	free(cluster->committed);
	cluster->committed = NULL;
}

bool cluster_ask(struct cluster *cluster, const struct worker_config *config,
		 const struct hostmap *map, struct fault *fault)
{
	char *topics[2] = {NULL, NULL};
	char why[160];
	rd_kafka_t *client = NULL;
	rd_kafka_conf_t *conf = kafka_conf_new(config->kafka_bootstrap, config->kafka_config_file,
					       "calrelay-worker-command", fault);
	bool ok = conf != NULL && cluster_name_topics(map, config->topic_prefix, topics, fault) &&
		  kafka_conf_set(conf, "group.id", config->group, fault);

	if (ok) {
		client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
		ok = client != NULL || fault_fatal(fault, "Kafka client: %.160s", why);
	}
	if (client == NULL && conf != NULL) {
		rd_kafka_conf_destroy(conf);
	}
	if (ok && !cluster_look_up(cluster, client, topics)) {
		ok = fault_retry(fault,
				 "Kafka does not answer what cluster it is and what the group "
				 "has committed: check KAFKA_BOOTSTRAP_SERVERS");
	}
	if (client != NULL) {
		rd_kafka_destroy(client);
	}
	free(topics[0]);
	free(topics[1]);
	return ok;
}
