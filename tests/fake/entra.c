/* entra.c - the HTTP side of identity: tokens and metadata; pages are signin's. */
#include "tests/fake/entra.h"

#include <stdio.h>
#include <string.h>

#include "common/base64.h"
#include "common/clock.h"
#include "common/jsonw.h"
#include "tests/fake/delivery.h"
#include "tests/fake/id_token.h"
#include "tests/fake/server.h"
#include "tests/fake/signin.h"

#define TENANT_SIZE	 80
#define TOKEN_PATH_SIZE	 128
#define ANSWER_MAX_BYTES 32768

static void note(struct server *server, const struct httpd_request *request,
		 const struct account *account, int status)
{
	char path[JOURNAL_PATH_SIZE];
	struct journal_record record = {.at_ms = clock_wall_ms(),
					.account = account != NULL ? account->email : NULL,
					.kind = KIND_TOKEN,
					.method = httpd_method(request),
					.path = path,
					.status = status};

	snprintf(path, sizeof path, "%s", httpd_path(request));
	server_note(server, &record);
}

/* ---- token ---- */

/* Who signed in, by oid and tid: Microsoft's own libraries ask for it and know accounts by it. */
static void write_client_info(const struct identity *identity, const struct account *account,
			      struct buf *out)
{
	struct buf json;
	struct buf text;

	buf_init(&json, 512);
	buf_init(&text, 1024);
	buf_char(&json, '{');
	jsonw_member_text(&json, "uid", account->id);
	jsonw_member_text(&json, "utid", identity->tenant_id);
	buf_char(&json, '}');
	base64url_encode(&text, buf_string(&json), json.length);
	jsonw_member_text(out, "client_info", buf_string(&text));
	buf_close(&json);
	buf_close(&text);
}

static void write_tokens(struct server *server, struct httpd_request *request,
			 const struct identity_grant *grant, struct buf *out)
{
	struct world *world = &server->world;
	int64_t now_ms = clock_wall_ms();
	struct bearer bearer = {BEARER_ACCESS, grant->account->number, grant->account->generation,
				grant->scopes, now_ms + world->settings.expires_in_s * 1000};
	char base[SERVER_BASE_SIZE];
	struct buf text;

	server_base_url(request, base);
	buf_init(&text, ANSWER_MAX_BYTES);
	buf_char(out, '{');
	jsonw_member_text(out, "token_type", "Bearer");
	scope_write(grant->scopes, &text);
	jsonw_member_text(out, "scope", buf_string(&text));
	jsonw_member_number(out, "expires_in", world->settings.expires_in_s);
	jsonw_member_number(out, "ext_expires_in", world->settings.expires_in_s);
	buf_reset(&text);
	bearer_write(world->identity.key, &bearer, &text);
	jsonw_member_text(out, "access_token", buf_string(&text));
	if ((grant->scopes & SCOPE_OFFLINE_ACCESS) != 0) {
		bearer.kind = BEARER_REFRESH;
		bearer.expires_ms = now_ms + IDENTITY_REFRESH_LIFE_MS;
		buf_reset(&text);
		bearer_write(world->identity.key, &bearer, &text);
		jsonw_member_text(out, "refresh_token", buf_string(&text));
	}
	if ((grant->scopes & SCOPE_OPENID) != 0) {
		buf_reset(&text);
		id_token_write(&world->identity, grant, base, now_ms, &text);
		jsonw_member_text(out, "id_token", buf_string(&text));
	}
	if (httpd_form(request, "client_info") != NULL) {
		write_client_info(&world->identity, grant->account, out);
	}
	buf_char(out, '}');
	buf_close(&text);
}

static void count_tokens(struct journal *journal, const struct identity_grant *grant)
{
	journal->tokens_issued++;
	journal->tokens_refreshed += grant->is_refresh ? 1 : 0;
}

/* True where a fault answers in the endpoint's place; otherwise manner says how to answer. */
static bool meet_fault(struct server *server, struct httpd_request *request,
		       const struct account *account, struct delivery_manner *manner)
{
	const struct faults_call asked = {account != NULL ? account->email : NULL, NULL, KIND_TOKEN,
					  true};
	struct faults_rule rule;
	struct buf body;

	*manner = (struct delivery_manner){0};
	if (!faults_take(&server->world.faults, &asked, &rule)) {
		return false;
	}
	if (!faults_refuses(&rule)) {
		rule.is_after = true; /* redeeming has no other side than the answer */
		delivery_spoil(manner, &rule);
		return false;
	}
	struct identity_problem problem = {rule.status, rule.code, 90100, NULL, "Injected."};

	buf_init(&body, ANSWER_MAX_BYTES);
	if (rule.deed == FAULTS_GATEWAY) {
		delivery_write_page(&body);
		delivery_spoil(manner, &rule);
	} else {
		identity_write_problem(&problem, clock_wall_ms(), &body);
	}
	if (rule.retry_after[0] != '\0') {
		httpd_reply_header(request, "Retry-After", rule.retry_after);
	}
	note(server, request, account, rule.status);
	delivery_send(server, request, rule.status, &body, manner);
	return true;
}

static void write_token_url(const struct httpd_request *request,
			    char url[SERVER_BASE_SIZE + TOKEN_PATH_SIZE])
{
	char base[SERVER_BASE_SIZE];

	server_base_url(request, base);
	snprintf(url, SERVER_BASE_SIZE + TOKEN_PATH_SIZE, "%s%s", base, httpd_path(request));
}

