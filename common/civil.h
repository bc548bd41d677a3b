/* civil.h - dates as days since 1970-01-01 and back, in the proleptic Gregorian calendar.
 *
 * Pure. */
#ifndef CALRELAY_COMMON_CIVIL_H
#define CALRELAY_COMMON_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

#define CIVIL_DATE_SIZE 11 /* 2026-03-02 and the NUL */

struct civil_date {
	int64_t year; /* astronomical: 0 is 1 BC */
	int month;    /* 1 to 12 */
	int day;      /* 1 and up */
};

int64_t civil_day(int64_t year, int month, int day); /* since 1970-01-01 */
struct civil_date civil_date(int64_t day);
int civil_month_days(int64_t year, int month);

/* The number in exactly these digits, or -1.  digits: at most 9. */
int civil_digits(const char *text, int digits);

/* YYYY-MM-DD, years 0001 to 9999; false where it is no such date. */
bool civil_parse_date(const char *text, int32_t *day);

/* The inverse, for the same years. */
void civil_format_date(int32_t day, char text[CIVIL_DATE_SIZE]);

#endif
