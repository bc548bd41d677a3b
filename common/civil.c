/* civil.c - dates as days since 1970-01-01 and back.
 *
 * Counted in 400-year eras that begin on 1 March.  Source: Howard Hinnant, "chrono-Compatible
 * Low-Level Date Algorithms". */
#include "common/civil.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ERA_DAYS     146097
#define ERA_TO_EPOCH 719468 /* from 0000-03-01 to 1970-01-01 */

int64_t civil_day(int64_t year, int month, int day)
{
	int64_t shifted = month <= 2 ? year - 1 : year;
	int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
	int64_t year_of_era = shifted - era * 400;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * ERA_DAYS + day_of_era - ERA_TO_EPOCH;
}

struct civil_date civil_date(int64_t day)
{
	int64_t shifted = day + ERA_TO_EPOCH;
	int64_t era = (shifted >= 0 ? shifted : shifted - (ERA_DAYS - 1)) / ERA_DAYS;
	int64_t day_of_era = shifted - era * ERA_DAYS;
	int64_t year_of_era =
	    (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
	    day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;
	int month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);

	return (struct civil_date){.year = year_of_era + era * 400 + (month <= 2 ? 1 : 0),
				   .month = month,
				   .day =
				       (int)(day_of_year - (153 * month_from_march + 2) / 5) + 1};
}

int civil_month_days(int64_t year, int month)
{
	int64_t next_year = month == 12 ? year + 1 : year;
	int next_month = month == 12 ? 1 : month + 1;

	return (int)(civil_day(next_year, next_month, 1) - civil_day(year, month, 1));
}

int civil_digits(const char *text, int digits)
{
	int number = 0;

	for (int i = 0; i < digits; i++) {
		if (text[i] < '0' || text[i] > '9') {
			return -1;
		}
		number = number * 10 + (text[i] - '0');
	}
	return number;
}

bool civil_parse_date(const char *text, int32_t *day)
{
	int year;
	int month;
	int of_month;

	if (strlen(text) != CIVIL_DATE_SIZE - 1 || text[4] != '-' || text[7] != '-') {
		return false;
	}
	year = civil_digits(text, 4);
	month = civil_digits(text + 5, 2);
	of_month = civil_digits(text + 8, 2);
	if (year < 1 || month < 1 || month > 12 || of_month < 1 ||
	    of_month > civil_month_days(year, month)) {
		return false;
	}
	*day = (int32_t)civil_day(year, month, of_month);
	return true;
}

void civil_format_date(int32_t day, char text[CIVIL_DATE_SIZE])
{
	struct civil_date date = civil_date(day);
	char whole[64];

	snprintf(whole, sizeof whole, "%04" PRId64 "-%02d-%02d", date.year, date.month, date.day);
	snprintf(text, CIVIL_DATE_SIZE, "%.10s", whole);
}
