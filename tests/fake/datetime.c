/* datetime.c - dates and times of day without a zone. */
#include "tests/fake/datetime.h"

#include <stdio.h>
#include <string.h>

#include "common/civil.h"

#define DAY_SECONDS 86400

/* What follows HH:MM: nothing, :SS or :SS.fraction; the seconds or -1. */
static int datetime_read_seconds(const char *text)
{
	int second;
	size_t fraction;

	if (*text == '\0') {
		return 0;
	}
	second = *text == ':' ? civil_digits(text + 1, 2) : -1;
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

bool datetime_parse(const char *text, struct datetime *out)
{
	char date[CIVIL_DATE_SIZE];
	int32_t day;
	int hour;
	int minute;
	int second;

	if (strlen(text) < 16 || text[10] != 'T' || text[13] != ':') {
		return false;
	}
	snprintf(date, sizeof date, "%.10s", text);
	hour = civil_digits(text + 11, 2);
	minute = civil_digits(text + 14, 2);
	second = datetime_read_seconds(text + 16);
	if (!civil_parse_date(date, &day) || day < civil_day(1601, 1, 1) || hour < 0 || hour > 23 ||
	    minute < 0 || minute > 59 || second < 0) {
		return false;
	}
	out->day = day;
	out->second = hour * 3600 + minute * 60 + second;
	return true;
}

void datetime_format(const struct datetime *civil, char text[DATETIME_TEXT_SIZE])
{
	char date[CIVIL_DATE_SIZE];
	char whole[64];

	civil_format_date((int32_t)civil->day, date);
	snprintf(whole, sizeof whole, "%sT%02d:%02d:%02d.0000000", date, civil->second / 3600,
		 civil->second / 60 % 60, civil->second % 60);
	snprintf(text, DATETIME_TEXT_SIZE, "%.27s", whole);
}

void datetime_stamp(int64_t wall_ms, char text[DATETIME_STAMP_SIZE])
{
	int64_t seconds = wall_ms / 1000;
	struct datetime civil = {seconds / DAY_SECONDS, (int32_t)(seconds % DAY_SECONDS)};
	char plain[DATETIME_TEXT_SIZE];
	char whole[64];

	datetime_format(&civil, plain);
	snprintf(whole, sizeof whole, "%.20s%03d0000Z", plain, (int)(wall_ms % 1000));
	snprintf(text, DATETIME_STAMP_SIZE, "%.28s", whole);
}

bool datetime_parse_month(const char *text, int *year, int *month)
{
	if (strlen(text) != 7 || text[4] != '-') {
		return false;
	}
	*year = civil_digits(text, 4);
	*month = civil_digits(text + 5, 2);
	return *year >= 1970 && *month >= 1 && *month <= 12;
}
