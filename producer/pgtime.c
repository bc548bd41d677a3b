/* pgtime.c - reads PostgreSQL's text of dates, times and intervals. */
#include "producer/pgtime.h"

#include <string.h>

#include "common/civil.h"

#define US_PER_S  INT64_C(1000000)
#define S_PER_DAY 86400

#define INTERVAL_TEXT_MAX 256

struct cursor {
	const char *at;
	const char *end;
};

static bool cursor_has(const struct cursor *in, char c)
{
	return in->at < in->end && *in->at == c;
}

static bool cursor_skip(struct cursor *in, char c)
{
	if (!cursor_has(in, c)) {
		return false;
	}
	in->at++;
	return true;
}

static bool cursor_word(struct cursor *in, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0) {
		return false;
	}
	in->at += length;
	return true;
}

/* least..most digits; the digits' count in *digits where wanted. */
static bool cursor_number(struct cursor *in, int least, int most, int64_t *value, int *digits)
{
	int count = 0;

	*value = 0;
	while (count < most && in->at < in->end && *in->at >= '0' && *in->at <= '9') {
		*value = *value * 10 + (*in->at++ - '0');
		count++;
	}
	if (digits != NULL) {
		*digits = count;
	}
	return count >= least;
}

static bool cursor_two(struct cursor *in, int *value)
{
	if (in->end - in->at < 2) {
		return false;
	}
	*value = civil_digits(in->at, 2);
	in->at += 2;
	return *value >= 0;
}

int pgtime_infinity(const char *text, size_t length)
{
	if (length == 8 && memcmp(text, "infinity", 8) == 0) {
		return 1;
	}
	return length == 9 && memcmp(text, "-infinity", 9) == 0 ? -1 : 0;
}

static bool read_ymd(struct cursor *in, struct pgtime *time)
{
	return cursor_number(in, 4, 7, &time->year, NULL) && cursor_skip(in, '-') &&
	       cursor_two(in, &time->month) && cursor_skip(in, '-') && cursor_two(in, &time->day) &&
	       time->month >= 1 && time->month <= 12 && time->day >= 1 && time->day <= 31;
}

static bool read_hms(struct cursor *in, struct pgtime *time)
{
	int64_t fraction = 0;
	int digits = 0;

	if (!cursor_two(in, &time->hour) || !cursor_skip(in, ':') ||
	    !cursor_two(in, &time->minute) || !cursor_skip(in, ':') ||
	    !cursor_two(in, &time->second)) {
		return false;
	}
	if (cursor_skip(in, '.') && !cursor_number(in, 1, 6, &fraction, &digits)) {
		return false;
	}
	for (; digits < 6 && fraction > 0; digits++) {
		fraction *= 10;
	}
	time->micros = (int32_t)fraction;
	return time->hour <= 24 && time->minute < 60 && time->second < 60;
}

/* +HH, +HH:MM or +HH:MM:SS; nothing at all is no offset. */
static bool read_offset(struct cursor *in, struct pgtime *time)
{
	int sign = cursor_has(in, '-') ? -1 : 1;
	int hours;
	int minutes = 0;
	int seconds = 0;

	if (!cursor_skip(in, '+') && !cursor_skip(in, '-')) {
		return true;
	}
	if (!cursor_two(in, &hours) || (cursor_skip(in, ':') && !cursor_two(in, &minutes)) ||
	    (cursor_skip(in, ':') && !cursor_two(in, &seconds))) {
		return false;
	}
	time->offset_s = sign * (hours * 3600 + minutes * 60 + seconds);
	return true;
}

static bool read_end(struct cursor *in, struct pgtime *time)
{
	if (cursor_word(in, " BC")) {
		time->year = 1 - time->year;
	}
	return in->at == in->end &&
	       (time->day <= 28 || time->day <= civil_month_days(time->year, time->month));
}

bool pgtime_read_date(const char *text, size_t length, struct pgtime *time)
{
	struct cursor in = {text, text + length};

	*time = (struct pgtime){0};
	return read_ymd(&in, time) && read_end(&in, time);
}

bool pgtime_read_time(const char *text, size_t length, struct pgtime *time)
{
	struct cursor in = {text, text + length};

	*time = (struct pgtime){0};
	return read_hms(&in, time) && read_offset(&in, time) && in.at == in.end;
}

