/* test_oauth.c - what the token endpoint gets, and what each of its answers means for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/oauth.h"

static const struct oauth_client CLIENT = {
    .login_url = "https://login.example",
    .tenant = "common",
    .client_id = "client/id",
    .redirect_uri = "https://app.example/api/auth/microsoft/callback",
};

static const struct oauth_credential SECRET = {.secret = "s&cr=t ~"};

/* What an answer means: tokens to free on true. */
static bool answer(int status, const char *body, struct oauth_tokens *tokens, struct fault *fault)
{
	struct http_reply reply = {.status = status, .retry_after_ms = -1};
	bool ok;

	buf_init(&reply.body, HTTP_REPLY_MAX_BYTES);
	buf_text(&reply.body, body);
	*fault = (struct fault){0};
	ok = oauth_answer(&reply, tokens, fault);
	buf_close(&reply.body);
	return ok;
}

static void assert_means(int status, const char *body, enum fault_kind wanted)
{
	struct oauth_tokens tokens;
	struct fault fault;

	assert_false(answer(status, body, &tokens, &fault));
	if (fault.kind != wanted) {
		fail_msg("%d %s: %s (%s)", status, body, fault_name(fault.kind), fault.what);
	}
	assert_null(tokens.access_token);
	assert_null(tokens.refresh_token);
}

static void the_url_has_the_tenant_encoded(void **state)
{
	struct oauth_client client = CLIENT;
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	oauth_token_url(&out, &client);
	assert_string_equal(buf_string(&out), "https://login.example/common/oauth2/v2.0/token");
	client.tenant = "../evil";
	buf_reset(&out);
	oauth_token_url(&out, &client);
	assert_string_equal(buf_string(&out), "https://login.example/..%2Fevil/oauth2/v2.0/token");
	buf_close(&out);
}

static void a_code_is_exchanged_with_its_verifier(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4000);
	oauth_code_body(&out, &CLIENT, &SECRET, "c+d", "verifier");
	assert_string_equal(
	    buf_string(&out),
	    "client_id=client%2Fid&client_secret=s%26cr%3Dt%20~"
	    "&scope=openid%20profile%20offline_access%20"
	    "https%3A%2F%2Fgraph.microsoft.com%2FCalendars.ReadWrite%20"
	    "https%3A%2F%2Fgraph.microsoft.com%2FUser.Read"
	    "&grant_type=authorization_code&code=c%2Bd"
	    "&redirect_uri=https%3A%2F%2Fapp.example%2Fapi%2Fauth%2Fmicrosoft%2Fcallback"
	    "&code_verifier=verifier");
	buf_close(&out);
}

static void a_refresh_sends_the_refresh_token(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4000);
	oauth_refresh_body(&out, &CLIENT, &SECRET, "r/t", SCOPE_MAILBOX_NONE);
	assert_non_null(strstr(buf_string(&out), "&grant_type=refresh_token&refresh_token=r%2Ft"));
	assert_null(strstr(buf_string(&out), "redirect_uri"));
	buf_close(&out);
}

static void an_assertion_stands_in_the_secrets_place(void **state)
{
	char jwt[] = "a.b-c.d_e";
	const struct oauth_credential credential = {.assertion = jwt};
	struct buf out;

	(void)state;
	buf_init(&out, 4000);
	oauth_refresh_body(&out, &CLIENT, &credential, "r/t", SCOPE_MAILBOX_NONE);
	assert_non_null(strstr(buf_string(&out),
			       "client_id=client%2Fid&client_assertion_type=urn%3Aietf%3Aparams"
			       "%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
			       "&client_assertion=a.b-c.d_e&scope=openid%20"));
	assert_null(strstr(buf_string(&out), "client_secret"));
	buf_close(&out);
}

static void an_answer_with_everything_is_read(void **state)
{
	struct oauth_tokens tokens;
	struct fault fault;

	(void)state;
	assert_true(answer(200,
			   "{\"token_type\":\"Bearer\",\"scope\":\"User.Read\",\"expires_in\":3599,"
			   "\"access_token\":\"at\",\"refresh_token\":\"rt\",\"id_token\":\"it\"}",
			   &tokens, &fault));
	assert_string_equal(tokens.access_token, "at");
	assert_string_equal(tokens.refresh_token, "rt");
	assert_string_equal(tokens.id_token, "it");
	assert_string_equal(tokens.scope, "User.Read");
	assert_int_equal(tokens.expires_in_s, 3599);
	oauth_tokens_free(&tokens);
	assert_null(tokens.access_token);
}

/* bad input 49 */
static void without_a_new_refresh_token_the_old_one_is_kept(void **state)
{
	static const char *const BODIES[] = {
	    "{\"access_token\":\"at\",\"expires_in\":60}",
	    "{\"access_token\":\"at\",\"expires_in\":60,\"refresh_token\":null}",
	    "{\"access_token\":\"at\",\"expires_in\":60,\"refresh_token\":\"\"}",
	};
	struct oauth_tokens tokens;
	struct fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof BODIES / sizeof *BODIES; i++) {
		assert_true(answer(200, BODIES[i], &tokens, &fault));
		assert_null(tokens.refresh_token);
		oauth_tokens_free(&tokens);
	}
}

