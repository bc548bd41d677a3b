/* test_consent.c - where people are sent, and what must come back from there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/base64.h"
#include "connect/consent.h"

#define NOW_S 1800000000

static const char TENANT[] = "11111111-2222-3333-4444-555555555555";
static const char PERSONAL[] = "9188040d-6c67-4c5b-b112-36a304b66dad";
static const struct oauth_client CLIENT = {
    .login_url = "https://login.example",
    .tenant = "common",
    .client_id = "calrelay-client",
    .redirect_uri = "https://app.example/api/auth/microsoft/callback",
};

/* header.payload.signature around claims with one of them replaced. */
struct token {
	const char *iss;
	const char *aud;
	const char *nonce;
	const char *tid;
	const char *oid;
	int64_t exp;
};

static const struct token GOOD = {.aud = "calrelay-client",
				  .nonce = "n0nce",
				  .tid = TENANT,
				  .oid = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
				  .exp = NOW_S + 60};

static enum trouble read_token(const struct token *token, const char *tenant,
			       struct consent_claims *claims)
{
	struct oauth_client client = CLIENT;
	struct buf payload;
	struct buf text;
	char issuer[128];
	enum trouble trouble;

	client.tenant = tenant;
	snprintf(issuer, sizeof issuer, "https://login.example/%s/v2.0", token->tid);
	buf_init(&payload, 2048);
	buf_init(&text, 4096);
	buf_format(&payload,
		   "{\"iss\":\"%s\",\"aud\":\"%s\",\"nonce\":\"%s\",\"tid\":\"%s\",\"oid\":\"%s\","
		   "\"exp\":%ld,"
		   "\"preferred_username\":\"ada@example.com\"}",
		   token->iss != NULL ? token->iss : issuer, token->aud, token->nonce, token->tid,
		   token->oid, (long)token->exp);
	buf_text(&text, "e30.");
	base64url_encode(&text, payload.data, payload.length);
	buf_text(&text, ".sig");
	trouble = consent_claims_read(buf_string(&text), &client, "n0nce", NOW_S, claims);
	buf_close(&payload);
	buf_close(&text);
	return trouble;
}

static void url_carries_all_but_the_secrets(void **state)
{
	struct consent consent = {.state = "STATE", .verifier = "VERIFIER", .nonce = "NONCE"};
	const struct consent_greeting stranger = {.prompt = "select_account"};
	struct buf url;

	(void)state;
	buf_init(&url, 4096);
	consent_url(&url, &CLIENT, &consent, &stranger);
	assert_string_equal(
	    buf_string(&url),
	    "https://login.example/common/oauth2/v2.0/authorize?response_type=code"
	    "&client_id=calrelay-client"
	    "&redirect_uri=https%3A%2F%2Fapp.example%2Fapi%2Fauth%2Fmicrosoft%2Fcallback"
	    "&response_mode=query"
	    "&scope=openid%20profile%20offline_access%20https%3A%2F%2Fgraph.microsoft.com%2F"
	    "Calendars.ReadWrite%20https%3A%2F%2Fgraph.microsoft.com%2FUser.Read"
	    "&state=STATE&nonce=NONCE"
	    "&code_challenge=a1Y-Z7sHPycP84FUZMgqhDyqVo6DdP5EUEXrLaTUge0"
	    "&code_challenge_method=S256&prompt=select_account");
	assert_null(strstr(buf_string(&url), "VERIFIER"));
	buf_close(&url);
}

static void whoever_reconnects_is_greeted_by_name_and_the_name_is_encoded(void **state)
{
	struct consent consent = {.state = "S", .verifier = "V", .nonce = "N"};
	const struct consent_greeting ada = {.login_hint = "ada+x&prompt=none@example.com"};
	struct buf url;

	(void)state;
	buf_init(&url, 4096);
	consent_url(&url, &CLIENT, &consent, &ada);
	assert_non_null(
	    strstr(buf_string(&url), "&login_hint=ada%2Bx%26prompt%3Dnone%40example.com"));
	assert_null(strstr(buf_string(&url), "&prompt="));
	buf_close(&url);
}

static void people_choose_an_account_unless_it_is_known_which(void **state)
{
	(void)state;
	assert_string_equal(consent_prompt(NULL, ""), "select_account");
	assert_string_equal(consent_prompt(NULL, "active"), "select_account");
	assert_null(consent_prompt(NULL, "needs_reconnect"));
	assert_null(consent_prompt(NULL, "disconnecting"));
	assert_string_equal(consent_prompt("select_account", "needs_reconnect"), "select_account");
	assert_string_equal(consent_prompt("consent", "active"), "consent");
	assert_string_equal(consent_prompt("none", ""), "select_account");
}

