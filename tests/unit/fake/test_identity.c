/* test_identity.c - codes and tokens: what they bring, and every way to be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fake/identity.h"

/* RFC 7636 appendix B. */
#define VERIFIER  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define REDIRECT  "http://127.0.0.1:8080/back"

static struct identity identity = {.client_id = "app",
				   .client_secret = "secret",
				   .redirect_uris = "http://other/," REDIRECT,
				   .tenant_id = "t1",
				   .key = {1, 2, 3}};
static struct accounts accounts;
static struct store store;
static struct identity_problem problem;
static struct identity_grant grant;

static int end(void **state)
{
	(void)state;
	code_forget_all(&identity.codes);
	accounts_clear(&accounts, &store);
	return 0;
}

static struct identity_question asked(void)
{
	return (struct identity_question){.tenant = "common",
					  .client_id = "app",
					  .redirect_uri = REDIRECT,
					  .response_type = "code",
					  .scope = "openid offline_access User.Read",
					  .state = "s",
					  .code_challenge = CHALLENGE,
					  .code_challenge_method = "S256",
					  .nonce = "n"};
}

static struct identity_demand demanded(const char *code)
{
	return (struct identity_demand){.tenant = "T1",
					.client_id = "app",
					.client_secret = "secret",
					.grant_type = "authorization_code",
					.code = code,
					.redirect_uri = REDIRECT,
					.code_verifier = VERIFIER};
}

static void issue(char code[CODE_SIZE])
{
	struct identity_question question = asked();

	assert_int_equal(identity_check(&identity, &question, &problem), IDENTITY_GOOD);
	identity_issue_code(&identity, &question, account_put(&accounts, "anna@example.org"), 1000,
			    code);
}

static bool redeems(const struct identity_demand *demand, int64_t now_ms)
{
	return identity_redeem(&identity, &accounts, demand, now_ms, &grant, &problem);
}

static void a_code_brings_its_persons_grant_once(void **state)
{
	char code[CODE_SIZE];
	struct identity_demand demand;

	(void)state;
	issue(code);
	demand = demanded(code);
	assert_true(redeems(&demand, 2000));
	assert_string_equal(grant.account->email, "anna@example.org");
	assert_string_equal(grant.nonce, "n");
	assert_int_equal(grant.scopes, SCOPE_OPENID | SCOPE_OFFLINE_ACCESS | SCOPE_USER_READ);
	assert_false(redeems(&demand, 2000));
	assert_int_equal(problem.number, 54005);
}

static void a_code_dies_after_ten_minutes(void **state)
{
	char code[CODE_SIZE];
	struct identity_demand demand;

	(void)state;
	issue(code);
	demand = demanded(code);
	assert_false(redeems(&demand, 1001 + CODE_LIFE_MS));
	assert_int_equal(problem.number, 70008);
	assert_true(redeems(&demand, 1000 + CODE_LIFE_MS));
}

static void each_mistake_has_its_number(void **state)
{
	char code[CODE_SIZE];
	struct identity_demand right;
	struct identity_demand wrong;

	(void)state;
	issue(code);
	right = demanded(code);
#define REFUSED(member, value, number_, error_)                                                    \
	wrong = right;                                                                             \
	wrong.member = value;                                                                      \
	assert_false(redeems(&wrong, 2000));                                                       \
	assert_int_equal(problem.number, number_);                                                 \
	assert_string_equal(problem.error, error_)
	REFUSED(tenant, "t2", 90002, "invalid_request");
	REFUSED(client_id, NULL, 900144, "invalid_request");
	REFUSED(client_id, "x", 700016, "unauthorized_client");
	REFUSED(client_secret, NULL, 7000218, "invalid_client");
	REFUSED(client_secret, "x", 7000215, "invalid_client");
	REFUSED(grant_type, "password", 70003, "unsupported_grant_type");
	REFUSED(code, "x", 9002313, "invalid_grant");
	REFUSED(redirect_uri, "http://other/", 500112, "invalid_grant");
	REFUSED(code_verifier, NULL, 501481, "invalid_grant");
	REFUSED(code_verifier, "E" VERIFIER, 501481, "invalid_grant");
	assert_true(redeems(&right, 2000));
}

