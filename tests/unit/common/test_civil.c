/* test_civil.c - dates to the day, over four centuries and at every edge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/civil.h"

static void every_day_of_400_years_comes_back(void **state)
{
	int64_t expected = civil_day(1999, 12, 31);

	(void)state;
	assert_int_equal(civil_day(1970, 1, 1), 0);
	assert_int_equal(civil_day(2000, 3, 1), 11017);
	for (int year = 2000; year < 2400; year++) {
		for (int month = 1; month <= 12; month++) {
			for (int day = 1; day <= civil_month_days(year, month); day++) {
				struct civil_date date = civil_date(++expected);

				assert_int_equal(civil_day(year, month, day), expected);
				assert_true(date.year == year && date.month == month &&
					    date.day == day);
			}
		}
	}
	assert_int_equal(civil_month_days(2000, 2), 29);
	assert_int_equal(civil_month_days(2100, 2), 28);
}

static void days_agree_with_known_dates(void **state)
{
	static const struct {
		const char *text;
		int32_t day;
	} KNOWN[] = {
	    {"1970-01-01", 0},	     {"0001-01-01", -719162}, {"1600-12-31", -134775},
	    {"1601-01-01", -134774}, {"1900-02-28", -25509},  {"1900-03-01", -25508},
	    {"1969-12-31", -1},	     {"2000-02-29", 11016},   {"2000-03-01", 11017},
	    {"2024-02-29", 19782},   {"2026-11-23", 20780},   {"2100-02-28", 47540},
	    {"2100-03-01", 47541},   {"4500-12-31", 924428},  {"9999-12-31", 2932896},
	};

	(void)state;
	for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
		int32_t day;

		assert_true(civil_parse_date(KNOWN[i].text, &day));
		assert_int_equal(day, KNOWN[i].day);
	}
}

static void what_is_no_date_is_refused(void **state)
{
	static const char *const NONE[] = {
	    "",
	    "infinity",
	    "-infinity",
	    "2026-02-29",
	    "1900-02-29",
	    "2026-13-01",
	    "2026-00-01",
	    "2026-01-00",
	    "2026-04-31",
	    "10000-01-01",
	    "2026-1-01",
	    "2026/01/01",
	    "2026-01-1x",
	    "0000-01-01",
	    "+026-01-01",
	    "2026-01-01T00",
	    "0044-03-15 BC",
	};
	int32_t day = 7;

	(void)state;
	for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++) {
		assert_false(civil_parse_date(NONE[i], &day));
	}
	assert_int_equal(day, 7);
}

static void dates_count_as_the_calendar_does(void **state)
{
	(void)state;
	assert_int_equal(civil_day(2000, 3, 1) - civil_day(2000, 2, 28), 2);
	assert_int_equal(civil_day(1900, 3, 1) - civil_day(1900, 2, 28), 1);
	assert_int_equal(civil_day(9999, 12, 31), 2932896);
}

static void dates_before_christ_and_far_ahead_come_back(void **state)
{
	static const struct civil_date DATES[] = {{-4712, 1, 1}, {-400, 2, 29}, {-1, 12, 31},
						  {0, 2, 29},	 {0, 3, 1},	{5881580, 7, 11}};

	(void)state;
	for (size_t i = 0; i < sizeof DATES / sizeof *DATES; i++) {
		const struct civil_date *date = &DATES[i];
		struct civil_date again = civil_date(civil_day(date->year, date->month, date->day));

		assert_int_equal(again.year, date->year);
		assert_int_equal(again.month, date->month);
		assert_int_equal(again.day, date->day);
	}
}

static void a_date_is_written_as_it_is_read(void **state)
{
	static const char *const TEXTS[] = {"0001-01-01", "0999-12-31", "2026-03-02", "9999-12-31"};

	(void)state;
	for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
		char text[CIVIL_DATE_SIZE];
		int32_t day;

		assert_true(civil_parse_date(TEXTS[i], &day));
		civil_format_date(day, text);
		assert_string_equal(text, TEXTS[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_day_of_400_years_comes_back),
	    cmocka_unit_test(days_agree_with_known_dates),
	    cmocka_unit_test(what_is_no_date_is_refused),
	    cmocka_unit_test(dates_count_as_the_calendar_does),
	    cmocka_unit_test(dates_before_christ_and_far_ahead_come_back),
	    cmocka_unit_test(a_date_is_written_as_it_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
