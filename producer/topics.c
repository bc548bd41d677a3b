/* topics.c - the two event topics, and how far each partition goes.
 *
 * All but topics_start and on_work_done runs on a worker thread and touches only the job. */
#include "producer/topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/kafka.h"
#include "common/log.h"
#include "producer/ends.h"
#include "producer/topic.h"

#define TOPICS_WAIT_MS	     5000
#define TOPICS_CREATE_MAX_MS 10000
#define TOPICS_LOOK_MS	     20
#define TOPICS_RECORD_MAX    "10485760" /* max.message.bytes of a topic we create */

static void find(struct topics_job *job, const char *what)
{
	if (job->finding_count < TOPICS_FINDINGS_MAX) {
		snprintf(job->findings[job->finding_count++], TOPICS_FINDING_SIZE, "%s", what);
	}
}

/* ---- partitions ---- */

static int count_leaders(const struct rd_kafka_metadata_topic *topic)
{
	int count = 0;

	for (int i = 0; i < topic->partition_cnt; i++) {
		count += topic->partitions[i].leader >= 0;
	}
	return count;
}

/* How many partitions of the topic can be used; 0: it does not exist; -1: fault. */
static int count_partitions(struct topics_job *job, rd_kafka_t *rk, const char *name)
{
	const struct rd_kafka_metadata *metadata;
	rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
	rd_kafka_resp_err_t error = rd_kafka_metadata(rk, 0, topic, &metadata, TOPICS_WAIT_MS);
	int count = -1;

	rd_kafka_topic_destroy(topic);
	if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
		topic_error(&job->fault, "reading metadata", error);
		return -1;
	}
	if (metadata->topic_cnt != 1) {
		fault_retry(&job->fault, "Kafka answered for %d topics", metadata->topic_cnt);
	} else if (metadata->topics[0].err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
		count = 0;
	} else if (metadata->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		topic_error(&job->fault, "reading metadata", metadata->topics[0].err);
	} else {
		count = count_leaders(&metadata->topics[0]);
		if (count < metadata->topics[0].partition_cnt) {
			count = -1;
			fault_retry(&job->fault, "a partition of topic %.100s has no leader", name);
		}
	}
	rd_kafka_metadata_destroy(metadata);
	return count;
}

/* ---- admin calls: sent, then awaited on a queue ---- */

static rd_kafka_event_t *await(struct topics_job *job, rd_kafka_queue_t *queue, const char *doing)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TOPICS_CREATE_MAX_MS + 2000);

	if (event == NULL) {
		fault_retry(&job->fault, "Kafka, %s: no answer", doing);
		return NULL;
	}
	if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
		topic_error(&job->fault, doing, rd_kafka_event_error(event));
		rd_kafka_event_destroy(event);
		return NULL;
	}
	return event;
}

static bool take_created(struct topics_job *job, rd_kafka_event_t *event, const char *name)
{
	size_t count = 0;
	const rd_kafka_topic_result_t **results =
	    rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
	rd_kafka_resp_err_t error =
	    count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__BAD_MSG;
	const char *why = count == 1 ? rd_kafka_topic_result_error_string(results[0]) : NULL;
	char text[TOPICS_FINDING_SIZE];

	if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
		log_info("topic created", LOG_TEXT("topic", name),
			 LOG_NUMBER("partitions", job->settings->partitions));
		return true;
	}
	if (error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
		return true; /* a metadata answer may lag behind */
	}
	if (error == RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR ||
	    error == RD_KAFKA_RESP_ERR_POLICY_VIOLATION) {
		snprintf(text, sizeof text, "topic %.120s can't be created: %.110s", name,
			 why != NULL ? why : rd_kafka_err2str(error));
		return fault_fatal(&job->fault, "%s", text);
	}
	return topic_error(&job->fault, "creating a topic", error);
}

