/* civil.h - dates and times of day without a zone, as Graph's dateTimeTimeZone writes them. */
#ifndef CALRELAY_FAKE_CIVIL_H
#define CALRELAY_FAKE_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

#define CIVIL_TEXT_SIZE	 28 /* 2026-03-02T00:00:00.0000000 and the NUL */
#define CIVIL_STAMP_SIZE 29 /* the same and a Z */

struct civil {
	int64_t day;	/* since 1970-01-01 */
	int32_t second; /* of that day */
};

int64_t civil_day(int year, int month, int day); /* proleptic Gregorian */
void civil_date(int64_t number, int *year, int *month, int *day);
int civil_month_days(int year, int month);

/* YYYY-MM-DDTHH:MM[:SS[.fraction]], nothing else: no Z, no offset, no date alone. */
bool civil_parse(const char *text, struct civil *out);
void civil_format(const struct civil *civil, char text[CIVIL_TEXT_SIZE]);

/* Milliseconds since 1970 as 2026-03-01T03:00:51.1230000Z */
void civil_stamp(int64_t wall_ms, char text[CIVIL_STAMP_SIZE]);

/* YYYY-MM, from 1970-01 to 9999-12. */
bool civil_parse_month(const char *text, int *year, int *month);

#endif
