/* serve.c - the life of the running program. */
#include "connect/serve.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/program.h"
#include "connect/route.h"

#define SERVE_BODY_MAX_BYTES   65536
#define SERVE_PG_CONNECTIONS   8
#define SERVE_COUNT_EVERY_MS   10000
#define SERVE_DRAIN_AT_MOST_MS 10000

/* ---- metrics ---- */

static void on_counted(struct pg_request *request)
{
	static const char *const STATUSES[] = {"active", "needs_reconnect", "disconnecting"};
	struct app *app = container_of(request, struct app, count_request);

	app->is_counting = false;
	if (request->fault.kind != FAULT_NONE) {
		return; /* pg logged it; the gauges stay as they were */
	}
	for (size_t i = 0; i < sizeof STATUSES / sizeof *STATUSES; i++) {
		double count = 0;

		for (int row = 0; row < PQntuples(request->result); row++) {
			if (strcmp(pg_text(request->result, row, 0), STATUSES[i]) == 0) {
				count = (double)pg_integer(request->result, row, 1, 0);
			}
		}
		metric_set(app->connections, (const char *const[]){STATUSES[i]}, count);
	}
}

static void on_answered(struct httpd_request *request, int status)
{
	struct app *app = httpd_context(request);
	char code[16];

	snprintf(code, sizeof code, "%d", status);
	metric_add(app->requests, (const char *const[]){httpd_route_path(request), code}, 1);
}

static void serve_metrics(struct app *app)
{
	struct metrics *metrics = metrics_new();

	app->connections = metric_new(metrics, METRIC_GAUGE, "calrelay_connect_connections",
				      "Connected calendars by status.", "status", NULL);
	app->callbacks =
	    metric_new(metrics, METRIC_COUNTER, "calrelay_connect_oauth_callbacks_total",
		       "Sign-ins that came back from Microsoft, by result.", "result", NULL);
	for (int i = TROUBLE_NONE; i < TROUBLES; i++) { /* the first of each counts as one more */
		metric_add(app->callbacks, (const char *const[]){words_of(i)->code}, 0);
	}
	app->requests =
	    metric_new(metrics, METRIC_COUNTER, "calrelay_connect_requests_total",
		       "HTTP requests answered, by route and status.", "route,status", NULL);
	app->ops.metrics = metrics;
}

static bool serve_is_ready(struct ops *ops, char reason[128])
{
	const struct app *app = container_of(ops, struct app, ops);

	if (app->is_stopping) {
		snprintf(reason, 128, "stopping");
		return false;
	}
	if (!pg_is_up(app->pg)) {
		snprintf(reason, 128, "PostgreSQL does not answer");
		return false;
	}
	return true;
}

/* ---- start and stop ---- */

static void on_drained_too_long(uv_timer_t *timer)
{
	struct app *app = container_of(timer, struct app, count_timer);

	log_warn("stopping with requests under way", LOG_NUMBER("count", app->under_way));
	loop_stop(&app->loop);
}

static void on_stop(struct loop *loop)
{
	struct app *app = container_of(loop, struct app, loop);

	app->is_stopping = true;
	log_info("stopping", LOG_NUMBER("under_way", app->under_way));
	if (app->under_way == 0) {
		loop_stop(loop);
	} else {
		uv_timer_start(&app->count_timer, on_drained_too_long, SERVE_DRAIN_AT_MOST_MS, 0);
	}
}

static void count(struct app *app)
{
	app->is_counting = true;
	app->count_request.done = on_counted;
	store_count_connections(app->store, &app->count_request);
}

static void on_seen(struct pg_request *request)
{
	struct app *app = container_of(request, struct app, count_request);

	app->is_counting = false;
	if (request->fault.kind != FAULT_NONE || app->is_stopping) {
		return;
	}
	app->sees_people = !store_read_hidden(request->result);
	if (app->sees_people) {
		count(app);
	} else {
		log_error(
		    "row security hides the host's people, so that nobody could sign in: give "
		    "calrelay_connect a policy (schemas/apply), or see --check",
		    LOG_TEXT("table", app->map.profiles.table));
		app->status = 1;
		on_stop(&app->loop);
	}
}

static void on_count_due(uv_timer_t *timer)
{
	struct app *app = container_of(timer, struct app, count_timer);

	if (app->is_counting) {
		return;
	}
	if (app->sees_people) {
		count(app);
	} else {
		app->is_counting = true;
		app->count_request.done = on_seen;
		store_see_profiles(app->store, &app->count_request);
	}
}

static bool serve_listen(struct app *app, struct fault *fault)
{
	struct httpd_settings settings = {
	    .listen = app->config.http_listen,
	    .routes = ROUTES,
	    .route_count = ROUTE_COUNT,
	    .body_max_bytes = SERVE_BODY_MAX_BYTES,
	    .context = app,
	    .answered = on_answered,
	};

	app->httpd = httpd_new(&app->loop, &settings, fault);
	return app->httpd != NULL;
}

static bool serve_start(struct app *app, struct fault *fault)
{
	app->ops.is_ready = serve_is_ready;
	app->pg =
	    pg_new(&app->loop, app->config.database_url, "calrelay-connect", SERVE_PG_CONNECTIONS);
	app->http = http_new(&app->loop, "calrelay-connect");
	app->store = store_new(app->pg, &app->map, fault);
	if (app->store == NULL || !serve_listen(app, fault)) {
		return false;
	}
	uv_timer_init(&app->loop.uv, &app->count_timer);
	uv_timer_start(&app->count_timer, on_count_due, 0, SERVE_COUNT_EVERY_MS);
	loop_watch_signals(&app->loop, on_stop);
	log_info("serving", LOG_TEXT("listen", app->config.http_listen),
		 LOG_NUMBER("port", httpd_port(app->httpd)), LOG_TEXT("origin", app->origin.text));
	return true;
}

/* Ports first: what is still under way gets its answer, while there is somebody to give it to. */
static void serve_close(struct app *app)
{
	pg_free(app->pg);
	http_free(app->http);
	if (app->httpd != NULL) {
		httpd_free(app->httpd);
	}
	store_free(app->store);
	loop_close(&app->loop);
	metrics_free(app->ops.metrics);
}

int serve_run(struct app *app)
{
	struct client_auth_finding finding;
	struct fault fault;
	bool started;

	if (!app_init(app, &fault)) {
		fprintf(stderr, "calrelay-connect: %s\n", fault.what);
		app_close(app);
		return PROGRAM_EXIT_CONFIG;
	}
	if (app->config.jwt_secret != NULL &&
	    strlen(app->config.jwt_secret) < IDENTITY_SECRET_WEAK_BYTES) {
		log_warn("CALRELAY_JWT_SECRET is short enough to be guessed",
			 LOG_NUMBER("bytes", (int64_t)strlen(app->config.jwt_secret)));
	}
	client_auth_inspect(&app->auth, clock_wall_ms() / 1000, &finding);
	if (finding.state != CLIENT_AUTH_GOOD) {
		log_warn("Microsoft may refuse this application", LOG_TEXT("why", finding.text));
	}
	serve_metrics(app);
	loop_init(&app->loop);
	started = serve_start(app, &fault);
	if (started) {
		loop_run(&app->loop);
	} else {
		fprintf(stderr, "calrelay-connect: %s\n", fault.what);
	}
	serve_close(app);
	app_close(app);
	return started ? app->status : PROGRAM_EXIT_CONFIG;
}
