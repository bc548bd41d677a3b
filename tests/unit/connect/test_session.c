/* test_session.c - the session cookie, its CSRF token and what OAuth states are bound to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "connect/session.h"

#define NOW_S 1800000000

static const struct identity ADA = {"0b7c4c8e-5a3f-4a52-9f0e-6d1f6f2a7c11", NOW_S + 600};
static const char KEYS[] = "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
static const char OTHER_KEYS[] = "k1:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=\n";

static struct seal_keys *keys_of(const char *text)
{
	struct fault fault;
	struct seal_keys *keys = seal_keys_new(text, &fault);

	assert_non_null(keys);
	return keys;
}

static struct session session_of(const struct identity *identity)
{
	struct session session;
	struct fault fault;

	assert_true(session_begin(&session, identity, NOW_S, &fault));
	return session;
}

static void cookie_opens_as_what_was_sealed(void **state)
{
	struct seal_keys *keys = keys_of(KEYS);
	struct session session = session_of(&ADA);
	struct session opened;
	struct fault fault;
	struct buf value;

	(void)state;
	buf_init(&value, SESSION_COOKIE_MAX);
	assert_true(session_seal(&session, keys, &value, &fault));
	assert_int_equal(strspn(buf_string(&value),
				"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
				"wxyz0123456789-_"),
			 value.length);
	assert_null(strstr(buf_string(&value), "0b7c4c8e"));
	assert_true(session_open(&opened, keys, buf_string(&value), NOW_S, &fault));
	assert_string_equal(opened.user_id, session.user_id);
	assert_string_equal(opened.id, session.id);
	assert_int_equal(opened.expires_s, NOW_S + 600);
	buf_close(&value);
	seal_keys_free(keys);
}

static void altered_foreign_and_ended_cookies_do_not_open(void **state)
{
	struct seal_keys *keys = keys_of(KEYS);
	struct seal_keys *others = keys_of(OTHER_KEYS);
	struct session session = session_of(&ADA);
	struct session opened;
	struct fault fault;
	struct buf value;

	(void)state;
	buf_init(&value, SESSION_COOKIE_MAX);
	assert_true(session_seal(&session, keys, &value, &fault));
	assert_false(session_open(&opened, keys, buf_string(&value), NOW_S + 600, &fault));
	assert_int_equal(fault.kind, FAULT_AUTH);
	assert_false(session_open(&opened, others, buf_string(&value), NOW_S, &fault));
	assert_false(session_open(&opened, keys, "", NOW_S, &fault));
	assert_false(session_open(&opened, keys, "not.ours", NOW_S, &fault));
	value.data[value.length / 2] ^= 1;
	assert_false(session_open(&opened, keys, buf_string(&value), NOW_S, &fault));
	buf_close(&value);
	seal_keys_free(keys);
	seal_keys_free(others);
}

static void session_ends_with_its_jwt_and_within_half_a_day(void **state)
{
	struct identity forever = ADA;

	(void)state;
	assert_int_equal(session_of(&ADA).expires_s, NOW_S + 600);
	forever.expires_s = NOW_S + 10 * 365L * 86400L;
	assert_int_equal(session_of(&forever).expires_s, NOW_S + SESSION_MAX_S);
}

static void csrf_token_belongs_to_one_session(void **state)
{
	struct session mine = session_of(&ADA);
	struct session other = session_of(&ADA);
	char token[SESSION_HASH_SIZE];

	(void)state;
	session_csrf(&mine, token);
	assert_true(session_csrf_matches(&mine, token));
	assert_false(session_csrf_matches(&other, token));
	assert_false(session_csrf_matches(&mine, NULL));
	assert_false(session_csrf_matches(&mine, ""));
	assert_null(strstr(token, mine.id));
	token[3] ^= 1;
	assert_false(session_csrf_matches(&mine, token));
}

static void oauth_is_bound_to_the_browser_or_to_the_bearer(void **state)
{
	struct session mine = session_of(&ADA);
	struct session other = session_of(&ADA);
	struct session bearer;
	char first[SESSION_HASH_SIZE];
	char second[SESSION_HASH_SIZE];

	(void)state;
	session_binding(&mine, first);
	session_binding(&other, second);
	assert_string_not_equal(first, second);
	session_bearer(&bearer, &ADA);
	assert_true(session_is_bearer(&bearer));
	assert_false(session_is_bearer(&mine));
	session_binding(&bearer, first);
	assert_string_not_equal(first, second);
	session_csrf(&mine, second);
	session_binding(&mine, first);
	assert_string_not_equal(first, second);
}

static void cookie_is_httponly_lax_and_secure_where_it_can_be(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 512);
	session_set_cookie(&out, "v", true, 60);
	assert_string_equal(
	    buf_string(&out),
	    "__Host-calrelay=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
	buf_reset(&out);
	session_set_cookie(&out, "v", false, 60);
	assert_string_equal(buf_string(&out),
			    "calrelay=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
	buf_close(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cookie_opens_as_what_was_sealed),
	    cmocka_unit_test(altered_foreign_and_ended_cookies_do_not_open),
	    cmocka_unit_test(session_ends_with_its_jwt_and_within_half_a_day),
	    cmocka_unit_test(csrf_token_belongs_to_one_session),
	    cmocka_unit_test(oauth_is_bound_to_the_browser_or_to_the_bearer),
	    cmocka_unit_test(cookie_is_httponly_lax_and_secure_where_it_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
