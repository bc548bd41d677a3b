/* main.c - the worker's options, its wiring, its end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/program.h"
#include "worker/arm.h"
#include "worker/chain.h"
#include "worker/check.h"
#include "worker/lag.h"
#include "worker/letters.h"
#include "worker/verify.h"
#include "worker/word.h"
#include "worker/worker.h"

#define WORKER_CONNECTIONS 4
#define WORKER_WAKE_MS	   50
#define WORKER_LINGER_MS   20

static struct worker worker;

/* NOLINTBEGIN(bugprone-macro-parentheses): these are designators */
#define OPTION(name_, type_, member_)                                                              \
	.name = name_, .type = type_, .offset = offsetof(struct worker_config, member_)
/* NOLINTEND(bugprone-macro-parentheses) */

/* clang-format off */
static const struct config_option OPTIONS[] = {
    {OPTION("DATABASE_URL", CONFIG_TEXT, database_url), .required = true, .has_file_variant = true,
     .help = "libpq URI of a login that has the role calrelay_worker"},
    {OPTION("KAFKA_BOOTSTRAP_SERVERS", CONFIG_TEXT, kafka_bootstrap), .required = true,
     .help = "host:port,... of Kafka"},
    {OPTION("KAFKA_CONFIG_FILE", CONFIG_TEXT, kafka_config_file),
     .help = "librdkafka properties, name=value lines, passed through"},
    {OPTION("CALRELAY_TOPIC_PREFIX", CONFIG_TEXT, topic_prefix), .allowed = CONFIG_KAFKA,
        .fallback = "amidash",
     .help = "first part of every topic's name"},
    {OPTION("CALRELAY_REPLICATION_FACTOR", CONFIG_INTEGER, replication_factor), .fallback = "-1",
     .least = -1, .most = 32767,
     .help = "of the dead-letter topic, if it is created; -1: the broker's default"},
    {OPTION("CALRELAY_GROUP", CONFIG_TEXT, group), .fallback = "calrelay",
     .help = "consumer group; its offsets are what a replay resets"},
    {OPTION("CALRELAY_MAPPING_FILE", CONFIG_TEXT, mapping_file),
     .help = "host's table names and statuses' looks; unset: AmiDash's, as shipped"},
    {OPTION("CALRELAY_TOKEN_KEYS", CONFIG_TEXT, token_keys), .required = true,
     .has_file_variant = true,
     .help = "id:base64 of 32 bytes per line; the first seals tokens, all open them"},
    {OPTION("CALRELAY_HTTP_LISTEN", CONFIG_LISTEN, http_listen), .fallback = "127.0.0.1:9402",
     .help = "address:port of /livez, /readyz and /metrics"},
    {OPTION("CALRELAY_TIME_ZONE", CONFIG_TEXT, time_zone), .fallback = "UTC",
     .help = "of events, where the mailbox's own is unknown"},
    {OPTION("CALRELAY_MAX_IN_FLIGHT", CONFIG_INTEGER, max_in_flight), .fallback = "256", .least = 1,
     .most = 10000, .help = "users served at once"},
    {OPTION("CALRELAY_QUARANTINE_SECONDS", CONFIG_INTEGER, quarantine_s), .fallback = "300",
     .least = 35, .most = 86400, .help = "how long a lost request may still land"},
    {OPTION("CALRELAY_DELETED_EVENTS", CONFIG_TEXT, deleted_events), .fallback = "restore",
     .help = "an event its person deleted: restore (with the next change or sync) or respect"},
    {OPTION("CALRELAY_EXTENDED_PROPERTY", CONFIG_TEXT, extended_property),
     .fallback = "String {0b7c4c8e-5a3f-4a52-9f0e-6d1f6f2a7c11} Name AmiDashAssignment",
     .help = "the property that marks our events"},
    {OPTION("MICROSOFT_CLIENT_ID", CONFIG_TEXT, client_id), .required = true,
     .help = "application (client) id of the app registration"},
    {OPTION("MICROSOFT_CLIENT_SECRET", CONFIG_TEXT, client_secret),
     .has_file_variant = true,
     .help = "client secret of the app registration; instead of it MICROSOFT_CLIENT_CERTIFICATE "
	     "or MICROSOFT_FEDERATED_TOKEN_FILE"},
    {OPTION("MICROSOFT_CLIENT_CERTIFICATE", CONFIG_TEXT, client_certificate),
     .has_file_variant = true,
     .help = "private RSA key and certificate, PEM, registered in place of a secret"},
    {OPTION("MICROSOFT_FEDERATED_TOKEN_FILE", CONFIG_TEXT, federated_token_file),
     .help = "path of a Kubernetes service account token for a federated credential, in place of "
	     "a secret; read for each request"},
    {OPTION("MICROSOFT_REDIRECT_URI", CONFIG_URL, redirect_uri), .required = true,
     .help = "redirect URI of the app registration"},
    {OPTION("MICROSOFT_TENANT_ID", CONFIG_TEXT, tenant), .fallback = "common",
     .help = "as connect has it: common, organizations, consumers, or a tenant"},
    {OPTION("MICROSOFT_LOGIN_URL", CONFIG_URL, login_url),
     .fallback = OAUTH_MICROSOFT, .help = "origin of the identity platform"},
    {OPTION("MICROSOFT_GRAPH_URL", CONFIG_URL, graph_url),
     .fallback = "https://graph.microsoft.com", .help = "origin of Microsoft Graph"},
};
/* clang-format on */
#define OPTION_COUNT (sizeof OPTIONS / sizeof *OPTIONS)

