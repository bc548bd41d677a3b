/* test_buf.c - growth, ceilings, remembered failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"

static void a_new_buffer_is_the_empty_text(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 10);
	assert_string_equal(buf_string(&buf), "");
	assert_false(buf.failed);
	buf_close(&buf);
}

static void everything_added_stands_in_order_and_ends_with_a_nul(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	buf_text(&buf, "ab");
	buf_char(&buf, 'c');
	buf_add(&buf, "de-", 2);
	buf_add(&buf, NULL, 0);
	buf_format(&buf, "%d|%s", 42, "x");
	assert_string_equal(buf_string(&buf), "abcde42|x");
	assert_int_equal(buf.length, 9);
	buf_close(&buf);
}

static void it_grows_up_to_its_ceiling_and_not_a_byte_further(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 1000);
	for (int i = 0; i < 1000; i++) {
		buf_char(&buf, 'x');
	}
	assert_false(buf.failed);
	assert_int_equal(strlen(buf_string(&buf)), 1000);
	buf_char(&buf, 'x');
	assert_true(buf.failed);
	buf_close(&buf);
}

static void a_failure_is_remembered_and_shows_as_the_empty_text(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 4);
	buf_text(&buf, "abc");
	buf_format(&buf, "%s", "too long");
	buf_char(&buf, 'd');
	assert_true(buf.failed);
	assert_string_equal(buf_string(&buf), "");
	assert_null(buf_steal(&buf));
	buf_close(&buf);
}

static void lengths_that_would_overflow_fail(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, SIZE_MAX / 4);
	buf_char(&buf, 'a');
	buf_add(&buf, "b", SIZE_MAX);
	assert_true(buf.failed);
	buf_close(&buf);
}

static void reset_forgets_the_text_and_the_failure(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 3);
	buf_text(&buf, "abc");
	buf_char(&buf, 'd');
	buf_reset(&buf);
	assert_false(buf.failed);
	assert_string_equal(buf_string(&buf), "");
	buf_text(&buf, "xyz");
	assert_string_equal(buf_string(&buf), "xyz");
	buf_close(&buf);
}

static void stealing_hands_the_text_over_even_when_it_is_empty(void **state)
{
	struct buf buf;
	char *text;

	(void)state;
	buf_init(&buf, 10);
	text = buf_steal(&buf);
	assert_string_equal(text, "");
	free(text);
	buf_text(&buf, "mine");
	text = buf_steal(&buf);
	assert_string_equal(text, "mine");
	assert_string_equal(buf_string(&buf), "");
	free(text);
	buf_close(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_new_buffer_is_the_empty_text),
	    cmocka_unit_test(everything_added_stands_in_order_and_ends_with_a_nul),
	    cmocka_unit_test(it_grows_up_to_its_ceiling_and_not_a_byte_further),
	    cmocka_unit_test(a_failure_is_remembered_and_shows_as_the_empty_text),
	    cmocka_unit_test(lengths_that_would_overflow_fail),
	    cmocka_unit_test(reset_forgets_the_text_and_the_failure),
	    cmocka_unit_test(stealing_hands_the_text_over_even_when_it_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