static void a_registered_redirect_matches_exactly(void **state)
{
	static const char *const WRONG[] = {NULL, "", "http://127.0.0.1:8080/bac", REDIRECT "/",
					    "http://other/," REDIRECT};

	(void)state;
	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
		struct identity_question question = asked();

		question.redirect_uri = WRONG[i];
		assert_int_equal(identity_check(&identity, &question, &problem),
				 IDENTITY_TELL_PERSON);
	}
}

static void the_oldest_code_makes_room(void **state)
{
	char first[CODE_SIZE];
	char code[CODE_SIZE];

	(void)state;
	issue(first);
	for (int i = 0; i < CODE_MAX; i++) {
		issue(code);
	}
	assert_int_equal(HASH_COUNT(identity.codes), CODE_MAX);
	struct identity_demand demand = demanded(first);
	assert_false(redeems(&demand, 2000));
}

static void token(enum bearer_kind kind, struct account *account, struct buf *out)
{
	struct bearer bearer = {kind, account->number, account->generation,
				SCOPE_OFFLINE_ACCESS | SCOPE_USER_READ, 5000};

	buf_init(out, BEARER_MAX_BYTES);
	bearer_write(identity.key, &bearer, out);
}

static void an_access_token_lives_until_it_ends_or_is_revoked(void **state)
{
	struct account *account = account_put(&accounts, "anna@example.org");
	uint32_t scopes;
	struct identity_denial denial;
	struct buf header;
	struct buf text;

	(void)state;
	token(BEARER_ACCESS, account, &text);
	buf_init(&header, BEARER_MAX_BYTES);
	buf_format(&header, "Bearer %s", buf_string(&text));
#define WHO(now)                                                                                   \
	identity_authenticate(&identity, &accounts, buf_string(&header), now, &scopes, &denial)
	assert_ptr_equal(WHO(4999), account);
	assert_int_equal(scopes, SCOPE_OFFLINE_ACCESS | SCOPE_USER_READ);
	assert_null(WHO(5000));
	account->generation++;
	assert_null(WHO(4999));
	account->generation--;
	header.data[header.length - 1] ^= 1;
	assert_null(WHO(4999));
	buf_close(&header);
	buf_close(&text);
}

static void a_refresh_token_may_ask_for_less_only(void **state)
{
	struct account *account = account_put(&accounts, "anna@example.org");
	struct identity_demand demand = demanded(NULL);
	struct buf text;

	(void)state;
	token(BEARER_REFRESH, account, &text);
	demand.grant_type = "refresh_token";
	demand.refresh_token = buf_string(&text);
	demand.scope = "https://graph.microsoft.com/User.Read";
	assert_true(redeems(&demand, 2000));
	assert_int_equal(grant.scopes, SCOPE_USER_READ);
	demand.scope = "User.Read Calendars.ReadWrite";
	assert_false(redeems(&demand, 2000));
	assert_string_equal(problem.suberror, "consent_required");
	demand.scope = NULL;
	assert_false(redeems(&demand, 5000));
	assert_int_equal(problem.number, 700082);
	account->generation++;
	assert_false(redeems(&demand, 2000));
	assert_int_equal(problem.number, 50173);
	buf_close(&text);
}

static void one_kind_of_token_is_not_the_other(void **state)
{
	struct account *account = account_put(&accounts, "anna@example.org");
	struct bearer bearer;
	struct buf text;

	(void)state;
	token(BEARER_REFRESH, account, &text);
	assert_true(bearer_read(identity.key, buf_string(&text), BEARER_REFRESH, &bearer));
	assert_false(bearer_read(identity.key, buf_string(&text), BEARER_ACCESS, &bearer));
	assert_false(bearer_read((unsigned char[BEARER_KEY_BYTES]){9}, buf_string(&text),
				 BEARER_REFRESH, &bearer));
	assert_false(bearer_read(identity.key, "", BEARER_REFRESH, &bearer));
	buf_close(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(a_code_brings_its_persons_grant_once, end),
	    cmocka_unit_test_teardown(a_code_dies_after_ten_minutes, end),
	    cmocka_unit_test_teardown(each_mistake_has_its_number, end),
	    cmocka_unit_test_teardown(a_registered_redirect_matches_exactly, end),
	    cmocka_unit_test_teardown(the_oldest_code_makes_room, end),
	    cmocka_unit_test_teardown(an_access_token_lives_until_it_ends_or_is_revoked, end),
	    cmocka_unit_test_teardown(a_refresh_token_may_ask_for_less_only, end),
	    cmocka_unit_test_teardown(one_kind_of_token_is_not_the_other, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
