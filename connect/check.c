/* check.c - the preflight doctor: keys, database, privileges, Microsoft's endpoints. */
#include "connect/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/finding.h"
#include "common/json.h"
#include "common/rowsec.h"
#include "common/skew.h"
#include "connect/when.h"

#define CHECK_HTTP_MAX_MS	10000
#define CHECK_DOCUMENT_MAX	1048576
#define CHECK_CONNECT_TIMEOUT_S "5"

struct check {
	struct app *app;
	struct findings findings;
	struct http_request request; /* openid-configuration */
};

/* ---- keys and settings ---- */

static void check_auth(struct check *check)
{
	struct client_auth_finding finding;

	client_auth_inspect(&check->app->auth, clock_wall_ms() / 1000, &finding);
	if (finding.state == CLIENT_AUTH_AGEING) {
		finding_warn("%s", finding.text);
	} else {
		finding_say(&check->findings, finding.state == CLIENT_AUTH_GOOD, "%s",
			    finding.text);
	}
}

static bool check_settings(struct check *check)
{
	static const char CALLBACK[] = "/api/auth/microsoft/callback";
	const struct app_config *config = &check->app->config;
	size_t length = strlen(config->redirect_uri);
	bool ends_right;
	struct fault fault;

	if (!app_init(check->app, &fault)) {
		finding_say(&check->findings, false, "settings: %s", fault.what);
		return false;
	}
	finding_say(&check->findings, true, "token keys and JWT key are usable");
	check_auth(check);
	if (config->jwt_secret != NULL && strlen(config->jwt_secret) < IDENTITY_SECRET_WEAK_BYTES) {
		finding_warn("CALRELAY_JWT_SECRET is shorter than %d bytes: use the host's real "
			     "secret, or a longer one on both sides",
			     IDENTITY_SECRET_WEAK_BYTES);
	}
	ends_right = length >= sizeof CALLBACK &&
		     strcmp(config->redirect_uri + length - (sizeof CALLBACK - 1), CALLBACK) == 0;
	finding_say(&check->findings, ends_right, "MICROSOFT_REDIRECT_URI %s %s",
		    ends_right ? "ends with" : "must end with", CALLBACK);
	return true;
}

/* ---- database ---- */

/* What connect does with each table; every row is one finding. */
static const struct {
	const char *table;
	const char *privileges;
} NEEDED[] = {
    {"public.calendar_connections", "SELECT, INSERT, UPDATE, DELETE"},
    {"public.synced_calendar_events", "SELECT"},
    {"public.calendar_sync_requests", "SELECT, INSERT, UPDATE"},
    {"public.calrelay_oauth_states", "SELECT, INSERT, UPDATE, DELETE"},
};

/* has_table_privilege with a list means "any of them", so the list is taken apart; a privilege on
 * some columns only counts as well. */
static const char PRIVILEGES[] =
    "SELECT to_regclass($1) IS NOT NULL AND coalesce(bool_and("
    "has_table_privilege(to_regclass($1), trim(p)) OR "
    "CASE WHEN trim(p) = 'DELETE' THEN false "
    "ELSE has_any_column_privilege(to_regclass($1), trim(p)) END), false) "
    "FROM unnest(string_to_array($2, ',')) p";

/* An error is no answer: it is said, and counts as "does not hold". */
static bool query_is_true(PGconn *conn, const char *sql, const char *const params[2])
{
	PGresult *result = PQexecParams(conn, sql, 2, NULL, params, NULL, NULL, 0);
	bool is_true = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 &&
		       strcmp(PQgetvalue(result, 0, 0), "t") == 0;

	if (PQresultStatus(result) != PGRES_TUPLES_OK) {
		printf("      PostgreSQL: %s", PQresultErrorMessage(result));
	}
	PQclear(result);
	return is_true;
}

static void check_tables(struct check *check, PGconn *conn)
{
	for (size_t i = 0; i < sizeof NEEDED / sizeof *NEEDED; i++) {
		const char *const params[] = {NEEDED[i].table, NEEDED[i].privileges};
		bool holds = query_is_true(conn, PRIVILEGES, params);

		finding_say(
		    &check->findings, holds, "%s: %s%s", NEEDED[i].table, NEEDED[i].privileges,
		    holds ? "" : ": run schemas/apply, then GRANT calrelay_connect to this login");
	}
}

