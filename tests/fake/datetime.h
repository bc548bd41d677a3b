/* datetime.h - dates and times of day without a zone, as Graph's dateTimeTimeZone writes them. */
#ifndef CALRELAY_FAKE_DATETIME_H
#define CALRELAY_FAKE_DATETIME_H

#include <stdbool.h>
#include <stdint.h>

#define DATETIME_TEXT_SIZE  28 /* 2026-03-02T00:00:00.0000000 and the NUL */
#define DATETIME_STAMP_SIZE 29 /* the same and a Z */

struct datetime {
	int64_t day;	/* since 1970-01-01 */
	int32_t second; /* of that day */
};

/* YYYY-MM-DDTHH:MM[:SS[.fraction]], nothing else: no Z, no offset, no date alone. */
bool datetime_parse(const char *text, struct datetime *out);
void datetime_format(const struct datetime *civil, char text[DATETIME_TEXT_SIZE]);

/* Milliseconds since 1970 as 2026-03-01T03:00:51.1230000Z */
void datetime_stamp(int64_t wall_ms, char text[DATETIME_STAMP_SIZE]);

/* YYYY-MM, from 1970-01 to 9999-12. */
bool datetime_parse_month(const char *text, int *year, int *month);

#endif
