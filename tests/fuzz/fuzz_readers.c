/* fuzz_readers.c - any text to the producer's other readers: refused, or what was read says the
 * same when it is written again.
 *
 * Input: which reader, then the text. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "check.h"
#include "common/civil.h"
#include "common/pgsnapshot.h"
#include "common/pos.h"
#include "producer/keyset.h"
#include "producer/late.h"
#include "producer/pgtime.h"
#include "producer/scope.h"
#include "producer/slot.h"

#define LATE_MOST 3

/* text has a NUL behind its length. */
static void read_pos(const char *text, size_t length)
{
	char again[POS_TEXT_SIZE];
	struct pos pos;

	if (pos_parse(text, length, &pos)) {
		pos_format(&pos, again);
		check_that(strlen(again) == length && memcmp(again, text, length) == 0,
			   "a position is written as it was read");
		check_that(pos_compare(&pos, &pos) == 0, "a position equals itself");
	}
}

static void read_lsn(const char *text, size_t length)
{
	char again[32];
	uint64_t lsn;
	uint64_t same;

	(void)length;
	if (slot_read_lsn(text, &lsn)) {
		snprintf(again, sizeof again, "%" PRIX64 "/%" PRIX64, lsn >> 32, lsn & 0xffffffff);
		check_that(slot_read_lsn(again, &same) && same == lsn, "an LSN is read again");
		check_that(strlen(text) <= 17, "an LSN has at most eight digits a side");
	}
}

static void read_id(const char *text, size_t length)
{
	struct pgoutput_value value = {.kind = 't', .length = (uint32_t)length, .text = text};
	char again[UUID_TEXT_SIZE];
	struct keyset keyset;
	struct uuid id;
	struct uuid next;

	if (keyset_read_id(&value, &id)) {
		uuid_format(&id, again);
		check_that(strncasecmp(again, text, length) == 0, "an id is written as read");
		keyset_pass(&keyset, &id);
		check_that(uuid_parse(keyset.from, &next), "a walk goes on at an id");
		check_that(keyset.ended || uuid_compare(&id, &next) < 0, "behind the last one");
	}
}

static void read_snapshot(const char *text, size_t length)
{
	struct fault fault = {0};
	struct pgsnapshot *snapshot = pgsnapshot_read(text, &fault);

	(void)length;
	check_that((snapshot == NULL) == (fault.kind == FAULT_FATAL), "a refusal says why");
	if (snapshot != NULL) {
		check_that(!pgsnapshot_has_finished(snapshot, (uint32_t)snapshot->xmax),
			   "what has not begun is not finished");
		for (size_t i = 0; i < snapshot->count; i++) {
			uint64_t xid = snapshot->running[i];

			check_that(snapshot->xmax - xid > INT32_MAX || xid < snapshot->xmin ||
				       !pgsnapshot_has_finished(snapshot, (uint32_t)xid),
				   "what runs is not finished");
		}
	}
	free(snapshot);
}

static void check_moment(const struct pgtime *time)
{
	struct pgtime utc = *time;
	struct civil_date date;
	int64_t shifted_s;
	int64_t utc_s;

	pgtime_to_utc(&utc);
	date = civil_date(civil_day(utc.year, utc.month, utc.day));
	check_that(date.year == utc.year && date.month == utc.month && date.day == utc.day,
		   "UTC is a day of the calendar");
	check_that(utc.hour >= 0 && utc.hour < 24 && utc.minute >= 0 && utc.minute < 60 &&
		       utc.second >= 0 && utc.second < 60 && utc.micros >= 0 &&
		       utc.micros < 1000000,
		   "UTC is a time of day");
	shifted_s =
	    civil_day(time->year, time->month, time->day) * 86400 + pgtime_day_us(time) / 1000000;
	utc_s = civil_day(utc.year, utc.month, utc.day) * 86400 + pgtime_day_us(&utc) / 1000000;
	check_that(shifted_s - time->offset_s == utc_s, "UTC is the offset earlier");
}

static void read_time(const char *text, size_t length)
{
	struct pgtime time;
	int64_t micros;

	if (pgtime_read_timestamp(text, length, &time)) {
		check_moment(&time);
	}
	if (pgtime_read_date(text, length, &time)) {
		check_that(pgtime_day_us(&time) == 0, "a date has no time");
	}
	if (pgtime_read_time(text, length, &time)) {
		check_that(pgtime_day_us(&time) < INT64_C(90000000000), "a time is within a day");
	}
	(void)pgtime_read_interval_us(text, length, &micros);
}

static void read_scope(const char *text, size_t length)
{
	char again[SCOPE_TEXT_SIZE];
	struct scope scope;

	if (scope_parse(text, length, &scope)) {
		scope_format(&scope, again);
		check_that(strlen(again) == length && strncasecmp(again, text, length) == 0,
			   "a scope is written as it was read");
	}
}

/* A partition's records: a line each, its first character the position, the rest the key. */
static void read_late(const char *text, size_t length)
{
	const char *end = text + length;
	struct late late;
	struct pos newest = {0};
	size_t records = 0;

	late_init(&late, LATE_MOST);
	while (text < end) {
		const char *line = memchr(text, '\n', (size_t)(end - text));
		size_t size = (size_t)((line != NULL ? line : end) - text);
		struct pos pos = {.epoch = 1, .commit_lsn = size > 0 ? (unsigned char)*text : 0};

		late_take(&late, text + (size > 0), size > 0 ? size - 1 : 0, &pos,
			  records > 0 ? &newest : NULL);
		check_that(late_count(&late) <= LATE_MOST, "no more are kept than there is room");
		newest = pos_compare(&pos, &newest) > 0 ? pos : newest;
		check_that(late_count(&late) <= records++,
			   "only what stands behind others is late");
		text += size + 1;
	}
	late_clear(&late);
	check_that(late_is_empty(&late), "what is cleared is empty");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void (*const readers[])(const char *, size_t) = {
	    read_pos, read_lsn, read_id, read_snapshot, read_time, read_scope, read_late};
	char *text;

	if (size == 0) {
		return 0;
	}
	text = check_copy(data, size);
	memmove(text, text + 1, size - 1);
	text[size - 1] = '\0';
	readers[data[0] % (sizeof readers / sizeof *readers)](text, size - 1);
	free(text);
	return 0;
}