/* ---- dispatch ---- */

static bool part_is_served(const struct part *part)
{
	return part->state == PART_READING || part->state == PART_REPLAYING;
}

void worker_dispatch(struct worker *w)
{
	struct lane *lane;

	while (w->in_flight < w->config.max_in_flight && w->intake.state == INTAKE_RUNNING &&
	       (lane = lanes_next_ready(&w->lanes)) != NULL) {
		bool folds = lane->part->state == PART_REPLAYING && !lane->wants_replay;

		if (lane->run == NULL && part_is_served(lane->part) &&
		    !(folds && lane->items != NULL)) {
			run_start(w, lane);
		} /* read_start makes the others ready again */
	}
	if (w->verify != NULL && w->in_flight == 0) {
		verify_is_over(w->verify);
	}
}

static void on_lingered(uv_timer_t *timer)
{
	worker_dispatch(container_of(timer, struct worker, linger));
}

void worker_dispatch_soon(struct worker *w)
{
	if (!uv_is_active((uv_handle_t *)&w->linger)) {
		uv_timer_start(&w->linger, on_lingered, WORKER_LINGER_MS, 0);
	}
}

void worker_wake(struct worker *w)
{
	runs_wake(w, clock_mono_ms());
}

static void on_wake(uv_timer_t *timer)
{
	(void)timer;
	worker_wake(&worker);
}

/* ---- probes ---- */

static bool is_live(struct ops *ops, char reason[128])
{
	int stalled = watch_stalled(&worker.intake);

	(void)ops;
	snprintf(reason, 128, "%d partitions are stalled", stalled);
	return stalled == 0;
}

static bool is_ready(struct ops *ops, char reason[128])
{
	(void)ops;
	if (!pg_is_up(worker.pg)) {
		snprintf(reason, 128, "PostgreSQL is not reachable");
		return false;
	}
	if (worker.intake.guard.is_held) {
		snprintf(reason, 128, "%s", worker.intake.guard.reason);
		return false;
	}
	snprintf(reason, 128, "the group has not assigned partitions yet");
	/* with more workers than partitions some have none: they stand by, ready */
	return worker.intake.state == INTAKE_RUNNING &&
	       (worker.intake.has_lease || worker.intake.part_count == 0);
}

static void refresh_in_flight(void)
{
	int64_t now_ms = clock_mono_ms();
	int64_t oldest_ms = now_ms;

	for (const struct run *run = worker.alive; run != NULL; run = run->next_alive) {
		oldest_ms = run->started_ms < oldest_ms ? run->started_ms : oldest_ms;
	}
	metric_set(worker.stats.in_flight_users, NULL, (double)worker.in_flight);
	metric_set(worker.stats.oldest_in_flight, NULL, (double)(now_ms - oldest_ms) / 1000.0);
}

