/* test_kafka.c - partitions as Java computes them, settings, and queues that wake the loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/kafka.h"
#include "common/log.h"

static char path[] = "/tmp/calrelay-test-kafka-XXXXXX";

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
}

/* The hashes stand in Kafka's own UtilsTest (clients/src/test, testMurmur2). */
static void a_user_s_partition_is_the_one_java_clients_compute(void **state)
{
	static const struct {
		const char *key;
		int32_t murmur2;
	} CASES[] = {
	    {"21", -973932308},
	    {"foobar", -790332482},
	    {"a-little-bit-long-string", -985981536},
	    {"a-little-bit-longer-string", -1486304829},
	    {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
	    {"abc", 479470107},
	};
	static const int32_t PARTITIONS[] = {1, 2, 12, 100, INT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		for (size_t j = 0; j < sizeof PARTITIONS / sizeof *PARTITIONS; j++) {
			assert_int_equal(kafka_user_partition(CASES[i].key, PARTITIONS[j]),
					 (CASES[i].murmur2 & 0x7fffffff) % PARTITIONS[j]);
		}
	}
}

static void assert_setting(rd_kafka_conf_t *conf, const char *name, const char *wanted)
{
	char value[256] = "";
	size_t size = sizeof value;

	assert_int_equal(rd_kafka_conf_get(conf, name, value, &size), RD_KAFKA_CONF_OK);
	assert_string_equal(value, wanted);
}

static void without_a_file_the_servers_and_the_client_are_set(void **state)
{
	struct fault fault;
	rd_kafka_conf_t *conf = kafka_conf_new("127.0.0.1:1", NULL, "unit-test", &fault);

	(void)state;
	assert_non_null(conf);
	assert_setting(conf, "bootstrap.servers", "127.0.0.1:1");
	assert_setting(conf, "client.id", "unit-test");
	rd_kafka_conf_destroy(conf);
}

static void a_file_is_passed_through_and_what_we_set_later_wins(void **state)
{
	struct fault fault;
	rd_kafka_conf_t *conf;

	(void)state;
	write_file("# a comment\n\n  sasl.username = u = v  \r\nclient.id=theirs\nacks=1");
	conf = kafka_conf_new("127.0.0.1:1", path, "unit-test", &fault);
	assert_non_null(conf);
	assert_setting(conf, "sasl.username", "u = v");
	assert_setting(conf, "client.id", "theirs");
	assert_setting(conf, "acks", "1");
	assert_true(kafka_conf_set(conf, "acks", "all", &fault));
	assert_setting(conf, "acks", "-1");
	rd_kafka_conf_destroy(conf);
}

static void what_is_set_before_the_file_is_a_default_that_the_file_may_change(void **state)
{
	struct fault fault;
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	(void)state;
	write_file("compression.type=none\n");
	assert_true(kafka_conf_set(conf, "compression.type", "lz4", &fault));
	assert_true(kafka_conf_set(conf, "linger.ms", "7", &fault));
	assert_true(kafka_conf_fill(conf, "127.0.0.1:1", path, "unit-test", &fault));
	assert_setting(conf, "compression.codec", "none");
	assert_setting(conf, "linger.ms", "7");
	assert_setting(conf, "client.id", "unit-test");
	rd_kafka_conf_destroy(conf);
	unlink(path);
}

static void assert_refused(const char *text, const char *named)
{
	struct fault fault = {0};

	write_file(text);
	assert_null(kafka_conf_new("127.0.0.1:1", path, "unit-test", &fault));
	assert_int_equal(fault.kind, FAULT_FATAL);
	assert_non_null(strstr(fault.what, "KAFKA_CONFIG_FILE"));
	assert_non_null(strstr(fault.what, path));
	if (strstr(fault.what, named) == NULL) {
		fail_msg("'%s' does not name '%s'", fault.what, named);
	}
}

static void a_line_that_is_wrong_is_named(void **state)
{
	char *text = malloc(6000);

	(void)state;
	assert_refused("acks=1\nnonsense\n", "line 2");
	assert_refused("no.such.setting=1\n", "line 1");
	assert_refused("\n\nacks=many\n", "line 3");
	memset(text, 'x', 5999);
	memcpy(text, "ssl.ca.pem=", 11);
	text[5999] = '\0';
	assert_refused(text, "line 1");
	free(text);
}

/* bad input 55 */
static void a_file_that_others_can_read_may_hold_no_password(void **state)
{
	static const char *const SECRETS[] = {
	    "sasl.password=s3cret", "ssl.key.password = s3cret", "ssl.keystore.password=s3cret",
	    "sasl.oauthbearer.client.secret=s3cret", "ssl.key.pem=s3cret"};
	struct fault fault;
	rd_kafka_conf_t *conf;

	(void)state;
	for (size_t i = 0; i < sizeof SECRETS / sizeof *SECRETS; i++) {
		write_file(SECRETS[i]);
		assert_int_equal(chmod(path, 0644), 0);
		assert_null(kafka_conf_new("127.0.0.1:1", path, "unit-test", &fault));
		assert_int_equal(fault.kind, FAULT_FATAL);
		assert_non_null(strstr(fault.what, "others can read"));
		assert_null(strstr(fault.what, "s3cret"));
	}
	write_file("sasl.username=u\nssl.ca.location=/etc/ssl/certs\n");
	assert_int_equal(chmod(path, 0644), 0);
	conf = kafka_conf_new("127.0.0.1:1", path, "unit-test", &fault);
	assert_non_null(conf);
	rd_kafka_conf_destroy(conf);
	write_file("sasl.password=s3cret\n");
	assert_int_equal(chmod(path, 0640), 0);
	conf = kafka_conf_new("127.0.0.1:1", path, "unit-test", &fault);
	assert_non_null(conf);
	rd_kafka_conf_destroy(conf);
}

static void a_file_that_can_not_be_read_is_refused(void **state)
{
	struct fault fault = {0};

	(void)state;
	assert_null(kafka_conf_new("127.0.0.1:1", "/nonexistent/kafka", "unit-test", &fault));
	assert_int_equal(fault.kind, FAULT_FATAL);
	assert_non_null(strstr(fault.what, "/nonexistent/kafka"));
	assert_null(kafka_conf_new("127.0.0.1:1", "/", "unit-test", &fault)); /* a folder */
	assert_int_equal(fault.kind, FAULT_FATAL);
}

static void a_setting_that_is_wrong_is_named(void **state)
{
	struct fault fault = {0};
	rd_kafka_conf_t *conf = kafka_conf_new("127.0.0.1:1", NULL, "unit-test", &fault);

	(void)state;
	assert_false(kafka_conf_set(conf, "acks", "many", &fault));
	assert_int_equal(fault.kind, FAULT_FATAL);
	assert_non_null(strstr(fault.what, "acks"));
	rd_kafka_conf_destroy(conf);
}

/* ---- a queue on the loop, fed by a client that finds no broker ---- */

struct rig {
	struct loop loop;
	rd_kafka_t *client;
	struct kafka_queue queue;
	int calls;
	int events;
	int reports;
	bool drains;
	bool closes;
	bool closed;
};

static void on_queue_closed(struct kafka_queue *queue)
{
	struct rig *rig = container_of(queue, struct rig, queue);

	assert_false(rig->closed);
	rig->closed = true;
	memset(queue, 0xAA, sizeof *queue); /* the memory is ours again */
	loop_stop(&rig->loop);
}

static void on_ready(struct kafka_queue *queue)
{
	struct rig *rig = container_of(queue, struct rig, queue);
	rd_kafka_event_t *event;

	assert_false(rig->closed);
	rig->calls++;
	if (rig->closes) {
		kafka_queue_again(queue);
		kafka_queue_close(queue, on_queue_closed);
		return;
	}
	while ((event = rd_kafka_queue_poll(queue->queue, 0)) != NULL) {
		rig->events++;
		rig->reports += rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR;
		rd_kafka_event_destroy(event);
		if (!rig->drains) {
			kafka_queue_again(queue);
			return;
		}
	}
	if (rig->reports > 0) {
		loop_stop(&rig->loop);
	}
}

static int rig_begin(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);
	struct fault fault;
	rd_kafka_conf_t *conf = kafka_conf_new("127.0.0.1:1", NULL, "unit-test", &fault);
	char why[200];

	log_init("unit-test", LOG_LEVELS);
	assert_true(kafka_conf_set(conf, "message.timeout.ms", "200", &fault));
	rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
	rig->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
	loop_init(&rig->loop);
	kafka_queue_init(&rig->queue, &rig->loop, rd_kafka_queue_get_main(rig->client), on_ready);
	*state = rig;
	return rig->client != NULL ? 0 : -1;
}

