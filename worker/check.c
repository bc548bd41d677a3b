/* check.c - proves the worker's surroundings: keys, mapping, database, topics, Microsoft. */
#include "worker/check.h"

#include <curl/curl.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/finding.h"
#include "common/skew.h"
#include "worker/arm.h"
#include "worker/cluster.h"
#include "worker/worker.h"

#define CHECK_TIMEOUT_MS 10000

static struct findings findings;

static void check_auth(const struct worker_config *config)
{
	const struct client_auth_settings settings = {
	    config->client_secret, config->client_certificate, config->federated_token_file};
	struct client_auth_finding finding;
	struct client_auth auth;
	struct fault fault;

	if (!client_auth_open(&auth, &settings, &fault)) {
		finding_say(&findings, false, "%s", fault.what);
	} else {
		client_auth_inspect(&auth, clock_wall_ms() / 1000, &finding);
		if (finding.state == CLIENT_AUTH_AGEING) {
			finding_warn("%s", finding.text);
		} else {
			finding_say(&findings, finding.state == CLIENT_AUTH_GOOD, "%s",
				    finding.text);
		}
	}
	client_auth_close(&auth);
}

static void check_settings(const struct worker_config *config)
{
	struct fault fault;
	struct hostmap map;
	struct seal_keys *keys = seal_keys_new(config->token_keys, &fault);

	finding_say(&findings, keys != NULL, "token keys: %s",
		    keys != NULL ? "usable" : fault.what);
	seal_keys_free(keys);
	check_auth(config);
	finding_say(&findings, hostmap_load(&map, config->mapping_file, &fault), "mapping: %s",
		    config->mapping_file != NULL ? config->mapping_file : "the shipped one");
}

/* One privilege that the worker needs, and the grant that gives it. */
static void check_privilege(PGconn *conn, const char *table, const char *privilege)
{
	const char *params[] = {table, privilege};
	PGresult *result = PQexecParams(conn,
					"SELECT to_regclass($1) IS NOT NULL, "
					"coalesce(has_table_privilege(to_regclass($1), $2), false)",
					2, NULL, params, NULL, NULL, 0);
	bool ok = PQresultStatus(result) == PGRES_TUPLES_OK;

	if (ok && strcmp(PQgetvalue(result, 0, 0), "t") != 0) {
		finding_say(&findings, false,
			    "table %s is missing: run schemas/apply, or correct the mapping file",
			    table);
	} else {
		ok = ok && strcmp(PQgetvalue(result, 0, 1), "t") == 0;
		finding_say(&findings, ok,
			    ok ? "may %s %s" : "may not %s %s: GRANT calrelay_worker to this login",
			    privilege, table);
	}
	PQclear(result);
}

/* The host's tables, which the mapping file names. */
static void check_rows(PGconn *conn, const struct hostmap *map)
{
	const char *params[] = {map->schema, map->assignments.table, map->projects.table};
	PGresult *result =
	    PQexecParams(conn, "SELECT " GUARD_HIDDEN, 3, NULL, params, NULL, NULL, 0);
	const char *hidden;

	if (PQresultStatus(result) != PGRES_TUPLES_OK) {
		finding_say(&findings, false, "row security can't be read: check DATABASE_URL");
	} else if (PQgetisnull(result, 0, 0)) {
		finding_say(&findings, true, "row security hides no rows");
	} else {
		hidden = PQgetvalue(result, 0, 0);
		finding_say(&findings, false, GUARD_HIDDEN_FINDING, hidden, hidden);
	}
	PQclear(result);
}

static void check_host(PGconn *conn, const struct worker_config *config)
{
	struct hostmap map;
	struct fault told; /* by check_settings */
	const char *tables[] = {map.projects.table, map.assignments.table};

	if (!hostmap_load(&map, config->mapping_file, &told)) {
		return;
	}
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		char name[ARMED_TABLE_SIZE];

		snprintf(name, sizeof name, "\"%s\".\"%s\"", map.schema, tables[i]);
		check_privilege(conn, name, "SELECT");
	}
	check_rows(conn, &map);
}

