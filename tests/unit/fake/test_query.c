/* test_query.c - relative URLs come apart and together again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fake/query.h"

static void a_url_is_split_and_decoded(void **state)
{
	struct query query;
	char *path;

	(void)state;
	assert_true(query_parse("/me/events/a%3D%2Bb+c?$filter=x%20eq%20'a+b'&&$top=3&flag", &path,
				&query));
	assert_string_equal(path, "/me/events/a=+b+c");
	assert_string_equal(query_get(&query, "$filter"), "x eq 'a b'");
	assert_string_equal(query_get(&query, "$top"), "3");
	assert_string_equal(query_get(&query, "flag"), "");
	assert_null(query_get(&query, "$skip"));
	free(path);
	query_close(&query);
}

static void a_broken_escape_or_too_much_is_refused(void **state)
{
	static const char *const WRONG[] = {"/me%",    "/me%2",
					    "/me%zz",  "/me?a=%4",
					    "/me?%=1", "/me?a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a"};

	(void)state;
	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
		struct query query;
		char *path;

		assert_false(query_parse(WRONG[i], &path, &query));
		free(path);
		query_close(&query);
	}
}

static void writing_encodes_and_leaves_one_out(void **state)
{
	struct query query = {0};
	struct buf out;

	(void)state;
	assert_true(query_add(&query, "a", "1 &"));
	assert_true(query_add(&query, "skip", "2"));
	buf_init(&out, 100);
	query_write(&query, "skip", &out);
	assert_string_equal(buf_string(&out), "a=1%20%26&");
	buf_close(&out);
	query_close(&query);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_url_is_split_and_decoded),
	    cmocka_unit_test(a_broken_escape_or_too_much_is_refused),
	    cmocka_unit_test(writing_encodes_and_leaves_one_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
