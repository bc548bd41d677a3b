/* civil.c - dates and times of day without a zone. */
#include "tests/fake/civil.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_SECONDS 86400

/* Days from civil and back: counted in 400-year eras that begin on a 1st of March. */
int64_t civil_day(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

void civil_date(int64_t number, int *year, int *month, int *day)
{
	int64_t z = number + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t day_of_era = z - era * 146097;
	int64_t year_of_era =
	    (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
	    day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t m = (5 * day_of_year + 2) / 153;

	*day = (int)(day_of_year - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = (int)(year_of_era + era * 400 + (*month <= 2 ? 1 : 0));
}

int civil_month_days(int year, int month)
{
	int next_year = month == 12 ? year + 1 : year;
	int next_month = month == 12 ? 1 : month + 1;

	return (int)(civil_day(next_year, next_month, 1) - civil_day(year, month, 1));
}

/* Exactly `digits` digits at text as a number, or -1. */
static int civil_number(const char *text, int digits)
{
	int number = 0;

	for (int i = 0; i < digits; i++) {
		if (!isdigit((unsigned char)text[i])) {
			return -1;
		}
		number = number * 10 + (text[i] - '0');
	}
	return number;
}

/* What follows HH:MM: nothing, :SS or :SS.fraction; the seconds or -1. */
static int civil_seconds(const char *text)
{
	int second;
	size_t fraction;

	if (*text == '\0') {
		return 0;
	}
	second = *text == ':' ? civil_number(text + 1, 2) : -1;
	if (second < 0 || second > 59) {
		return -1;
	}
	if (text[3] == '\0') {
		return second;
	}
	fraction = strspn(text + 4, "0123456789");
	return text[3] == '.' && fraction >= 1 && fraction <= 7 && text[4 + fraction] == '\0'
		   ? second
		   : -1;
}

bool civil_parse(const char *text, struct civil *out)
{
	int year;
	int month;
	int day;
	int hour;
	int minute;
	int second;

	if (strlen(text) < 16 || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
	    text[13] != ':') {
		return false;
	}
	year = civil_number(text, 4);
	month = civil_number(text + 5, 2);
	day = civil_number(text + 8, 2);
	hour = civil_number(text + 11, 2);
	minute = civil_number(text + 14, 2);
	second = civil_seconds(text + 16);
	if (year < 1601 || month < 1 || month > 12 || day < 1 ||
	    day > civil_month_days(year, month) || hour < 0 || hour > 23 || minute < 0 ||
	    minute > 59 || second < 0) {
		return false;
	}
	out->day = civil_day(year, month, day);
	out->second = hour * 3600 + minute * 60 + second;
	return true;
}

void civil_format(const struct civil *civil, char text[CIVIL_TEXT_SIZE])
{
	char whole[64];
	int year;
	int month;
	int day;

	civil_date(civil->day, &year, &month, &day);
	snprintf(whole, sizeof whole, "%04d-%02d-%02dT%02d:%02d:%02d.0000000", year, month, day,
		 civil->second / 3600, civil->second / 60 % 60, civil->second % 60);
	snprintf(text, CIVIL_TEXT_SIZE, "%.27s", whole);
}

void civil_stamp(int64_t wall_ms, char text[CIVIL_STAMP_SIZE])
{
	int64_t seconds = wall_ms / 1000;
	struct civil civil = {seconds / DAY_SECONDS, (int32_t)(seconds % DAY_SECONDS)};
	char plain[CIVIL_TEXT_SIZE];
	char whole[64];

	civil_format(&civil, plain);
	snprintf(whole, sizeof whole, "%.20s%03d0000Z", plain, (int)(wall_ms % 1000));
	snprintf(text, CIVIL_STAMP_SIZE, "%.28s", whole);
}

bool civil_parse_month(const char *text, int *year, int *month)
{
	if (strlen(text) != 7 || text[4] != '-') {
		return false;
	}
	*year = civil_number(text, 4);
	*month = civil_number(text + 5, 2);
	return *year >= 1970 && *month >= 1 && *month <= 12;
}
