/* test_cluster.c - what counts as an answer of Kafka about the topics, on librdkafka's own mock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/cluster.h"

#include <librdkafka/rdkafka_mock.h> /* behind rdkafka.h, as it wants it */

static char *const TOPICS[] = {"t.assignments", "t.requests"};

struct rig {
	rd_kafka_t *broker; /* the client that the mock lives in */
	rd_kafka_mock_cluster_t *mock;
	rd_kafka_t *consumer;
	struct cluster cluster;
};

static rd_kafka_t *client_new(rd_kafka_type_t type, const char *bootstrap)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[160];
	rd_kafka_t *client;

	rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, NULL, 0);
	if (type == RD_KAFKA_CONSUMER) {
		rd_kafka_conf_set(conf, "group.id", "g", NULL, 0);
	}
	client = rd_kafka_new(type, conf, why, sizeof why);
	assert_non_null(client);
	return client;
}

static int open_rig(void **state)
{
	static struct rig rig;

	rig = (struct rig){.broker = client_new(RD_KAFKA_PRODUCER, "127.0.0.1:1")};
	rig.mock = rd_kafka_mock_cluster_new(rig.broker, 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(rd_kafka_mock_topic_create(rig.mock, TOPICS[i], 12, 1), 0);
	}
	rig.consumer = client_new(RD_KAFKA_CONSUMER, rd_kafka_mock_cluster_bootstraps(rig.mock));
	*state = &rig;
	return 0;
}

static int close_rig(void **state)
{
	struct rig *rig = *state;

	cluster_close(&rig->cluster);
	rd_kafka_destroy(rig->consumer);
	rd_kafka_mock_cluster_destroy(rig->mock);
	rd_kafka_destroy(rig->broker);
	return 0;
}

static void topics_that_are_there_are_counted(void **state)
{
	struct rig *rig = *state;

	assert_true(cluster_look_up(&rig->cluster, rig->consumer, TOPICS));
	assert_int_equal(rig->cluster.partition_counts[0], 12);
	assert_int_equal(rig->cluster.partition_counts[1], 12);
	assert_string_equal(rig->cluster.committed, "[]");
}

static void a_topic_that_is_not_there_has_no_partitions(void **state)
{
	struct rig *rig = *state;

	rd_kafka_mock_topic_set_error(rig->mock, TOPICS[1],
				      RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
	assert_true(cluster_look_up(&rig->cluster, rig->consumer, TOPICS));
	assert_int_equal(rig->cluster.partition_counts[0], 12);
	assert_int_equal(rig->cluster.partition_counts[1], 0);
}

/* Or a database that was set back would pass for one that lost nothing. */
static void a_topic_of_which_kafka_says_nothing_is_not_taken_for_none(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < 2; i++) {
		rd_kafka_mock_topic_set_error(rig->mock, TOPICS[i],
					      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
		assert_false(cluster_look_up(&rig->cluster, rig->consumer, TOPICS));
		rd_kafka_mock_topic_set_error(rig->mock, TOPICS[i], RD_KAFKA_RESP_ERR_NO_ERROR);
	}
	assert_true(cluster_look_up(&rig->cluster, rig->consumer, TOPICS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(topics_that_are_there_are_counted, open_rig, close_rig),
	    cmocka_unit_test_setup_teardown(a_topic_that_is_not_there_has_no_partitions, open_rig,
					    close_rig),
	    cmocka_unit_test_setup_teardown(
		a_topic_of_which_kafka_says_nothing_is_not_taken_for_none, open_rig, close_rig),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
