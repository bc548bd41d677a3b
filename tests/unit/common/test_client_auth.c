/* test_client_auth.c - one of three methods, what each sends, and what is said of it. */
#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base64.h"
#include "common/client_auth.h"
#include "tests/unit/common/pem.h"

#define DAY_S 86400L
#define NOW_S INT64_C(1700000000)

static const struct oauth_client CLIENT = {
    .login_url = "https://login.example", .tenant = "t", .client_id = "app"};

static EVP_PKEY *rsa;
static char folder[] = "/tmp/client_auth.XXXXXX";
static char path[64];

static int begin(void **state)
{
	(void)state;
	rsa = EVP_RSA_gen(2048);
	snprintf(path, sizeof path, "%s/token", mkdtemp(folder));
	return 0;
}

static int end(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa);
	unlink(path);
	return rmdir(folder);
}

static void put_file(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* A JWT whose signature nobody here looks at; allocated. */
static char *jwt_of(const char *claims)
{
	struct buf out;

	buf_init(&out, 4096);
	base64url_encode(&out, "{}", 2);
	buf_char(&out, '.');
	base64url_encode(&out, claims, strlen(claims));
	buf_text(&out, ".c2ln");
	return buf_steal(&out);
}

/* Key and certificate; allocated. */
static char *certificate(long begins_s, long ends_s)
{
	char *key = pem_of_key(rsa, NULL);
	char *own = pem_of_certificate(rsa, begins_s, ends_s);
	char *both = pem_joined(key, own);

	free(key);
	free(own);
	return both;
}

static void assert_fatal(bool ok, const struct fault *fault, const char *why)
{
	assert_false(ok);
	assert_int_equal(fault->kind, FAULT_FATAL);
	if (strstr(fault->what, why) == NULL) {
		fail_msg("'%s' does not say '%s'", fault->what, why);
	}
}

static void exactly_one_of_three_is_set(void **state)
{
	static const struct client_auth_settings WRONG[] = {{NULL, NULL, NULL},
							    {"s", "c", NULL},
							    {"s", NULL, "f"},
							    {NULL, "c", "f"},
							    {"s", "c", "f"}};
	struct client_auth auth;
	struct fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
		bool ok = client_auth_open(&auth, &WRONG[i], &fault);

		assert_fatal(ok, &fault, i == 0 ? "none of" : "more than one of");
		assert_fatal(ok, &fault, "MICROSOFT_CLIENT_SECRET");
		assert_fatal(ok, &fault, "MICROSOFT_CLIENT_CERTIFICATE_FILE");
		assert_fatal(ok, &fault, "MICROSOFT_FEDERATED_TOKEN_FILE");
		client_auth_close(&auth);
	}
}

static void a_secret_is_sent_as_it_is(void **state)
{
	const struct client_auth_settings settings = {.secret = "s"};
	struct client_auth_finding finding;
	struct oauth_credential credential;
	struct client_auth auth;
	struct fault fault;

	(void)state;
	assert_true(client_auth_open(&auth, &settings, &fault));
	assert_true(client_auth_prove(&auth, &CLIENT, &credential, &fault));
	assert_string_equal(credential.secret, "s");
	assert_null(credential.assertion);
	oauth_credential_forget(&credential);
	client_auth_inspect(&auth, NOW_S, &finding);
	assert_int_equal(finding.state, CLIENT_AUTH_GOOD);
	assert_null(strstr(finding.text, "\"s\""));
	client_auth_close(&auth);
}

static void a_certificate_signs_a_fresh_assertion_for_each_request(void **state)
{
	char *pem = certificate(0, DAY_S);
	const struct client_auth_settings settings = {.certificate = pem};
	struct oauth_credential one;
	struct oauth_credential two;
	struct client_auth auth;
	struct fault fault;
	size_t claims;

	(void)state;
	assert_true(client_auth_open(&auth, &settings, &fault));
	assert_true(client_auth_prove(&auth, &CLIENT, &one, &fault));
	assert_true(client_auth_prove(&auth, &CLIENT, &two, &fault));
	assert_null(one.secret);
	claims = (size_t)(strrchr(one.assertion, '.') - one.assertion);
	assert_memory_not_equal(one.assertion, two.assertion, claims); /* another jti */
	oauth_credential_forget(&one);
	oauth_credential_forget(&two);
	assert_null(two.assertion);
	client_auth_close(&auth);
	free(pem);
}