static void an_administrator_is_asked_in_an_organisation_for_what_people_are_asked(void **state)
{
	struct oauth_client client = CLIENT;
	struct buf url;

	(void)state;
	buf_init(&url, 4096);
	client.mailbox = SCOPE_MAILBOX_READ;
	consent_admin_url(&url, &client);
	assert_string_equal(
	    buf_string(&url),
	    "https://login.example/organizations/v2.0/adminconsent?client_id=calrelay-client"
	    "&scope=openid%20profile%20offline_access%20https%3A%2F%2Fgraph.microsoft.com%2F"
	    "Calendars.ReadWrite%20https%3A%2F%2Fgraph.microsoft.com%2FUser.Read"
	    "%20https%3A%2F%2Fgraph.microsoft.com%2FMailboxSettings.Read"
	    "&redirect_uri=https%3A%2F%2Fapp.example%2Fapi%2Fauth%2Fmicrosoft%2Fcallback"
	    "&state=administrator");
	buf_reset(&url);
	client.tenant = TENANT;
	consent_admin_url(&url, &client);
	assert_non_null(strstr(buf_string(&url), TENANT));
	buf_reset(&url);
	client.tenant = "consumers";
	consent_admin_url(&url, &client);
	assert_int_equal(url.length, 0);
	buf_close(&url);
}

static void an_administrators_return_is_told_from_a_sign_ins(void **state)
{
	(void)state;
	assert_true(consent_is_admins("True", "anything"));
	assert_true(consent_is_admins(NULL, "administrator"));
	assert_false(consent_is_admins(NULL, NULL));
	assert_false(consent_is_admins(NULL, "2hN1W0j1QjDOQv3r2tJ3y6m0p8mQd3m4l8XcK5v9u7s"));
}

