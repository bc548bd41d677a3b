/* test_digits.c - numbers as printf would write them. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/digits.h"

#define GUARD '#'

/* Around every power of ten and of two, where a digit more or less begins. */
static size_t make_numbers(uint64_t numbers[512])
{
	size_t count = 0;
	uint64_t power = 1;

	for (int i = 0; i < 20; i++, power *= 10) {
		numbers[count++] = power - 1;
		numbers[count++] = power;
		numbers[count++] = power + 1;
	}
	for (int i = 0; i < 64; i++) {
		numbers[count++] = (UINT64_C(1) << i) - 1;
		numbers[count++] = UINT64_C(1) << i;
	}
	numbers[count++] = UINT64_MAX;
	return count;
}

/* What was written, and that nothing was written behind it. */
static void assert_written(const char *text, size_t length, const char *wanted)
{
	assert_int_equal(length, strlen(wanted));
	assert_memory_equal(text, wanted, length);
	assert_int_equal(text[length], GUARD);
}

static void numbers_are_written_as_printf_writes_them(void **state)
{
	uint64_t numbers[512];
	size_t count = make_numbers(numbers);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		char text[DIGITS_MAX + 1];
		char wanted[32];

		memset(text, GUARD, sizeof text);
		snprintf(wanted, sizeof wanted, "%" PRIu64, numbers[i]);
		assert_written(text, digits_write_unsigned(text, numbers[i]), wanted);
		memset(text, GUARD, sizeof text);
		snprintf(wanted, sizeof wanted, "%" PRId64, (int64_t)numbers[i]);
		assert_written(text, digits_write(text, (int64_t)numbers[i]), wanted);
	}
}

static void a_padded_number_fills_its_width(void **state)
{
	char text[8];

	(void)state;
	memset(text, GUARD, sizeof text);
	digits_write_padded(text, 6, 517);
	assert_written(text, 6, "000517");
	digits_write_padded(text, 6, 999999);
	assert_written(text, 6, "999999");
	digits_write_padded(text, 6, 1234567);
	assert_written(text, 6, "234567");
}

static void hex_digits_are_small_and_fill_their_width(void **state)
{
	char text[17];

	(void)state;
	memset(text, GUARD, sizeof text);
	digits_write_hex(text, 16, UINT64_C(0xFEDCBA9876543210));
	assert_written(text, 16, "fedcba9876543210");
	digits_write_hex(text, 16, 0x16b3748);
	assert_written(text, 16, "00000000016b3748");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_written_as_printf_writes_them),
	    cmocka_unit_test(a_padded_number_fills_its_width),
	    cmocka_unit_test(hex_digits_are_small_and_fill_their_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
