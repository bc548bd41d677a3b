/* main.c - calrelay-producer: options, wiring, signals, nothing else. */
#include <stddef.h>
#include <stdio.h>

#include "common/finding.h"
#include "common/kafka.h"
#include "common/log.h"
#include "common/ops.h"
#include "common/program.h"
#include "producer/check.h"
#include "producer/gauges.h"
#include "producer/pooler.h"
#include "producer/relay.h"
#include "producer/resnapshot.h"

static struct settings settings;

/* clang-format off */
static const struct config_option OPTIONS[] = {
	{.name = "DATABASE_URL", .type = CONFIG_TEXT, .required = true, .has_file_variant = true,
	 .offset = offsetof(struct settings, database_url),
	 .help = "PostgreSQL as a libpq URI, a direct connection; its role needs REPLICATION"},
	{.name = "KAFKA_BOOTSTRAP_SERVERS", .type = CONFIG_TEXT, .required = true,
	 .offset = offsetof(struct settings, kafka_bootstrap), .help = "brokers, host:port, ..."},
	{.name = "KAFKA_CONFIG_FILE", .type = CONFIG_TEXT,
	 .offset = offsetof(struct settings, kafka_config_file),
	 .help = "librdkafka properties, name=value per line (SASL, TLS, compression, ...)"},
	{.name = "CALRELAY_TOPIC_PREFIX", .type = CONFIG_TEXT, .fallback = "amidash",
	 .allowed = CONFIG_KAFKA, .offset = offsetof(struct settings, prefix), .help = "first part of the topics' names"},
	{.name = "CALRELAY_PARTITIONS", .type = CONFIG_INTEGER, .fallback = "12", .least = 1,
	 .most = TAILS_PARTITIONS_MAX, .offset = offsetof(struct settings, partitions),
	 .help = "partitions of each event topic; an existing topic must have as many"},
	{.name = "CALRELAY_REPLICATION_FACTOR", .type = CONFIG_INTEGER, .fallback = "-1", .least = -1,
	 .most = 32767, .offset = offsetof(struct settings, replication_factor),
	 .help = "of a topic that is created; -1: the broker's default"},
	{.name = "CALRELAY_SLOT", .type = CONFIG_TEXT, .fallback = "calrelay",
	 .allowed = CONFIG_LOWER, .offset = offsetof(struct settings, slot), .help = "replication slot"},
	{.name = "CALRELAY_PUBLICATION", .type = CONFIG_TEXT, .fallback = "calrelay",
	 .offset = offsetof(struct settings, publication),
	 .help = "publication of the host's tables"},
	{.name = "CALRELAY_MAPPING_FILE", .type = CONFIG_TEXT,
	 .offset = offsetof(struct settings, mapping_file),
	 .help = "the host's table and column names; default: AmiDash's"},
	{.name = "CALRELAY_TRANSACTION_METADATA", .type = CONFIG_BOOLEAN, .fallback = "false",
	 .offset = offsetof(struct settings, transaction_metadata),
	 .help = "as Debezium's provide.transaction.metadata: values tell their place in the transaction"},
	{.name = "CALRELAY_SCHEMAS_ENABLE", .type = CONFIG_BOOLEAN, .fallback = "false",
	 .offset = offsetof(struct settings, schemas_enable),
	 .help = "as JsonConverter's schemas.enable: keys and values are {\"schema\":...,\"payload\":...}"},
	{.name = "CALRELAY_HTTP_LISTEN", .type = CONFIG_LISTEN, .fallback = "127.0.0.1:9401",
	 .offset = offsetof(struct settings, http_listen),
	 .help = "address:port of /livez, /readyz and /metrics"},
};
/* clang-format on */

struct application {
	struct ops ops; /* first: the probes find it by this address */
	struct loop loop;
	struct relay relay;
	struct gauges gauges;
};

static struct application app;

static bool is_ready(struct ops *ops, char reason[128])
{
	(void)ops;
	return relay_is_ready(&app.relay, reason);
}

static void refresh(struct ops *ops)
{
	(void)ops;
	gauges_refresh(&app.gauges);
}

static void on_stop(struct loop *loop)
{
	(void)loop;
	relay_stop(&app.relay);
}

/* What config.h's table can't judge: the two files that settings name, and where the database is.
 */
static bool load_files(struct fault *fault)
{
	rd_kafka_conf_t *conf;

	if (!hostmap_load(&settings.map, settings.mapping_file, fault)) {
		return false;
	}
	if (pooler_guess(settings.database_url) == POOLER_CERTAIN) {
		return fault_input(fault, "%s", POOLER_FINDING);
	}
	conf = kafka_conf_new(settings.kafka_bootstrap, settings.kafka_config_file,
			      "calrelay-producer", fault);
	if (conf != NULL) {
		rd_kafka_conf_destroy(conf);
	}
	return conf != NULL;
}

static int run(void)
{
	struct fault fault;
	struct httpd *httpd;

	if (!load_files(&fault)) {
		fprintf(stderr, "calrelay-producer: %s\n", fault.what);
		return PROGRAM_EXIT_CONFIG;
	}
	app.ops = (struct ops){.metrics = metrics_new(), .is_ready = is_ready, .refresh = refresh};
	loop_init(&app.loop);
	httpd = ops_serve(&app.loop, settings.http_listen, &app.ops, &fault);
	if (httpd == NULL) {
		fprintf(stderr, "calrelay-producer: %s\n", fault.what);
		loop_close(&app.loop);
		metrics_free(app.ops.metrics);
		return PROGRAM_EXIT_CONFIG;
	}
	if (pooler_guess(settings.database_url) == POOLER_LIKELY) {
		log_warn("the port is a pooler's", LOG_TEXT("finding", POOLER_FINDING));
	}
	relay_init(&app.relay, &app.loop, &settings);
	gauges_init(&app.gauges, &app.relay, app.ops.metrics);
	loop_watch_signals(&app.loop, on_stop);
	relay_start(&app.relay);
	loop_run(&app.loop);
	relay_close(&app.relay);
	gauges_close(&app.gauges);
	httpd_free(httpd);
	loop_close(&app.loop);
	metrics_free(app.ops.metrics);
	log_info("stopped", LOG_NUMBER("status", app.relay.status));
	return app.relay.status;
}

static int check(void)
{
	struct findings findings = {0};
	struct fault fault;

	if (!load_files(&fault)) {
		finding_say(&findings, false, "%s", fault.what);
		return 1;
	}
	return check_run(&settings);
}

static int resnapshot(int argc, char **argv)
{
	return resnapshot_run(&settings, argc, argv);
}

static const struct program_command COMMANDS[] = {
    {.name = "resnapshot",
     .arguments = "[--user UUID | --project UUID]",
     .help = "has the running producer read these assignments, or all, and publish them again",
     .run = resnapshot},
};

int main(int argc, char **argv)
{
	const struct program program = {
	    .name = "calrelay-producer",
	    .summary = "publishes the changes of assignments from PostgreSQL's log to Kafka",
	    .options = OPTIONS,
	    .option_count = sizeof OPTIONS / sizeof *OPTIONS,
	    .config = &settings,
	    .run = run,
	    .check = check,
	    .commands = COMMANDS,
	    .command_count = sizeof COMMANDS / sizeof *COMMANDS,
	};

	return program_main(&program, argc, argv);
}
