/* main.c - calrelay-fake: options, wiring, signals, nothing else. */
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/program.h"
#include "tests/fake/calendars.h"
#include "tests/fake/call.h"
#include "tests/fake/control.h"
#include "tests/fake/delivery.h"
#include "tests/fake/entra.h"
#include "tests/fake/graph.h"
#include "tests/fake/server.h"

static struct {
	char *listen;
	char *client_id;
	char *client_secret;
	char *client_certificate;
	char *federated_key;
	char *federated_issuer;
	char *federated_subjects;
	char *redirect_uris;
	char *tenant_id;
	char *accounts;
	char *property;
} config;

#define AT(member) offsetof(__typeof__(config), member)

/* clang-format off */
static const struct config_option OPTIONS[] = {
	{.name = "CALRELAY_HTTP_LISTEN", .type = CONFIG_LISTEN, .fallback = "127.0.0.1:9400",
		.offset = AT(listen),
		.help = "address:port that everything is served on"},
	{.name = "FAKE_CLIENT_ID", .type = CONFIG_TEXT, .fallback = "calrelay-client",
		.offset = AT(client_id),
		.help = "the registered application"},
	{.name = "FAKE_CLIENT_SECRET", .type = CONFIG_TEXT, .fallback = "calrelay-secret",
		.offset = AT(client_secret),
		.help = "its secret"},
	{.name = "FAKE_CLIENT_CERTIFICATE", .type = CONFIG_TEXT, .has_file_variant = true,
		.offset = AT(client_certificate),
		.help = "a certificate registered for it, PEM"},
	{.name = "FAKE_FEDERATED_KEY", .type = CONFIG_TEXT, .has_file_variant = true,
		.offset = AT(federated_key),
		.help = "public key of an issuer whose tokens stand for it, PEM"},
	{.name = "FAKE_FEDERATED_ISSUER", .type = CONFIG_TEXT, .fallback = "https://kubernetes.example",
		.offset = AT(federated_issuer),
		.help = "that issuer's name"},
	{.name = "FAKE_FEDERATED_SUBJECT", .type = CONFIG_TEXT,
		.fallback = "system:serviceaccount:calrelay:calrelay-worker,"
		"system:serviceaccount:calrelay:calrelay-connect",
		.offset = AT(federated_subjects),
		.help = "whom it has to name, joined by commas"},
	{.name = "FAKE_REDIRECT_URI", .type = CONFIG_TEXT,
		.fallback = "http://127.0.0.1:8080/api/auth/microsoft/callback",
		.offset = AT(redirect_uris),
		.help = "allowed redirects, joined by commas, compared exactly"},
	{.name = "FAKE_TENANT_ID", .type = CONFIG_TEXT, .fallback = "9d2d5f1e-8c1b-4b7e-9f43-0a1f3c6a7b10",
		.offset = AT(tenant_id),
		.help = "the only tenant"},
	{.name = "FAKE_ACCOUNTS", .type = CONFIG_TEXT,
		.offset = AT(accounts),
		.help = "e-mail addresses, joined by commas, that exist from the start"},
	{.name = "FAKE_EXTENDED_PROPERTY", .type = CONFIG_TEXT,
		.fallback = "String {0b7c4c8e-5a3f-4a52-9f0e-6d1f6f2a7c11} "
		"Name AmiDashAssignment",
		.offset = AT(property),
		.help = "whose value the control API shows as an event's assignment"},
};
/* clang-format on */

static const struct httpd_route ROUTES[] = {
    {"POST", "/v1.0/$batch", graph_handle_batch},
    {NULL, "/v1.0/*", graph_handle},
    {"GET", "/calendars", calendars_handle},
    CONTROL_ROUTES,
    OPS_ROUTES,
    {NULL, "/*", entra_handle},
};

static void refresh_metrics(struct ops *ops)
{
	const struct server *server = container_of(ops, struct server, ops);
	const struct call *call;
	double calls = 0;

	for (call = server->calls; call != NULL; call = call->next) {
		calls++;
	}
	metric_set(server->accounts, NULL, (double)accounts_count(&server->world.accounts));
	metric_set(server->events, NULL, (double)server->world.store.count);
	metric_set(server->calls_now, NULL, calls);
}