static void a_certificate_is_said_to_end(void **state)
{
	static const struct {
		long begins_s;
		long ends_s;
		enum client_auth_state state;
		const char *text;
	} CASES[] = {
	    {-DAY_S, 100 * DAY_S + 60, CLIENT_AUTH_GOOD, "100 days left"},
	    {-DAY_S, 30 * DAY_S + 60, CLIENT_AUTH_GOOD, "30 days left"},
	    {-DAY_S, 30 * DAY_S - 60, CLIENT_AUTH_AGEING, "29 days left"},
	    {-DAY_S, 60, CLIENT_AUTH_AGEING, "0 days left"},
	    {-DAY_S, -1, CLIENT_AUTH_UNUSABLE, "expired on 20"},
	    {60, DAY_S, CLIENT_AUTH_UNUSABLE, "not valid yet"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		char *pem = certificate(CASES[i].begins_s, CASES[i].ends_s);
		const struct client_auth_settings settings = {.certificate = pem};
		struct client_auth_finding finding;
		struct client_auth auth;
		struct fault fault;

		assert_true(client_auth_open(&auth, &settings, &fault)); /* also when expired */
		client_auth_inspect(&auth, time(NULL), &finding);
		assert_int_equal(finding.state, CASES[i].state);
		assert_non_null(strstr(finding.text, CASES[i].text));
		client_auth_close(&auth);
		free(pem);
	}
}

static void a_federated_token_is_read_for_each_request(void **state)
{
	const struct client_auth_settings settings = {.token_file = path};
	struct oauth_credential credential;
	struct client_auth auth;
	struct fault fault;

	(void)state;
	put_file("a.b.c");
	assert_true(client_auth_open(&auth, &settings, &fault));
	put_file(" \n d.e.f\r\n\n");
	assert_true(client_auth_prove(&auth, &CLIENT, &credential, &fault));
	assert_string_equal(credential.assertion, "d.e.f");
	assert_null(credential.secret);
	oauth_credential_forget(&credential);
	client_auth_close(&auth);
}

static void assert_unreadable(const char *why)
{
	const struct client_auth auth = {.settings = {.token_file = path}};
	struct client_auth_finding finding;
	struct oauth_credential credential;
	struct client_auth opened;
	struct fault fault;

	assert_fatal(client_auth_prove(&auth, &CLIENT, &credential, &fault), &fault, why);
	assert_null(credential.assertion);
	assert_fatal(client_auth_open(&opened, &auth.settings, &fault), &fault, why);
	client_auth_inspect(&auth, NOW_S, &finding);
	assert_int_equal(finding.state, CLIENT_AUTH_UNUSABLE);
	assert_non_null(strstr(finding.text, why));
}

static void a_federated_token_that_cannot_be_read_is_nobodys_trouble(void **state)
{
	char large[20000];

	(void)state;
	memset(large, 'a', sizeof large - 1);
	large[sizeof large - 1] = '\0';
	put_file("");
	assert_unreadable("does not hold a token");
	put_file("one two");
	assert_unreadable("does not hold a token");
	put_file("a&b=c");
	assert_unreadable("does not hold a token");
	put_file(large);
	assert_unreadable("at most");
	unlink(path);
	assert_unreadable("can't open");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_unreadable("can't read");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_unreadable("can't read");
	rmdir(path);
}

static void a_federated_token_is_said_to_end(void **state)
{
	static const struct {
		const char *claims;
		enum client_auth_state state;
		const char *text;
	} CASES[] = {
	    {"{\"iss\":\"https://k\",\"sub\":\"system:x\",\"exp\":1700003600}", CLIENT_AUTH_GOOD,
	     "of https://k for system:x, 60 minutes left"},
	    {"{\"iss\":\"https://k\",\"sub\":\"system:x\",\"exp\":1700000000}",
	     CLIENT_AUTH_UNUSABLE, "expired"},
	    {"{\"iss\":\"https://k\",\"sub\":\"system:x\"}", CLIENT_AUTH_UNUSABLE, "no service"},
	    {"{\"sub\":\"system:x\",\"exp\":1700003600}", CLIENT_AUTH_UNUSABLE, "no service"},
	    {"[]", CLIENT_AUTH_UNUSABLE, "no service"},
	    {"", CLIENT_AUTH_UNUSABLE, "no service"},
	};
	const struct client_auth auth = {.settings = {.token_file = path}};

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		struct client_auth_finding finding;
		char *jwt = jwt_of(CASES[i].claims);

		put_file(jwt);
		client_auth_inspect(&auth, NOW_S, &finding);
		assert_int_equal(finding.state, CASES[i].state);
		assert_non_null(strstr(finding.text, CASES[i].text));
		free(jwt);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(exactly_one_of_three_is_set),
	    cmocka_unit_test(a_secret_is_sent_as_it_is),
	    cmocka_unit_test(a_certificate_signs_a_fresh_assertion_for_each_request),
	    cmocka_unit_test(a_certificate_is_said_to_end),
	    cmocka_unit_test(a_federated_token_is_read_for_each_request),
	    cmocka_unit_test(a_federated_token_that_cannot_be_read_is_nobodys_trouble),
	    cmocka_unit_test(a_federated_token_is_said_to_end),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