static void check_database(const struct worker_config *config)
{
	static const char *const NEEDED[][2] = {
	    {"public.calendar_connections", "UPDATE"},
	    {"public.synced_calendar_events", "INSERT"},
	    {"public.calendar_sync_requests", "UPDATE"},
	    {"public.calrelay_partition_owner", "UPDATE"},
	    {"public.calrelay_partition_progress", "UPDATE"},
	    {"public.calrelay_armed", "UPDATE"},
	};
	PGconn *conn = PQconnectdb(config->database_url);
	char *error = PQerrorMessage(conn);

	error[strcspn(error, "\n")] = '\0';
	if (PQstatus(conn) != CONNECTION_OK) {
		finding_say(&findings, false, "database: %s: check DATABASE_URL", error);
		PQfinish(conn);
		return;
	}
	finding_say(&findings, true, "database: connected as %s", PQuser(conn));
	for (size_t i = 0; i < sizeof NEEDED / sizeof *NEEDED; i++) {
		check_privilege(conn, NEEDED[i][0], NEEDED[i][1]);
	}
	check_host(conn, config);
	PQfinish(conn);
}

static void check_topics(const struct worker_config *config)
{
	char *names[2] = {NULL, NULL};
	struct cluster cluster = {0};
	const int32_t *counts = cluster.partition_counts;
	struct fault fault;
	struct hostmap map;

	if (!hostmap_load(&map, config->mapping_file, &fault) ||
	    !cluster_name_topics(&map, config->topic_prefix, names, &fault) ||
	    !cluster_ask(&cluster, config, &map, &fault)) {
		finding_say(&findings, false, "%s", fault.what);
	} else if (counts[0] == 0 || counts[1] == 0) {
		finding_warn("Kafka has no topic %s yet: a producer makes it",
			     names[counts[0] == 0 ? 0 : 1]);
	} else {
		finding_say(&findings, counts[0] == counts[1],
			    "topics: %s has %d partitions, %s has %d%s", names[0], counts[0],
			    names[1], counts[1],
			    counts[0] == counts[1] ? "" : ": give one as many as the other has");
	}
	cluster_close(&cluster);
	free(names[0]);
	free(names[1]);
}

static size_t discard(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

/* Works all the same: times that matter are distances from PostgreSQL's clock, or monotonic. */
static void warn_of_clock(CURL *easy, const char *name)
{
	struct curl_header *date = NULL;
	char words[SKEW_WORDS_SIZE];

	if (curl_easy_header(easy, "date", 0, CURLH_HEADER, -1, &date) == CURLHE_OK &&
	    skew_is_off(date->value, clock_wall_ms(), words)) {
		finding_warn("this machine's clock is %s of that of %s: set it (NTP)", words, name);
	}
}

/* Any HTTP answer at all shows that the origin is reachable and its certificate good. */
static void check_origin(const char *name, const char *url)
{
	CURL *easy = curl_easy_init();
	CURLcode code;

	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)CHECK_TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
	code = curl_easy_perform(easy);
	finding_say(&findings, code == CURLE_OK, "%s: %s", name,
		    code == CURLE_OK ? "reachable" : curl_easy_strerror(code));
	warn_of_clock(easy, name);
	curl_easy_cleanup(easy);
}

static void check_armed(const struct worker_config *config)
{
	char reason[ARMED_REASON_SIZE];
	struct armed_view view;
	struct fault fault;

	if (!arm_look(config, &view, &fault)) {
		finding_say(&findings, false, "armed: %s", fault.what);
	} else if (armed_decide(&view, reason) == ARMED_HELD) {
		finding_say(
		    &findings, false,
		    "armed: %s: run calrelay-worker arm if it is the one that keeps the real "
		    "calendars",
		    reason);
	} else {
		finding_say(&findings, true, "armed: this database may write to calendars");
	}
}

int check_all(const struct worker_config *config)
{
	findings.bad = 0;
	check_settings(config);
	check_database(config);
	check_topics(config);
	check_armed(config);
	check_origin("MICROSOFT_LOGIN_URL", config->login_url);
	check_origin("MICROSOFT_GRAPH_URL", config->graph_url);
	return findings.bad > 0;
}