static void refresh(struct ops *ops)
{
	int64_t now_ms = clock_wall_ms();
	int64_t late_ms;

	(void)ops;
	refresh_in_flight();
	metric_set(worker.stats.breaker_open, (const char *const[]){"graph"}, worker.graph.is_open);
	metric_set(worker.stats.breaker_open, (const char *const[]){"login"}, worker.login.is_open);
	metric_set(worker.stats.stalled_partitions, NULL, watch_stalled(&worker.intake));
	metric_set(worker.stats.disarmed, NULL, worker.intake.guard.is_held);
	late_ms = lag_earlier(watch_refresh_stats(&worker.intake, now_ms), due_late(&worker.due));
	metric_set(worker.stats.oldest_unsynced, NULL, lag_seconds(late_ms, now_ms));
}

/* ---- start and end ---- */

static void on_connected(void *context)
{
	(void)context;
	guard_doubt(&worker.intake);
}

static void on_stop(struct loop *loop)
{
	(void)loop;
	log_info("stopping: draining what is under way");
	worker.is_stopping = true;
	intake_stop(&worker.intake);
}

void worker_closed(struct worker *w)
{
	loop_stop(&w->loop);
}

/* `String {guid} Name x`: it goes into OData filters, where a quote would end the text. */
static bool property_is_well_formed(const char *property, struct fault *fault)
{
	static const char start[] = "String {";
	static const char middle[] = "} Name ";
	const char *guid = property + strlen(start);
	char text[UUID_TEXT_SIZE];
	struct uuid uuid;

	if (strncmp(property, start, strlen(start)) == 0) {
		snprintf(text, sizeof text, "%s", guid);
		if (uuid_parse(text, &uuid) &&
		    strncmp(guid + strlen(text), middle, strlen(middle)) == 0 &&
		    guid[strlen(text) + strlen(middle)] != '\0' && strchr(guid, '\'') == NULL) {
			return true;
		}
	}
	return fault_fatal(fault,
			   "CALRELAY_EXTENDED_PROPERTY is no single-value extended property: write "
			   "it as String {guid} Name AmiDashAssignment");
}

static bool take_policy(struct fault *fault)
{
	const char *policy = worker.config.deleted_events;

	worker.respects_deletion = strcmp(policy, "respect") == 0;
	return worker.respects_deletion || strcmp(policy, "restore") == 0 ||
	       fault_fatal(fault, "CALRELAY_DELETED_EVENTS is neither restore nor respect");
}

/* Everything but Kafka and the probes. */
static bool worker_open_core(struct fault *fault)
{
	const struct worker_config *config = &worker.config;
	const struct client_auth_settings settings = {
	    config->client_secret, config->client_certificate, config->federated_token_file};

	worker.keys = seal_keys_new(config->token_keys, fault);
	if (worker.keys == NULL || !hostmap_load(&worker.map, config->mapping_file, fault) ||
	    !property_is_well_formed(config->extended_property, fault) || !take_policy(fault)) {
		return false;
	}
	if (!client_auth_open(&worker.auth, &settings, fault)) {
		return false;
	}
	worker.oauth = (struct oauth_client){.login_url = config->login_url,
					     .tenant = config->tenant,
					     .client_id = config->client_id,
					     .redirect_uri = config->redirect_uri};
	stats_init(&worker.stats);
	lanes_init(&worker.lanes);
	loop_init(&worker.loop);
	worker.pg =
	    pg_new(&worker.loop, config->database_url, "calrelay-worker", WORKER_CONNECTIONS);
	worker.http = http_new(&worker.loop, "calrelay");
	uv_timer_init(&worker.loop.uv, &worker.linger);
	uv_timer_init(&worker.loop.uv, &worker.wake);
	uv_timer_start(&worker.wake, on_wake, WORKER_WAKE_MS, WORKER_WAKE_MS);
	return store_init(&worker.store, &worker) || fault_fatal(fault, "out of memory");
}

static bool worker_open(struct fault *fault)
{
	if (!worker_open_core(fault)) {
		return false;
	}
	worker.ops = (struct ops){.metrics = worker.stats.metrics,
				  .is_live = is_live,
				  .is_ready = is_ready,
				  .refresh = refresh};
	due_init(&worker.due, &worker);
	pg_tell(worker.pg, on_connected, NULL);
	loop_watch_signals(&worker.loop, on_stop);
	worker.httpd = ops_serve(&worker.loop, worker.config.http_listen, &worker.ops, fault);
	return worker.httpd != NULL && bury_open(&worker.bury, &worker, fault) &&
	       intake_open(&worker.intake, &worker, fault);
}