static bool create_topic(struct topics_job *job, rd_kafka_t *rk, const char *name)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	rd_kafka_AdminOptions_t *options =
	    rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
	rd_kafka_NewTopic_t *topic;
	rd_kafka_event_t *event;
	char why[200];
	bool ok = false;

	topic = rd_kafka_NewTopic_new(name, (int)job->settings->partitions,
				      (int)job->settings->replication_factor, why, sizeof why);
	if (topic == NULL) {
		fault_fatal(&job->fault, "topic %.100s: %s", name, why);
		goto out;
	}
	rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "compact");
	rd_kafka_NewTopic_set_config(topic, "max.message.bytes", TOPICS_RECORD_MAX);
	rd_kafka_AdminOptions_set_operation_timeout(options, TOPICS_CREATE_MAX_MS, why, sizeof why);
	rd_kafka_CreateTopics(rk, &topic, 1, options, queue);
	rd_kafka_NewTopic_destroy(topic);
	event = await(job, queue, "creating a topic");
	if (event != NULL) {
		ok = take_created(job, event, name);
		rd_kafka_event_destroy(event);
	}
out:
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_queue_destroy(queue);
	return ok;
}

static bool take_policy(struct topics_job *job, rd_kafka_event_t *event, const char *name)
{
	size_t count = 0;
	const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
	    rd_kafka_event_DescribeConfigs_result(event), &count);
	const rd_kafka_ConfigEntry_t **entries;
	const char *policy = NULL;
	char text[TOPICS_FINDING_SIZE];

	if (count != 1 || rd_kafka_ConfigResource_error(resources[0]) != 0) {
		return topic_error(&job->fault, "describing a topic",
				   count == 1 ? rd_kafka_ConfigResource_error(resources[0])
					      : RD_KAFKA_RESP_ERR__BAD_MSG);
	}
	entries = rd_kafka_ConfigResource_configs(resources[0], &count);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), "cleanup.policy") == 0) {
			policy = rd_kafka_ConfigEntry_value(entries[i]);
		}
	}
	if (policy == NULL || strcmp(policy, "compact") != 0) {
		snprintf(text, sizeof text,
			 "topic %.100s has cleanup.policy=%.30s: set it to compact "
			 "(kafka-configs.sh --alter)",
			 name, policy != NULL ? policy : "?");
		find(job, text);
	}
	return true;
}

static bool check_policy(struct topics_job *job, rd_kafka_t *rk, const char *name)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	rd_kafka_ConfigResource_t *resource =
	    rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
	rd_kafka_event_t *event;
	bool ok = false;

	rd_kafka_DescribeConfigs(rk, &resource, 1, NULL, queue);
	event = await(job, queue, "describing a topic");
	if (event != NULL) {
		ok = take_policy(job, event, name);
		rd_kafka_event_destroy(event);
	}
	rd_kafka_ConfigResource_destroy(resource);
	rd_kafka_queue_destroy(queue);
	return ok;
}

/* A new topic's partitions take a moment until they are led. */
static bool await_leaders(struct topics_job *job, rd_kafka_t *rk, const char *name)
{
	for (int waited_ms = 0; waited_ms < TOPICS_CREATE_MAX_MS; waited_ms += TOPICS_LOOK_MS) {
		if (count_partitions(job, rk, name) == (int)job->settings->partitions) {
			job->fault = (struct fault){0};
			return true;
		}
		if (atomic_load(&job->stop)) {
			break;
		}
		usleep(TOPICS_LOOK_MS * 1000);
	}
	return fault_retry(&job->fault, "topic %.100s was created and is not led yet", name);
}

static bool check_topic(struct topics_job *job, rd_kafka_t *rk, enum tails_topic topic)
{
	char name[TOPIC_NAME_SIZE];
	char text[TOPICS_FINDING_SIZE];
	int partitions;

	topic_name(job->settings, topic, name);
	partitions = count_partitions(job, rk, name);
	if (partitions < 0) {
		return false;
	}
	if (partitions == 0) {
		job->missing[topic] = true;
		return job->task == TOPICS_LOOK ||
		       (create_topic(job, rk, name) && await_leaders(job, rk, name));
	}
	if (partitions != (int)job->settings->partitions) {
		snprintf(text, sizeof text,
			 "topic %.100s has %d partitions: set CALRELAY_PARTITIONS=%d, for every "
			 "program",
			 name, partitions, partitions);
		find(job, text);
	}
	return check_policy(job, rk, name);
}