static void make_metrics(struct server *server)
{
	struct metrics *metrics = metrics_new();

	server->ops.metrics = metrics;
	server->ops.refresh = refresh_metrics;
	server->requests_total = metric_new(metrics, METRIC_COUNTER, "calrelay_fake_requests_total",
					    "Requests and items of batches.", "kind,status", NULL);
	server->accounts = metric_new(metrics, METRIC_GAUGE, "calrelay_fake_accounts",
				      "People with an account.", "", NULL);
	server->events = metric_new(metrics, METRIC_GAUGE, "calrelay_fake_events",
				    "Events, those in Deleted Items included.", "", NULL);
	server->calls_now = metric_new(metrics, METRIC_GAUGE, "calrelay_fake_calls",
				       "Graph calls under way.", "", NULL);
}

static bool add_accounts(struct accounts *accounts, char *list)
{
	char *rest = list;

	while (rest != NULL && *rest != '\0') {
		const char *email = strsep(&rest, ",");

		if (*email != '\0' && account_put(accounts, email) == NULL) {
			fprintf(stderr, "FAKE_ACCOUNTS: '%.80s' is no e-mail address\n", email);
			return false;
		}
	}
	return true;
}

static bool add_trust(struct assertion_trust *trust)
{
	trust->issuer = config.federated_issuer;
	trust->subjects = config.federated_subjects;
	if (config.client_certificate != NULL &&
	    !assertion_register_certificate(trust, config.client_certificate)) {
		fputs("FAKE_CLIENT_CERTIFICATE is no certificate with an RSA key\n", stderr);
		return false;
	}
	if (config.federated_key != NULL &&
	    !assertion_register_issuer(trust, config.federated_key)) {
		fputs("FAKE_FEDERATED_KEY is no public RSA key\n", stderr);
		return false;
	}
	return true;
}

static bool make_world(struct world *world)
{
	world_init(world);
	world->identity.client_id = config.client_id;
	world->identity.client_secret = config.client_secret;
	world->identity.redirect_uris = config.redirect_uris;
	world->identity.tenant_id = config.tenant_id;
	if (RAND_bytes(world->identity.key, BEARER_KEY_BYTES) != 1) {
		fputs("the system has no random bytes\n", stderr);
		return false;
	}
	if (!property_normalise(config.property, world->property)) {
		fputs("FAKE_EXTENDED_PROPERTY must be like 'String {GUID} Name Colour'\n", stderr);
		return false;
	}
	return add_trust(&world->identity.trust) && add_accounts(&world->accounts, config.accounts);
}

static void on_stop(struct loop *loop)
{
	struct server *server = container_of(loop, struct server, loop);

	log_info("stopping");
	calls_cut(server);
	deliveries_cut(server);
	httpd_free(server->httpd);
	loop_stop(loop);
}

static bool start(struct server *server)
{
	const struct httpd_settings settings = {.listen = config.listen,
						.routes = ROUTES,
						.route_count = sizeof ROUTES / sizeof *ROUTES,
						.body_max_bytes = SERVER_BODY_MAX_BYTES,
						.context = server};
	struct fault fault;

	server->httpd = httpd_new(&server->loop, &settings, &fault);
	if (server->httpd == NULL) {
		log_error("cannot start", LOG_TEXT("why", fault.what));
		return false;
	}
	loop_watch_signals(&server->loop, on_stop);
	log_info("listening", LOG_TEXT("address", config.listen),
		 LOG_NUMBER("port", httpd_port(server->httpd)));
	return true;
}

static int run(void)
{
	static struct server server;
	int status = 1;

	if (!make_world(&server.world)) {
		world_reset(&server.world);
		assertion_forget(&server.world.identity.trust);
		return 78;
	}
	loop_init(&server.loop);
	later_init(&server.later, &server.loop);
	make_metrics(&server);
	if (start(&server)) {
		loop_run(&server.loop);
		status = 0;
	}
	loop_close(&server.loop);
	metrics_free(server.ops.metrics);
	world_reset(&server.world);
	signer_close(&server.world.identity.signer);
	assertion_forget(&server.world.identity.trust);
	return status;
}

int main(int argc, char **argv)
{
	const struct program program = {
	    .name = "calrelay-fake",
	    .summary =
		"plays Microsoft Graph and its identity server, for tests and demonstrations",
	    .options = OPTIONS,
	    .option_count = sizeof OPTIONS / sizeof *OPTIONS,
	    .config = &config,
	    .run = run};

	return program_main(&program, argc, argv);
}
