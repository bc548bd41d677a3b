/* pgtime.h - reads PostgreSQL's text of dates, times and intervals (datestyle ISO).
 *
 * Pure.  Each returns false where the text is none of its kind; infinity has its own answer. */
#ifndef CALRELAY_PRODUCER_PGTIME_H
#define CALRELAY_PRODUCER_PGTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pgtime {
	int64_t year; /* astronomical: 0 is 1 BC */
	int month, day, hour, minute, second;
	int32_t micros;
	int32_t offset_s; /* east of UTC */
};

/* 0, or +1 and -1 for infinity and -infinity. */
int pgtime_infinity(const char *text, size_t length);

bool pgtime_read_date(const char *text, size_t length, struct pgtime *time);
bool pgtime_read_time(const char *text, size_t length,
		      struct pgtime *time); /* with offset or not */
bool pgtime_read_timestamp(const char *text, size_t length, struct pgtime *time);
/* False, too, where 64 bits do not hold it. */
bool pgtime_read_interval_us(const char *text, size_t length, int64_t *micros);

int64_t pgtime_day_us(const struct pgtime *time); /* since midnight, not shifted by the offset */
void pgtime_to_utc(struct pgtime *time);	  /* offset_s becomes 0 */

#endif