static void worker_close_core(void)
{
	lanes_drop(&worker.lanes, NULL);
	json_arena_close(&worker.json);
	loop_close(&worker.loop);
	store_close(&worker.store);
	stats_close(&worker.stats);
	seal_keys_free(worker.keys);
	client_auth_close(&worker.auth);
}

/* What has handles in the loop, before it is closed. */
static void worker_disconnect(void)
{
	uv_close((uv_handle_t *)&worker.wake, NULL);
	uv_close((uv_handle_t *)&worker.linger, NULL);
	http_free(worker.http);
	pg_free(worker.pg);
}

static void worker_close(void)
{
	worker_disconnect();
	bury_close(&worker.bury);
	httpd_free(worker.httpd);
	worker_close_core();
	free(worker.intake.topics[0]);
	free(worker.intake.topics[1]);
}

static int run(void)
{
	struct client_auth_finding finding;
	struct fault fault = {0};

	if (!worker_open(&fault)) {
		fprintf(stderr, "calrelay-worker: %s\n", fault.what);
		return PROGRAM_EXIT_CONFIG;
	}
	client_auth_inspect(&worker.auth, clock_wall_ms() / 1000, &finding);
	if (finding.state != CLIENT_AUTH_GOOD) {
		log_warn("Microsoft may refuse this application", LOG_TEXT("why", finding.text));
	}
	log_info("started", LOG_TEXT("group", worker.config.group),
		 LOG_TEXT("topic", worker.intake.topics[0]));
	loop_run(&worker.loop);
	worker_close();
	log_info("stopped");
	return worker.status;
}

/* Comparing calls Microsoft, and may refresh tokens, which a copy must not. */
static bool is_armed(struct fault *fault)
{
	char reason[ARMED_REASON_SIZE];
	struct armed_view view;

	return arm_look(&worker.config, &view, fault) &&
	       (view.hidden[0] == '\0' ||
		fault_fatal(fault, GUARD_HIDDEN_FINDING, view.hidden, view.hidden)) &&
	       (armed_decide(&view, reason) != ARMED_HELD ||
		fault_fatal(fault, "calendars are held: %s: see calrelay-worker arm", reason));
}

static int verify(int argc, char **argv)
{
	struct fault fault = {0};
	int status;

	if (!is_armed(&fault) || !worker_open_core(&fault)) {
		fprintf(stderr, "calrelay-worker: %s\n", fault.what);
		return PROGRAM_EXIT_CONFIG;
	}
	status = verify_run(&worker, argc, argv);
	worker_disconnect();
	worker_close_core();
	return status;
}

static int check(void)
{
	return check_all(&worker.config);
}

static int dead_letters(int argc, char **argv)
{
	return letters_run(&worker.config, argc, argv);
}

static int arm(int argc, char **argv)
{
	return arm_run(&worker.config, argc, argv);
}

static int remove_orphans(int argc, char **argv)
{
	return word_run(&worker.config, argc, argv);
}

static const struct program_command COMMANDS[] = {
    {.name = "verify",
     .arguments = "[--user ID]",
     .help = "compares calendars with the plan, prints what differs, and changes nothing",
     .run = verify},
    {.name = "remove-orphans",
     .arguments = "--user ID",
     .help =
	 "the word the mass-delete brake waits for: events of no assignment may go, all of them",
     .run = remove_orphans},
    {.name = "dead-letters",
     .arguments = "list | replay (--all | --partition N --offset M)",
     .help = "prints the dead letters, or has the calendars they are about compared with the plan",
     .run = dead_letters},
    {.name = "arm",
     .arguments = "",
     .help = "this database keeps the real calendars, here: to be said of one that was restored",
     .run = arm},
};

int main(int argc, char **argv)
{
	struct program program = {.name = "calrelay-worker",
				  .summary = "brings assignments into Outlook calendars",
				  .options = OPTIONS,
				  .option_count = OPTION_COUNT,
				  .config = &worker.config,
				  .run = run,
				  .check = check,
				  .commands = COMMANDS,
				  .command_count = sizeof COMMANDS / sizeof *COMMANDS};

	return program_main(&program, argc, argv);
}