/* Row security shows a role without a policy an empty table, without an error. */
static void check_profiles(struct check *check, PGconn *conn)
{
	static const char READABLE[] =
	    "SELECT has_column_privilege(to_regclass($1), $2, 'SELECT') AND ("
	    "NOT " ROWSEC_HIDES("to_regclass($1)") ")";
	const struct hostmap *map = &check->app->map;
	char table[2 * HOSTMAP_NAME_SIZE + 8];
	const char *const params[] = {table, map->profiles.id};
	bool holds;

	snprintf(table, sizeof table, "\"%s\".\"%s\"", map->schema, map->profiles.table);
	holds = query_is_true(conn, READABLE, params);
	finding_say(
	    &check->findings, holds, "%s: rows can be read%s", table,
	    holds ? ""
		  : ": GRANT SELECT on its id, and a row security policy, to calrelay_connect");
}

static void check_database(struct check *check)
{
	const char *const keywords[] = {"dbname", "connect_timeout", "application_name", NULL};
	const char *const values[] = {check->app->config.database_url, CHECK_CONNECT_TIMEOUT_S,
				      "calrelay-connect --check", NULL};
	PGconn *conn = PQconnectdbParams(keywords, values, 1);

	if (PQstatus(conn) != CONNECTION_OK) {
		char why[256];

		snprintf(why, sizeof why, "%s", PQerrorMessage(conn));
		why[strcspn(why, "\n")] = '\0';
		finding_say(&check->findings, false,
			    "database: %s: check DATABASE_URL and that it is running", why);
	} else {
		finding_say(&check->findings, true, "database answers, as %s", PQuser(conn));
		check_tables(check, conn);
		check_profiles(check, conn);
	}
	PQfinish(conn);
}

/* ---- Microsoft ---- */

/* The host's JWTs are judged by our clock (Microsoft's id_tokens by Microsoft's). */
static void check_clock(struct check *check, const struct http_reply *reply)
{
	char words[SKEW_WORDS_SIZE];

	if (skew_is_off(reply->date, clock_wall_ms(), words)) {
		finding_say(
		    &check->findings, false,
		    "this machine's clock is %s of Microsoft's: set it (NTP), or the host's "
		    "JWTs look expired or too new",
		    words);
	}
}

static void on_document(struct http_request *request)
{
	struct check *check = container_of(request, struct check, request);
	const struct http_reply *reply = &request->reply;
	struct fault fault = request->fault;
	cJSON *document = NULL;

	if (fault.kind == FAULT_NONE && reply->status == 200) {
		document = json_parse(buf_string(&reply->body), reply->body.length,
				      CHECK_DOCUMENT_MAX, &fault);
	}
	check_clock(check, reply);
	if (json_text(document, "token_endpoint") != NULL) {
		finding_say(&check->findings, true, "Microsoft's sign-in answers for tenant %s",
			    check->app->config.tenant_id);
	} else if (fault.kind != FAULT_NONE) {
		finding_say(&check->findings, false,
			    "Microsoft's sign-in: %s: check the way out to %s", fault.what,
			    check->app->config.login_url);
	} else {
		finding_say(&check->findings, false,
			    "Microsoft's sign-in answered %d: check MICROSOFT_TENANT_ID and "
			    "MICROSOFT_LOGIN_URL",
			    reply->status);
	}
	cJSON_Delete(document);
	loop_stop(&check->app->loop);
}

static void check_microsoft(struct check *check)
{
	struct app *app = check->app;
	struct buf url;

	buf_init(&url, 2048);
	buf_format(&url, "%s/", app->config.login_url);
	http_encode(&url, app->config.tenant_id);
	buf_text(&url, "/v2.0/.well-known/openid-configuration");
	loop_init(&app->loop);
	app->http = http_new(&app->loop, "calrelay-connect");
	check->request =
	    (struct http_request){.method = "GET", .url = buf_string(&url), .done = on_document};
	http_send(app->http, &check->request, CHECK_HTTP_MAX_MS);
	loop_run(&app->loop);
	http_free(app->http);
	loop_close(&app->loop);
	buf_close(&url);
}

int check_run(struct app *app)
{
	struct check check = {.app = app};

	if (check_settings(&check)) {
		check_database(&check);
		check_microsoft(&check);
	}
	app_close(app);
	return check.findings.bad == 0 ? 0 : 1;
}