static int rig_end(void **state)
{
	struct rig *rig = *state;

	if (!rig->closed) {
		kafka_queue_close(&rig->queue, on_queue_closed);
	}
	loop_close(&rig->loop);
	assert_true(rig->closed);
	rd_kafka_destroy(rig->client);
	free(rig);
	return 0;
}

static void rig_produce(struct rig *rig)
{
	assert_int_equal(rd_kafka_producev(rig->client, RD_KAFKA_V_TOPIC("t"),
					   RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_END),
			 RD_KAFKA_RESP_ERR_NO_ERROR);
}

static void events_wake_the_loop(void **state)
{
	struct rig *rig = *state;

	rig->drains = true;
	rig_produce(rig);
	loop_run(&rig->loop);
	assert_int_equal(rig->reports, 1);
	rig->reports = 0;
	rig_produce(rig); /* and once more, after the queue was empty */
	loop_run(&rig->loop);
	assert_int_equal(rig->reports, 1);
}

static void who_does_not_drain_is_called_again_when_asked(void **state)
{
	struct rig *rig = *state;

	rig_produce(rig);
	rig_produce(rig);
	loop_run(&rig->loop);
	assert_in_range(rig->calls, rig->events, 1000);
	assert_true(rig->reports > 0);
}

static void ready_may_close_the_queue_while_a_call_waits(void **state)
{
	struct rig *rig = *state;

	rig->closes = true;
	rig_produce(rig);
	loop_run(&rig->loop);
	assert_true(rig->closed);
	assert_int_equal(rig->calls, 1);
}

static void a_queue_may_be_closed_before_the_loop_ever_ran(void **state)
{
	struct rig *rig = *state;

	kafka_queue_close(&rig->queue, on_queue_closed);
	loop_run(&rig->loop);
	assert_true(rig->closed);
	assert_int_equal(rig->calls, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_begin, rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_user_s_partition_is_the_one_java_clients_compute),
	    cmocka_unit_test(without_a_file_the_servers_and_the_client_are_set),
	    cmocka_unit_test(a_file_is_passed_through_and_what_we_set_later_wins),
	    cmocka_unit_test(what_is_set_before_the_file_is_a_default_that_the_file_may_change),
	    cmocka_unit_test(a_line_that_is_wrong_is_named),
	    cmocka_unit_test(a_file_that_others_can_read_may_hold_no_password),
	    cmocka_unit_test(a_file_that_can_not_be_read_is_refused),
	    cmocka_unit_test(a_setting_that_is_wrong_is_named),
	    TEST(events_wake_the_loop),
	    TEST(who_does_not_drain_is_called_again_when_asked),
	    TEST(ready_may_close_the_queue_while_a_call_waits),
	    TEST(a_queue_may_be_closed_before_the_loop_ever_ran),
	};
	int failed;

	close(mkstemp(path));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