/* bad input 49 */
static void a_lifetime_is_believed_unless_it_is_nonsense(void **state)
{
	static const struct {
		const char *body;
		int64_t seconds;
	} CASES[] = {
	    {"{\"access_token\":\"at\",\"expires_in\":1}", 1},
	    {"{\"access_token\":\"at\",\"expires_in\":\"3600\"}", 3600},
	    {"{\"access_token\":\"at\",\"expires_in\":86400}", 86400},
	    {"{\"access_token\":\"at\",\"expires_in\":9007199254740991}", 86400},
	    {"{\"access_token\":\"at\",\"expires_in\":-1}", 0},
	    {"{\"access_token\":\"at\",\"expires_in\":\"soon\"}", 0},
	    {"{\"access_token\":\"at\",\"expires_in\":null}", 0},
	    {"{\"access_token\":\"at\"}", 0},
	};
	struct oauth_tokens tokens;
	struct fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		assert_true(answer(200, CASES[i].body, &tokens, &fault));
		assert_int_equal(tokens.expires_in_s, CASES[i].seconds);
		oauth_tokens_free(&tokens);
	}
}

static void a_dead_grant_is_that_user_s_trouble(void **state)
{
	(void)state;
	assert_means(400,
		     "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS50173: revoked\","
		     "\"error_codes\":[50173],\"suberror\":\"bad_token\"}",
		     FAULT_AUTH);
	assert_means(400, "{\"error\":\"interaction_required\"}", FAULT_AUTH);
	assert_means(400, "{\"error\":\"consent_required\"}", FAULT_AUTH);
	assert_means(400, "{\"error\":\"login_required\"}", FAULT_AUTH);
	assert_means(400, "{\"error\":\"access_denied\"}", FAULT_AUTH);
}

static void a_wrong_registration_is_nobody_s_connection(void **state)
{
	(void)state;
	assert_means(401, "{\"error\":\"invalid_client\"}", FAULT_FATAL);
	assert_means(400, "{\"error\":\"unauthorized_client\"}", FAULT_FATAL);
	assert_means(400, "{\"error\":\"invalid_request\"}", FAULT_FATAL);
	assert_means(400, "{\"error\":\"invalid_scope\"}", FAULT_FATAL);
}

static void everything_else_is_tried_again(void **state)
{
	(void)state;
	assert_means(503, "{\"error\":\"temporarily_unavailable\"}", FAULT_RETRY);
	assert_means(500, "{\"error\":\"server_error\"}", FAULT_RETRY);
	assert_means(400, "{\"error\":\"something_new\"}", FAULT_RETRY);
	assert_means(429, "", FAULT_RETRY);
	assert_means(502, "<html>bad gateway</html>", FAULT_RETRY);
	assert_means(200, "", FAULT_RETRY);
	assert_means(200, "{\"access_token\":\"at\",", FAULT_RETRY);
	assert_means(200, "{\"access_token\":\"\"}", FAULT_RETRY);
	assert_means(200, "{\"access_token\":7}", FAULT_RETRY);
	assert_means(200, "[]", FAULT_RETRY);
	assert_means(302, "{\"access_token\":\"at\"}", FAULT_RETRY);
}

static void a_retry_waits_as_long_as_was_asked(void **state)
{
	struct http_reply reply = {.status = 429, .retry_after_ms = 7000};
	struct oauth_tokens tokens;
	struct fault fault;

	(void)state;
	buf_init(&reply.body, 100);
	assert_false(oauth_answer(&reply, &tokens, &fault));
	assert_int_equal(fault.kind, FAULT_RETRY);
	assert_int_equal(fault.retry_after_ms, 7000);
	buf_close(&reply.body);
}

static void no_description_and_no_token_gets_into_the_text(void **state)
{
	struct oauth_tokens tokens;
	struct fault fault;

	(void)state;
	assert_false(answer(400,
			    "{\"error\":\"invalid_grant\",\"error_description\":\"user x@y.z\","
			    "\"access_token\":\"secret\"}",
			    &tokens, &fault));
	assert_null(strstr(fault.what, "x@y.z"));
	assert_null(strstr(fault.what, "secret"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_url_has_the_tenant_encoded),
	    cmocka_unit_test(a_code_is_exchanged_with_its_verifier),
	    cmocka_unit_test(a_refresh_sends_the_refresh_token),
	    cmocka_unit_test(an_assertion_stands_in_the_secrets_place),
	    cmocka_unit_test(an_answer_with_everything_is_read),
	    cmocka_unit_test(without_a_new_refresh_token_the_old_one_is_kept),
	    cmocka_unit_test(a_lifetime_is_believed_unless_it_is_nonsense),
	    cmocka_unit_test(a_dead_grant_is_that_user_s_trouble),
	    cmocka_unit_test(a_wrong_registration_is_nobody_s_connection),
	    cmocka_unit_test(everything_else_is_tried_again),
	    cmocka_unit_test(a_retry_waits_as_long_as_was_asked),
	    cmocka_unit_test(no_description_and_no_token_gets_into_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