static void handle_token(struct httpd_request *request, const char *tenant)
{
	struct server *server = httpd_context(request);
	struct world *world = &server->world;
	char token_url[SERVER_BASE_SIZE + TOKEN_PATH_SIZE];
	const struct identity_demand demand = {
	    .tenant = tenant,
	    .client_id = httpd_form(request, "client_id"),
	    .client_secret = httpd_form(request, "client_secret"),
	    .client_assertion = httpd_form(request, "client_assertion"),
	    .client_assertion_type = httpd_form(request, "client_assertion_type"),
	    .grant_type = httpd_form(request, "grant_type"),
	    .code = httpd_form(request, "code"),
	    .redirect_uri = httpd_form(request, "redirect_uri"),
	    .code_verifier = httpd_form(request, "code_verifier"),
	    .refresh_token = httpd_form(request, "refresh_token"),
	    .scope = httpd_form(request, "scope"),
	    .token_url = token_url,
	    .assertions_once = world->settings.assertions_once,
	};
	struct account *account = identity_peek(&world->identity, &world->accounts, &demand);
	struct identity_problem problem = {0};
	struct identity_grant grant;
	struct delivery_manner manner;
	struct buf body;
	int status = 200;

	write_token_url(request, token_url);
	httpd_reply_header(request, "Cache-Control", "no-store");
	if (meet_fault(server, request, account, &manner)) {
		return;
	}
	buf_init(&body, ANSWER_MAX_BYTES);
	if (identity_redeem(&world->identity, &world->accounts, &demand, clock_wall_ms(), &grant,
			    &problem)) {
		write_tokens(server, request, &grant, &body);
		count_tokens(&world->journal, &grant);
	} else {
		status = problem.status;
		identity_write_problem(&problem, clock_wall_ms(), &body);
	}
	note(server, request, account, status);
	delivery_send(server, request, status, &body, &manner);
}

/* ---- metadata ---- */

static void handle_metadata(struct httpd_request *request, const char *tenant)
{
	const struct server *server = httpd_context(request);
	bool is_template = strcmp(tenant, "common") == 0 || strcmp(tenant, "organizations") == 0;
	const char *issuer = is_template ? "{tenantid}" : server->world.identity.tenant_id;
	char base[SERVER_BASE_SIZE];
	struct buf out;

	server_base_url(request, base);
	buf_init(&out, ANSWER_MAX_BYTES);
	buf_format(
	    &out,
	    "{\"token_endpoint\":\"%s/%s/oauth2/v2.0/token\","
	    "\"token_endpoint_auth_methods_supported\":"
	    "[\"client_secret_post\",\"private_key_jwt\"],"
	    "\"jwks_uri\":\"%s/%s/discovery/v2.0/keys\","
	    "\"response_modes_supported\":[\"query\"],\"response_types_supported\":[\"code\"],"
	    "\"subject_types_supported\":[\"pairwise\"],"
	    "\"id_token_signing_alg_values_supported\":[\"RS256\"],"
	    "\"code_challenge_methods_supported\":[\"S256\"],"
	    "\"scopes_supported\":[\"openid\",\"profile\",\"email\",\"offline_access\"],"
	    "\"issuer\":\"%s/%s/v2.0\","
	    "\"authorization_endpoint\":\"%s/%s/oauth2/v2.0/authorize\","
	    "\"claims_supported\":[\"sub\",\"iss\",\"aud\",\"exp\",\"iat\",\"nonce\",\"name\","
	    "\"preferred_username\",\"email\",\"tid\",\"oid\",\"ver\"]}",
	    base, tenant, base, tenant, base, issuer, base, tenant);
	server_reply_json(request, 200, &out);
}

static void handle_keys(struct httpd_request *request, const char *tenant)
{
	struct server *server = httpd_context(request);
	char base[SERVER_BASE_SIZE];
	char issuer[SERVER_BASE_SIZE + TENANT_SIZE];
	struct buf out;

	(void)tenant; /* all of the cloud's tenants sign with the same keys */
	server_base_url(request, base);
	snprintf(issuer, sizeof issuer, "%s/{tenantid}/v2.0", base);
	buf_init(&out, ANSWER_MAX_BYTES);
	signer_write_keys(&server->world.identity.signer, issuer, &out);
	server_reply_json(request, 200, &out);
}

/* ---- routes ---- */

static const struct {
	const char *method;
	const char *path; /* behind the tenant */
	void (*handle)(struct httpd_request *request, const char *tenant);
} ROUTES[] = {
    {"GET", "/oauth2/v2.0/authorize", signin_handle},
    {"GET", "/v2.0/adminconsent", signin_approve},
    {"POST", "/oauth2/v2.0/token", handle_token},
    {"GET", "/v2.0/.well-known/openid-configuration", handle_metadata},
    {"GET", "/discovery/v2.0/keys", handle_keys},
};

void entra_handle(struct httpd_request *request)
{
	const struct server *server = httpd_context(request);
	const char *path = httpd_path(request);
	size_t length = strcspn(path + 1, "/");
	char tenant[TENANT_SIZE];

	snprintf(tenant, sizeof tenant, "%.*s", (int)(length < TENANT_SIZE ? length : 0), path + 1);
	for (size_t i = 0; i < sizeof ROUTES / sizeof *ROUTES; i++) {
		if (strcmp(ROUTES[i].path, path + 1 + length) != 0 ||
		    strcmp(ROUTES[i].method, httpd_method(request)) != 0) {
			continue;
		}
		if (ROUTES[i].handle == handle_metadata &&
		    !identity_knows_tenant(&server->world.identity, tenant)) {
			break;
		}
		ROUTES[i].handle(request, tenant);
		return;
	}
	httpd_reply_text(request, 404, "not found\n");
}
