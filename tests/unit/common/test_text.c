/* test_text.c - none, the empty text, and what is too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/text.h"

static void none_is_copied_as_the_empty_text(void **state)
{
	char out[4] = "abc";

	(void)state;
	text_copy(out, sizeof out, NULL);
	assert_string_equal(out, "");
}

static void what_is_too_long_is_cut(void **state)
{
	char out[4];

	(void)state;
	text_copy(out, sizeof out, "abc");
	assert_string_equal(out, "abc");
	text_copy(out, sizeof out, "abcd");
	assert_string_equal(out, "abc");
}

static void the_empty_text_is_none(void **state)
{
	(void)state;
	assert_null(text_or_null(""));
	assert_string_equal(text_or_null("a"), "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(none_is_copied_as_the_empty_text),
	    cmocka_unit_test(what_is_too_long_is_cut),
	    cmocka_unit_test(the_empty_text_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