bool pgtime_read_timestamp(const char *text, size_t length, struct pgtime *time)
{
	struct cursor in = {text, text + length};

	*time = (struct pgtime){0};
	return read_ymd(&in, time) && cursor_skip(&in, ' ') && read_hms(&in, time) &&
	       read_offset(&in, time) && read_end(&in, time);
}

int64_t pgtime_day_us(const struct pgtime *time)
{
	return ((time->hour * INT64_C(60) + time->minute) * 60 + time->second) * US_PER_S +
	       time->micros;
}

void pgtime_to_utc(struct pgtime *time)
{
	struct civil_date date;
	int64_t days;
	int64_t seconds;

	if (time->offset_s == 0 && time->hour < 24) {
		return;
	}
	days = civil_day(time->year, time->month, time->day);
	seconds = (time->hour * INT64_C(60) + time->minute) * 60 + time->second - time->offset_s;
	while (seconds < 0) {
		seconds += S_PER_DAY;
		days--;
	}
	while (seconds >= S_PER_DAY) {
		seconds -= S_PER_DAY;
		days++;
	}
	date = civil_date(days);
	time->year = date.year;
	time->month = date.month;
	time->day = date.day;
	time->hour = (int)(seconds / 3600);
	time->minute = (int)(seconds / 60 % 60);
	time->second = (int)(seconds % 60);
	time->offset_s = 0;
}

/* One part of an interval that has a unit; *days or *months grows. */
static bool read_unit(struct cursor *in, int64_t number, int64_t *months, int64_t *days)
{
	if (cursor_word(in, " years") || cursor_word(in, " year")) {
		*months += number * 12;
	} else if (cursor_word(in, " mons") || cursor_word(in, " mon")) {
		*months += number;
	} else if (cursor_word(in, " days") || cursor_word(in, " day")) {
		*days += number;
	} else {
		return false;
	}
	return true;
}

/* An interval's HH:MM:SS, with any number of hours; signed. */
struct interval_clock {
	int64_t minutes;
	double seconds;
};

static bool read_clock(struct cursor *in, int64_t hours, int sign, struct interval_clock *clock)
{
	int minute;
	int second;
	int64_t fraction = 0;
	int digits = 0;

	if (!cursor_skip(in, ':') || !cursor_two(in, &minute) || !cursor_skip(in, ':') ||
	    !cursor_two(in, &second) ||
	    (cursor_skip(in, '.') && !cursor_number(in, 1, 6, &fraction, &digits))) {
		return false;
	}
	for (; digits < 6 && fraction > 0; digits++) {
		fraction *= 10;
	}
	clock->minutes = sign * (hours * 60 + minute);
	clock->seconds = sign * ((double)fraction / (double)US_PER_S + second);
	return true;
}

/* As Java casts: what is out of range becomes the nearest that is not. */
static int64_t java_long(double number)
{
	if (number >= 0x1p63) {
		return INT64_MAX;
	}
	return number < -0x1p63 ? INT64_MIN : (int64_t)number;
}

/* In doubles, and in this order, since Debezium's MicroDuration computes so and byte for byte we
 * want no better: 1.000001 s is 1000000.  Months count 365.25 / 12 days each. */
static int64_t duration_us(int64_t months, int64_t days, const struct interval_clock *clock)
{
	int64_t hours = clock->minutes / 60;
	double all_days = (double)months * (365.25 / 12) + (double)days;
	double minutes = (all_days * 24 + (double)hours) * 60;

	return java_long(((minutes + (double)(clock->minutes % 60)) * 60 + clock->seconds) * 1e6);
}

bool pgtime_read_interval_us(const char *text, size_t length, int64_t *micros)
{
	struct cursor in = {text, text + length};
	int64_t months = 0;
	int64_t days = 0;
	struct interval_clock clock = {0};

	*micros = 0;
	if (length > INTERVAL_TEXT_MAX) {
		return false;
	}
	while (in.at < in.end) {
		int sign = cursor_skip(&in, '-') ? -1 : 1;
		int64_t number;

		if (sign > 0) {
			cursor_skip(&in, '+');
		}
		if (!cursor_number(&in, 1, 10, &number, NULL)) {
			return false;
		}
		if (cursor_has(&in, ':')) {
			if (!read_clock(&in, number, sign, &clock)) {
				return false;
			}
		} else if (!read_unit(&in, sign * number, &months, &days)) {
			return false;
		}
		if (in.at < in.end && !cursor_skip(&in, ' ')) {
			return false;
		}
	}
	*micros = duration_us(months, days, &clock);
	return length > 0;
}
