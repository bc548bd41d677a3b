/* test_bytes.c - a reader that never leaves its bytes and remembers failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "producer/bytes.h"

static void numbers_are_big_endian(void **state)
{
	const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	struct bytes in = bytes_of(data, sizeof data);

	(void)state;
	assert_int_equal(bytes_u8(&in), 1);
	assert_int_equal(bytes_u16(&in), 0x0203);
	assert_int_equal(bytes_u32(&in), 0x04050607);
	assert_true(bytes_u64(&in) == UINT64_C(0x08090a0b0c0d0e0f));
	assert_int_equal(bytes_left(&in), 0);
	assert_true(bytes_ok(&in));
}

static void what_is_missing_fails_and_all_that_follows_is_empty(void **state)
{
	const uint8_t data[] = {1, 2, 3};
	struct bytes in = bytes_of(data, sizeof data);

	(void)state;
	assert_int_equal(bytes_u32(&in), 0);
	assert_false(bytes_ok(&in));
	assert_int_equal(bytes_u8(&in), 0);
	assert_string_equal(bytes_cstr(&in), "");
	assert_string_equal(bytes_take(&in, 1), "");
	assert_int_equal(bytes_left(&in), 0);
}

static void a_text_needs_its_end(void **state)
{
	struct bytes whole = bytes_of("one\0two", 8);
	struct bytes cut = bytes_of("open", 4);

	(void)state;
	assert_string_equal(bytes_cstr(&whole), "one");
	assert_string_equal(bytes_cstr(&whole), "two");
	assert_true(bytes_ok(&whole));
	assert_string_equal(bytes_cstr(&cut), "");
	assert_false(bytes_ok(&cut));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_big_endian),
	    cmocka_unit_test(what_is_missing_fails_and_all_that_follows_is_empty),
	    cmocka_unit_test(a_text_needs_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