static void challenge_is_the_one_of_rfc_7636_appendix_b(void **state)
{
	char challenge[SECRET_SIZE];

	(void)state;
	secret_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", challenge);
	assert_string_equal(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

static void every_sign_in_has_its_own_secrets(void **state)
{
	struct consent first;
	struct consent second;
	struct fault fault;

	(void)state;
	assert_true(consent_make(&first, &fault));
	assert_true(consent_make(&second, &fault));
	assert_int_equal(strlen(first.verifier), 43);
	assert_string_not_equal(first.state, second.state);
	assert_string_not_equal(first.state, first.verifier);
	assert_string_not_equal(first.verifier, first.nonce);
}

static void id_token_of_this_sign_in_names_the_mailbox(void **state)
{
	struct consent_claims claims;

	(void)state;
	assert_int_equal(read_token(&GOOD, "common", &claims), TROUBLE_NONE);
	assert_string_equal(claims.tenant_id, TENANT);
	assert_string_equal(claims.account_id, "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee");
	assert_string_equal(claims.username, "ada@example.com");
}

static void a_stand_in_may_pass_on_what_microsoft_issued_in_its_own_name(void **state)
{
	struct consent_claims claims;
	struct token token = GOOD;

	(void)state;
	token.iss = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0";
	assert_int_equal(read_token(&token, "common", &claims), TROUBLE_NONE);
	assert_string_equal(claims.tenant_id, TENANT);
}

static void id_token_of_anything_else_is_refused(void **state)
{
	struct consent_claims claims;
	struct token bad;

	(void)state;
	bad = GOOD;
	bad.aud = "somebody-else";
	assert_int_equal(read_token(&bad, "common", &claims), TROUBLE_IDENTITY);
	bad = GOOD;
	bad.nonce = "another";
	assert_int_equal(read_token(&bad, "common", &claims), TROUBLE_IDENTITY);
	bad = GOOD;
	bad.oid = "me";
	assert_int_equal(read_token(&bad, "common", &claims), TROUBLE_IDENTITY);
	bad = GOOD;
	bad.tid = "";
	assert_int_equal(read_token(&bad, "common", &claims), TROUBLE_IDENTITY);
	bad = GOOD;
	bad.iss = "https://login.example/common/v2.0";
	assert_int_equal(read_token(&bad, "common", &claims), TROUBLE_IDENTITY);
	bad.iss = "https://evil.example/11111111-2222-3333-4444-555555555555/v2.0";
	assert_int_equal(read_token(&bad, "common", &claims), TROUBLE_IDENTITY);
	bad.iss = "https://login.example/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";
	assert_int_equal(read_token(&bad, "common", &claims), TROUBLE_IDENTITY);
	bad.iss = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";
	assert_int_equal(read_token(&bad, "common", &claims), TROUBLE_IDENTITY);
	bad = GOOD;
	bad.exp = NOW_S - 3600;
	assert_int_equal(read_token(&bad, "common", &claims), TROUBLE_IDENTITY);
	assert_int_equal(consent_claims_read("", &CLIENT, "n", NOW_S, &claims), TROUBLE_IDENTITY);
	assert_int_equal(consent_claims_read("a.%%%.c", &CLIENT, "n", NOW_S, &claims),
			 TROUBLE_IDENTITY);
	assert_int_equal(consent_claims_read("e30.e30.e30", &CLIENT, "n", NOW_S, &claims),
			 TROUBLE_IDENTITY);
}

static void only_accounts_of_the_configured_tenant_are_taken(void **state)
{
	struct consent_claims claims;
	struct token personal = GOOD;

	(void)state;
	personal.tid = PERSONAL;
	assert_int_equal(read_token(&GOOD, TENANT, &claims), TROUBLE_NONE);
	assert_int_equal(read_token(&GOOD, PERSONAL, &claims), TROUBLE_TENANT);
	assert_int_equal(read_token(&GOOD, "organizations", &claims), TROUBLE_NONE);
	assert_int_equal(read_token(&personal, "organizations", &claims), TROUBLE_TENANT);
	assert_int_equal(read_token(&personal, "common", &claims), TROUBLE_NONE);
	assert_int_equal(read_token(&personal, "consumers", &claims), TROUBLE_NONE);
	assert_int_equal(read_token(&GOOD, "consumers", &claims), TROUBLE_TENANT);
	assert_int_equal(read_token(&GOOD, "contoso.example", &claims), TROUBLE_NONE);
}

static void granted_scopes_must_hold_calendar_and_user(void **state)
{
	(void)state;
	assert_true(consent_scopes_suffice(NULL));
	assert_true(consent_scopes_suffice("Calendars.ReadWrite User.Read"));
	assert_true(consent_scopes_suffice("  user.read   https://graph/CALENDARS.READWRITE"));
	assert_false(consent_scopes_suffice("User.Read"));
	assert_false(consent_scopes_suffice("Calendars.Read User.Read"));
	assert_false(consent_scopes_suffice("XCalendars.ReadWrite User.Read"));
	assert_false(consent_scopes_suffice("Calendars.ReadWrite.Shared User.Read"));
	assert_false(consent_scopes_suffice(""));
}

static void microsofts_errors_become_our_codes(void **state)
{
	(void)state;
	assert_int_equal(consent_error("access_denied", NULL), TROUBLE_DENIED);
	assert_int_equal(consent_error("access_denied", "AADSTS65004: no"), TROUBLE_DENIED);
	assert_int_equal(consent_error("access_denied", "AADSTS90094: admin"), TROUBLE_ADMIN);
	assert_int_equal(consent_error("access_denied", "AADSTS90095: admin"), TROUBLE_ADMIN);
	assert_int_equal(consent_error("consent_required", "AADSTS65001: no"), TROUBLE_ADMIN);
	assert_int_equal(consent_error("consent_required", NULL), TROUBLE_ADMIN);
	assert_int_equal(consent_error("interaction_required", "AADSTS50020: x"), TROUBLE_TENANT);
	assert_int_equal(consent_error("interaction_required", "AADSTS50076"), TROUBLE_CHALLENGED);
	assert_int_equal(consent_error("login_required", NULL), TROUBLE_CHALLENGED);
	assert_int_equal(consent_error("temporarily_unavailable", ""), TROUBLE_MICROSOFT_DOWN);
	assert_int_equal(consent_error("server_error", ""), TROUBLE_MICROSOFT_DOWN);
	assert_int_equal(consent_error("invalid_scope", NULL), TROUBLE_REGISTRATION);
	assert_int_equal(consent_error("<script>", NULL), TROUBLE_OTHER);
}

static void every_code_is_found_again_and_no_other(void **state)
{
	(void)state;
	for (int i = TROUBLE_NONE + 1; i < TROUBLES; i++) {
		assert_int_equal(words_find(words_of((enum trouble)i)->code), i);
		assert_true(words_of((enum trouble)i)->way_on[0] != '\0');
	}
	assert_int_equal(words_find("\"><script>"), TROUBLE_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(url_carries_all_but_the_secrets),
	    cmocka_unit_test(whoever_reconnects_is_greeted_by_name_and_the_name_is_encoded),
	    cmocka_unit_test(people_choose_an_account_unless_it_is_known_which),
	    cmocka_unit_test(
		an_administrator_is_asked_in_an_organisation_for_what_people_are_asked),
	    cmocka_unit_test(an_administrators_return_is_told_from_a_sign_ins),
	    cmocka_unit_test(challenge_is_the_one_of_rfc_7636_appendix_b),
	    cmocka_unit_test(every_sign_in_has_its_own_secrets),
	    cmocka_unit_test(id_token_of_this_sign_in_names_the_mailbox),
	    cmocka_unit_test(a_stand_in_may_pass_on_what_microsoft_issued_in_its_own_name),
	    cmocka_unit_test(id_token_of_anything_else_is_refused),
	    cmocka_unit_test(only_accounts_of_the_configured_tenant_are_taken),
	    cmocka_unit_test(granted_scopes_must_hold_calendar_and_user),
	    cmocka_unit_test(microsofts_errors_become_our_codes),
	    cmocka_unit_test(every_code_is_found_again_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