/* ---- the job ---- */

static rd_kafka_t *open_client(struct topics_job *job)
{
	const struct settings *settings = job->settings;
	rd_kafka_conf_t *conf =
	    kafka_conf_new(settings->kafka_bootstrap, settings->kafka_config_file,
			   "calrelay-producer", &job->fault);
	rd_kafka_t *rk;
	char why[200];

	if (conf == NULL) {
		return NULL;
	}
	if (!kafka_conf_set(conf, "enable.partition.eof", "true", &job->fault) ||
	    !kafka_conf_set(conf, "fetch.wait.max.ms", "10", &job->fault) ||
	    !kafka_conf_set(conf, "queued.max.messages.kbytes", "8192", &job->fault) ||
	    !kafka_conf_set(conf, "auto.offset.reset", "earliest", &job->fault) ||
	    !kafka_conf_set(conf, "allow.auto.create.topics", "false", &job->fault)) {
		rd_kafka_conf_destroy(conf);
		return NULL;
	}
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
	if (rk == NULL) {
		rd_kafka_conf_destroy(conf);
		fault_fatal(&job->fault, "Kafka: %s", why);
	}
	return rk;
}

static bool check_topics(struct topics_job *job, rd_kafka_t *rk)
{
	for (int topic = 0; topic < TAILS_TOPICS; topic++) {
		if (atomic_load(&job->stop) || !check_topic(job, rk, (enum tails_topic)topic)) {
			return false;
		}
	}
	return job->finding_count == 0 || fault_fatal(&job->fault, "%s", job->findings[0]);
}

static bool run_task(struct topics_job *job, rd_kafka_t *rk)
{
	const struct ends_job ends = {.rk = rk,
				      .settings = job->settings,
				      .stop = &job->stop,
				      .tails = &job->tails,
				      .late = &job->late,
				      .epoch = job->epoch,
				      .fault = &job->fault};

	switch (job->task) {
	case TOPICS_LOOK:
	case TOPICS_MAKE:
		return check_topics(job, rk);
	case TOPICS_TAILS:
		return check_topics(job, rk) && ends_read(&ends);
	case TOPICS_OLD:
		return ends_read_old(&ends);
	}
	return false;
}

static void on_work(uv_work_t *work)
{
	struct topics_job *job = container_of(work, struct topics_job, work);
	rd_kafka_t *rk = open_client(job);
	bool ok = rk != NULL && run_task(job, rk);

	if (!ok && job->fault.kind == FAULT_NONE) {
		fault_retry(&job->fault, "stopped");
	}
	if (rk != NULL) {
		rd_kafka_destroy(rk);
	}
}

static void on_work_done(uv_work_t *work, int status)
{
	struct topics_job *job = container_of(work, struct topics_job, work);

	if (status != 0) {
		fault_retry(&job->fault, "the job was cancelled");
	}
	job->done(job);
}

void topics_start(struct loop *loop, struct topics_job *job)
{
	job->fault = (struct fault){0};
	job->finding_count = 0;
	job->missing[TAILS_ASSIGNMENTS] = false;
	job->missing[TAILS_REQUESTS] = false;
	late_clear(&job->late);
	late_init(&job->late, job->task == TOPICS_OLD ? LATE_VANISHED_MAX : LATE_KEYS_MAX);
	atomic_store(&job->stop, false);
	if (uv_queue_work(&loop->uv, &job->work, on_work, on_work_done) != 0) {
		fputs("no worker thread\n", stderr);
		abort();
	}
}
