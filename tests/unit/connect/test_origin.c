/* test_origin.c - whose form it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connect/origin.h"

static struct origin origin_of(const char *url)
{
	struct origin origin;

	assert_true(origin_of_url(&origin, url));
	return origin;
}

static void origin_is_scheme_host_and_port(void **state)
{
	struct origin origin;

	(void)state;
	assert_string_equal(origin_of("https://App.Example/api/x?y#z").text, "https://app.example");
	assert_string_equal(origin_of("https://app.example:443/x").text, "https://app.example");
	assert_string_equal(origin_of("http://127.0.0.1:80").text, "http://127.0.0.1");
	assert_string_equal(origin_of("https://app.example:80/").text, "https://app.example:80");
	assert_true(origin_of("https://app.example/").is_secure);
	assert_false(origin_of("http://localhost:8080/").is_secure);
	assert_false(origin_of_url(&origin, "app.example"));
	assert_false(origin_of_url(&origin, "https:///x"));
}

static void only_our_own_pages_may_post(void **state)
{
	struct origin own = origin_of("https://app.example/api");

	(void)state;
	assert_true(origin_is_own(&own, "https://app.example", NULL, "app.example"));
	assert_false(origin_is_own(&own, "http://app.example", NULL, "app.example"));
	assert_false(origin_is_own(&own, "https://evil.example", NULL, "evil.example"));
	assert_false(origin_is_own(&own, "https://app.example.evil.example", NULL, NULL));
	assert_false(origin_is_own(&own, "null", "same-origin", "app.example"));
}

static void without_an_origin_the_browser_must_say_same_origin(void **state)
{
	struct origin own = origin_of("https://app.example/api");

	(void)state;
	assert_true(origin_is_own(&own, NULL, "same-origin", "app.example"));
	assert_false(origin_is_own(&own, NULL, "cross-site", "app.example"));
	assert_false(origin_is_own(&own, NULL, "same-site", "app.example"));
	assert_false(origin_is_own(&own, NULL, NULL, "app.example"));
}

static void loopback_has_many_names(void **state)
{
	struct origin own = origin_of("http://localhost:8080/api");

	(void)state;
	assert_true(origin_is_own(&own, "http://localhost:8080", NULL, NULL));
	assert_true(origin_is_own(&own, "http://127.0.0.1:8080", NULL, "127.0.0.1:8080"));
	assert_false(origin_is_own(&own, "http://127.0.0.1:9999", NULL, "127.0.0.1:8080"));
	assert_false(origin_is_own(&own, "https://evil.example", NULL, "localhost:8080"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(origin_is_scheme_host_and_port),
	    cmocka_unit_test(only_our_own_pages_may_post),
	    cmocka_unit_test(without_an_origin_the_browser_must_say_same_origin),
	    cmocka_unit_test(loopback_has_many_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
