/* test_datetime.c - dates and times without a zone, as Graph takes and writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fake/datetime.h"

static void a_time_is_read_with_and_without_seconds_and_fraction(void **state)
{
	static const char *const SAME[] = {"2026-03-02T23:59", "2026-03-02T23:59:00",
					   "2026-03-02T23:59:00.0000000"};

	(void)state;
	for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++) {
		struct datetime civil;
		char text[DATETIME_TEXT_SIZE];

		assert_true(datetime_parse(SAME[i], &civil));
		datetime_format(&civil, text);
		assert_string_equal(text, "2026-03-02T23:59:00.0000000");
	}
}

static void what_names_a_zone_or_no_day_is_refused(void **state)
{
	static const char *const WRONG[] = {"",
					    "2026-03-02",
					    "2026-03-02T00:00:00Z",
					    "2026-03-02T00:00:00+01:00",
					    "2026-02-29T00:00:00",
					    "2026-13-01T00:00:00",
					    "2026-03-02T24:00:00",
					    "2026-03-02T00:60:00",
					    "2026-03-02T00:00:60",
					    "2026-03-02T00:00:00.",
					    "2026-03-02T00:00:00.00000000",
					    "2026-03-02 00:00:00",
					    "26-03-02T00:00:00",
					    "2026-03-02T00:00:00 ",
					    "2026-03-0xT00:00:00"};

	(void)state;
	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
		struct datetime civil;

		assert_false(datetime_parse(WRONG[i], &civil));
	}
}

static void a_stamp_is_utc_with_seven_digits(void **state)
{
	char text[DATETIME_STAMP_SIZE];

	(void)state;
	datetime_stamp(INT64_C(1772334051042), text);
	assert_string_equal(text, "2026-03-01T03:00:51.0420000Z");
}

static void a_month_has_four_and_two_digits(void **state)
{
	static const char *const WRONG[] = {"2026-00", "2026-13", "1969-12",
					    "2026-1",  "2026/01", "x"};
	int year;
	int month;

	(void)state;
	assert_true(datetime_parse_month("2026-11", &year, &month));
	assert_true(year == 2026 && month == 11);
	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
		assert_false(datetime_parse_month(WRONG[i], &year, &month));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_time_is_read_with_and_without_seconds_and_fraction),
	    cmocka_unit_test(what_names_a_zone_or_no_day_is_refused),
	    cmocka_unit_test(a_stamp_is_utc_with_seven_digits),
	    cmocka_unit_test(a_month_has_four_and_two_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
