/* test_civil.c - dates without a zone, to the day over four centuries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "tests/fake/civil.h"

static void every_day_of_400_years_comes_back(void **state)
{
	int64_t expected = civil_day(1999, 12, 31);

	(void)state;
	assert_int_equal(civil_day(1970, 1, 1), 0);
	assert_int_equal(civil_day(2000, 3, 1), 11017);
	for (int year = 2000; year < 2400; year++) {
		for (int month = 1; month <= 12; month++) {
			for (int day = 1; day <= civil_month_days(year, month); day++) {
				int y;
				int m;
				int d;

				assert_int_equal(civil_day(year, month, day), ++expected);
				civil_date(expected, &y, &m, &d);
				assert_true(y == year && m == month && d == day);
			}
		}
	}
	assert_int_equal(civil_month_days(2000, 2), 29);
	assert_int_equal(civil_month_days(2100, 2), 28);
}

static void a_time_is_read_with_and_without_seconds_and_fraction(void **state)
{
	static const char *const SAME[] = {"2026-03-02T23:59", "2026-03-02T23:59:00",
					   "2026-03-02T23:59:00.0000000"};

	(void)state;
	for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++) {
		struct civil civil;
		char text[CIVIL_TEXT_SIZE];

		assert_true(civil_parse(SAME[i], &civil));
		civil_format(&civil, text);
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
		struct civil civil;

		assert_false(civil_parse(WRONG[i], &civil));
	}
}

static void a_stamp_is_utc_with_seven_digits(void **state)
{
	char text[CIVIL_STAMP_SIZE];

	(void)state;
	civil_stamp(INT64_C(1772334051042), text);
	assert_string_equal(text, "2026-03-01T03:00:51.0420000Z");
}

static void a_month_has_four_and_two_digits(void **state)
{
	static const char *const WRONG[] = {"2026-00", "2026-13", "1969-12",
					    "2026-1",  "2026/01", "x"};
	int year;
	int month;

	(void)state;
	assert_true(civil_parse_month("2026-11", &year, &month));
	assert_true(year == 2026 && month == 11);
	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
		assert_false(civil_parse_month(WRONG[i], &year, &month));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_day_of_400_years_comes_back),
	    cmocka_unit_test(a_time_is_read_with_and_without_seconds_and_fraction),
	    cmocka_unit_test(what_names_a_zone_or_no_day_is_refused),
	    cmocka_unit_test(a_stamp_is_utc_with_seven_digits),
	    cmocka_unit_test(a_month_has_four_and_two_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
