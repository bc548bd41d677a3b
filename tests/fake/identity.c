/* identity.c - Entra's rules. */
#include "tests/fake/identity.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base64.h"
#include "common/jsonw.h"
#include "common/uuid.h"
#include "tests/fake/ascii.h"
#include "tests/fake/datetime.h"

/* clang-format off */
static const struct {
	int number;
	int status;
	const char *error;
	const char *suberror;
	const char *text;
} REASONS[] = {
	{50011,   400, "invalid_request", NULL, "The redirect URI specified in the request does not match the redirect URIs configured for the application."},
	{90002,   400, "invalid_request", NULL, "Tenant not found. Check to make sure you have the correct tenant ID."},
	{700016,  400, "unauthorized_client", NULL, "Application was not found in the directory."},
	{900144,  400, "invalid_request", NULL, "The request body must contain a parameter that is missing."},
	{900561,  400, "invalid_request", NULL, "A parameter has a value that is not supported."},
	{9002325, 400, "invalid_request", NULL, "Proof Key for Code Exchange is required for cross-origin authorization code redemption."},
	{90023,   400, "invalid_request", NULL, "Unsupported 'prompt' value."},
	{70011,   400, "invalid_scope", NULL, "The provided value for the input parameter 'scope' is not valid."},
	{7000218, 401, "invalid_client", NULL, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."},
	{7000215, 401, "invalid_client", NULL, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID."},
	{700021,  401, "invalid_client", NULL, "Client assertion application identifier doesn't match 'client_id' parameter."},
	{700023,  401, "invalid_client", NULL, "Client assertion audience claim does not match Realm issuer."},
	{700024,  401, "invalid_client", NULL, "Client assertion is not within its valid time range."},
	{700027,  401, "invalid_client", NULL, "The certificate with identifier used to sign the client assertion is not registered on application, or the assertion is malformed or was used before."},
	{700211,  401, "invalid_client", NULL, "No matching federated identity record found for presented assertion issuer."},
	{700212,  401, "invalid_client", NULL, "No matching federated identity record found for presented assertion audience."},
	{700213,  401, "invalid_client", NULL, "No matching federated identity record found for presented assertion subject."},
	{70003,   400, "unsupported_grant_type", NULL, "The app requested an unsupported grant type."},
	{9002313, 400, "invalid_grant", NULL, "Invalid request. Request is malformed or invalid."},
	{70008,   400, "invalid_grant", NULL, "The provided authorization code or refresh token has expired due to inactivity."},
	{54005,   400, "invalid_grant", NULL, "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token."},
	{500112,  400, "invalid_grant", NULL, "The reply address does not match the reply address provided when requesting Authorization code."},
	{501481,  400, "invalid_grant", NULL, "The Code_Verifier does not match the code_challenge supplied in the authorization request."},
	{50173,   400, "invalid_grant", "bad_token", "The provided grant has expired due to it being revoked, a fresh auth token is needed."},
	{700082,  400, "invalid_grant", "bad_token", "The refresh token has expired due to inactivity."},
	{65001,   400, "invalid_grant", "consent_required", "The user or administrator has not consented to use the application."},
};
/* clang-format on */

static bool refuse(struct identity_problem *problem, int number)
{
	for (size_t i = 0; i < sizeof REASONS / sizeof *REASONS; i++) {
		if (REASONS[i].number == number) {
			*problem = (struct identity_problem){REASONS[i].status, REASONS[i].error,
							     number, REASONS[i].suberror, ""};
			snprintf(problem->text, sizeof problem->text, "%s", REASONS[i].text);
			return false;
		}
	}
	abort(); /* a number that the table lacks */
}

static bool is_same(const char *left, const char *right)
{
	return left != NULL && strcmp(left, right) == 0;
}

bool identity_knows_tenant(const struct identity *identity, const char *tenant)
{
	return strcmp(tenant, "common") == 0 || strcmp(tenant, "organizations") == 0 ||
	       strcasecmp(tenant, identity->tenant_id) == 0;
}

/* ---- authorize ---- */

/* A base64url text without padding of 32 bytes. */
static bool is_challenge(const char *text)
{
	return text != NULL && strlen(text) == 43 &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
		   43;
}

/* "none" is not modelled: nobody is signed in here. */
static bool is_prompt(const char *prompt)
{
	return prompt == NULL || strcmp(prompt, "login") == 0 || strcmp(prompt, "consent") == 0 ||
	       strcmp(prompt, "select_account") == 0;
}

static int check_parameters(struct identity_question *question)
{
	if (!is_same(question->response_type, "code") ||
	    (question->response_mode != NULL && !is_same(question->response_mode, "query"))) {
		return 900561;
	}
	if (question->scope == NULL || !scope_parse(question->scope, &question->scopes)) {
		return 70011;
	}
	if (!is_prompt(question->prompt)) {
		return 90023;
	}
	if (question->state == NULL || *question->state == '\0') {
		return 900144;
	}
	if (!is_challenge(question->code_challenge) ||
	    !is_same(question->code_challenge_method, "S256")) {
		return 9002325;
	}
	if ((question->scopes & SCOPE_OPENID) != 0 &&
	    (question->nonce == NULL || *question->nonce == '\0' ||
	     strlen(question->nonce) >= CODE_NONCE_SIZE)) {
		return 900144;
	}
	return 0;
}

static int check_application(const struct identity *identity,
			     const struct identity_question *question)
{
	if (!identity_knows_tenant(identity, question->tenant)) {
		return 90002;
	}
	if (!is_same(question->client_id, identity->client_id)) {
		return 700016;
	}
	return ascii_list_has(identity->redirect_uris, question->redirect_uri) ? 0 : 50011;
}

/* "common" would reach personal accounts, which have no administrator. */
enum identity_verdict identity_check_approval(const struct identity *identity,
					      struct identity_question *question,
					      struct identity_problem *problem)
{
	int number =
	    is_same(question->tenant, "common") ? 90002 : check_application(identity, question);

	if (number != 0) {
		refuse(problem, number);
		return IDENTITY_TELL_PERSON;
	}
	if (question->scope == NULL || !scope_parse(question->scope, &question->scopes)) {
		refuse(problem, 70011);
		return IDENTITY_TELL_APPLICATION;
	}
	return IDENTITY_GOOD;
}

/* prompt=consent asks each person, whatever an administrator has said: whoever may not consent is
 * stuck there. */
bool identity_is_approved(const struct identity *identity, const struct identity_question *question)
{
	return !is_same(question->prompt, "consent") &&
	       (question->scopes & ~identity->approved) == 0;
}

enum identity_verdict identity_check(const struct identity *identity,
				     struct identity_question *question,
				     struct identity_problem *problem)
{
	int number = check_application(identity, question);

	if (number != 0) {
		refuse(problem, number);
		return IDENTITY_TELL_PERSON;
	}
	number = check_parameters(question);
	if (number != 0) {
		refuse(problem, number);
		return IDENTITY_TELL_APPLICATION;
	}
	return IDENTITY_GOOD;
}

void identity_issue_code(struct identity *identity, const struct identity_question *question,
			 const struct account *account, int64_t now_ms, char text[CODE_SIZE])
{
	struct code *code = code_issue(&identity->codes);

	code->account = account->number;
	code->scopes = question->scopes;
	code->issued_ms = now_ms;
	snprintf(code->redirect_uri, sizeof code->redirect_uri, "%s", question->redirect_uri);
	snprintf(code->challenge, sizeof code->challenge, "%s", question->code_challenge);
	snprintf(code->nonce, sizeof code->nonce, "%s",
		 question->nonce != NULL ? question->nonce : "");
	memcpy(text, code->text, CODE_SIZE);
}

/* ---- token ---- */

struct account *identity_peek(const struct identity *identity, const struct accounts *accounts,
			      const struct identity_demand *demand)
{
	struct code *code = NULL;
	struct bearer bearer;

	if (demand->code != NULL) {
		code = code_find(identity->codes, demand->code);
	}
	if (code != NULL) {
		return account_find_number(accounts, code->account);
	}
	if (demand->refresh_token != NULL &&
	    bearer_read(identity->key, demand->refresh_token, BEARER_REFRESH, &bearer)) {
		return account_find_number(accounts, bearer.account);
	}
	return NULL;
}

/* 0, or why the sender is not taken for the application. */
static int check_credential(struct identity *identity, const struct identity_demand *demand,
			    int64_t now_ms)
{
	const struct assertion_wanted wanted = {.client_id = identity->client_id,
						.token_url = demand->token_url,
						.now_s = now_ms / 1000,
						.once = demand->assertions_once};

	if (demand->client_assertion == NULL && demand->client_secret == NULL) {
		return 7000218;
	}
	if (demand->client_assertion == NULL) {
		return strcmp(demand->client_secret, identity->client_secret) == 0 ? 0 : 7000215;
	}
	if (demand->client_assertion_type == NULL) {
		return 900144;
	}
	if (demand->client_secret != NULL ||
	    strcmp(demand->client_assertion_type, ASSERTION_TYPE) != 0) {
		return 900561;
	}
	return assertion_check(&identity->trust, demand->client_assertion, &wanted);
}

/* 0, or why the client itself is refused. */
static int check_client(struct identity *identity, const struct identity_demand *demand,
			int64_t now_ms)
{
	if (!identity_knows_tenant(identity, demand->tenant)) {
		return 90002;
	}
	if (demand->client_id == NULL || demand->grant_type == NULL) {
		return 900144;
	}
	if (strcmp(demand->client_id, identity->client_id) != 0) {
		return 700016;
	}
	return check_credential(identity, demand, now_ms);
}

static bool is_verifier_of(const char *verifier, const char *challenge)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	struct buf text;
	bool same;

	if (verifier == NULL || strlen(verifier) < 43 || strlen(verifier) > 128) {
		return false;
	}
	SHA256((const unsigned char *)verifier, strlen(verifier), hash);
	buf_init(&text, 64);
	base64url_encode(&text, hash, sizeof hash);
	same = strcmp(buf_string(&text), challenge) == 0;
	buf_close(&text);
	return same;
}

static int redeem_code(struct identity *identity, const struct accounts *accounts,
		       const struct identity_demand *demand, int64_t now_ms,
		       struct identity_grant *grant)
{
	struct code *code = NULL;

	if (demand->code == NULL || demand->redirect_uri == NULL) {
		return 900144;
	}
	code = code_find(identity->codes, demand->code);
	if (code == NULL) {
		return 9002313;
	}
	if (code->is_redeemed) {
		return 54005;
	}
	if (now_ms - code->issued_ms > CODE_LIFE_MS) {
		return 70008;
	}
	if (strcmp(code->redirect_uri, demand->redirect_uri) != 0) {
		return 500112;
	}
	if (!is_verifier_of(demand->code_verifier, code->challenge)) {
		return 501481;
	}
	code->is_redeemed = true;
	grant->account = account_find_number(accounts, code->account);
	grant->scopes = code->scopes;
	memcpy(grant->nonce, code->nonce, sizeof grant->nonce);
	return grant->account != NULL ? 0 : 50173;
}

static int redeem_refresh(const struct identity *identity, const struct accounts *accounts,
			  const struct identity_demand *demand, int64_t now_ms,
			  struct identity_grant *grant)
{
	struct bearer bearer;

	if (demand->refresh_token == NULL) {
		return 900144;
	}
	if (!bearer_read(identity->key, demand->refresh_token, BEARER_REFRESH, &bearer)) {
		return 9002313;
	}
	grant->is_refresh = true;
	grant->account = account_find_number(accounts, bearer.account);
	grant->scopes = bearer.scopes;
	if (grant->account == NULL || grant->account->generation != bearer.generation) {
		return 50173;
	}
	return bearer.expires_ms > now_ms ? 0 : 700082;
}

/* A refresh may ask for less than was consented to, never for more.  A code brings what of it was
 * consented to: the person may have left some out (fake_scopes). */
static int narrow_scopes(const char *wanted, struct identity_grant *grant)
{
	uint32_t scopes;

	if (wanted == NULL || *wanted == '\0') {
		return 0;
	}
	if (!scope_parse(wanted, &scopes)) {
		return 70011;
	}
	if (grant->is_refresh && (scopes & ~grant->scopes) != 0) {
		return 65001;
	}
	grant->scopes &= scopes;
	return grant->scopes != 0 ? 0 : 65001;
}

bool identity_redeem(struct identity *identity, const struct accounts *accounts,
		     const struct identity_demand *demand, int64_t now_ms,
		     struct identity_grant *grant, struct identity_problem *problem)
{
	int number = check_client(identity, demand, now_ms);

	*grant = (struct identity_grant){0};
	if (number != 0) {
		return refuse(problem, number);
	}
	if (strcmp(demand->grant_type, "authorization_code") == 0) {
		number = redeem_code(identity, accounts, demand, now_ms, grant);
	} else if (strcmp(demand->grant_type, "refresh_token") == 0) {
		number = redeem_refresh(identity, accounts, demand, now_ms, grant);
	} else {
		number = 70003;
	}
	if (number == 0) {
		number = narrow_scopes(demand->scope, grant);
	}
	return number == 0 || refuse(problem, number);
}

void identity_write_problem(const struct identity_problem *problem, int64_t now_ms, struct buf *out)
{
	char trace[UUID_TEXT_SIZE];
	char stamp[DATETIME_STAMP_SIZE];
	char text[512];
	struct uuid uuid = uuid_random();

	uuid_format(&uuid, trace);
	datetime_stamp(now_ms, stamp);
	stamp[10] = ' '; /* 2026-01-01 00:00:00Z */
	stamp[19] = 'Z';
	stamp[20] = '\0';
	snprintf(text, sizeof text, "AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s",
		 problem->number, problem->text, trace, trace, stamp);
	buf_char(out, '{');
	jsonw_member_text(out, "error", problem->error);
	jsonw_member_text(out, "error_description", text);
	jsonw_key(out, "error_codes");
	buf_format(out, "[%d]", problem->number);
	jsonw_member_text(out, "timestamp", stamp);
	jsonw_member_text(out, "trace_id", trace);
	jsonw_member_text(out, "correlation_id", trace);
	snprintf(text, sizeof text, "https://login.microsoftonline.com/error?code=%d",
		 problem->number);
	jsonw_member_text(out, "error_uri", text);
	if (problem->suberror != NULL) {
		jsonw_member_text(out, "suberror", problem->suberror);
	}
	buf_char(out, '}');
}

/* ---- access tokens ---- */

struct account *identity_authenticate(const struct identity *identity,
				      const struct accounts *accounts, const char *authorization,
				      int64_t now_ms, uint32_t *scopes,
				      struct identity_denial *denial)
{
	struct bearer bearer;
	struct account *account;

	*denial = (struct identity_denial){.why = "Access token is empty."};
	if (authorization == NULL || strncasecmp(authorization, "Bearer ", 7) != 0) {
		return NULL;
	}
	denial->why = "CompactToken parsing failed with error code: 80049217";
	if (!bearer_read(identity->key, authorization + 7, BEARER_ACCESS, &bearer)) {
		return NULL;
	}
	denial->why = "Lifetime validation failed, the token is expired.";
	account = account_find_number(accounts, bearer.account);
	if (account == NULL || bearer.expires_ms <= now_ms) {
		return NULL;
	}
	denial->why =
	    "Continuous access evaluation resulted in challenge: the session was revoked.";
	denial->has_claims = true;
	if (account->generation != bearer.generation) {
		return NULL;
	}
	*scopes = bearer.scopes;
	return account;
}
