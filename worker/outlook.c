/* outlook.c - an assignment as a calendar event. */
#include "worker/outlook.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/jsonw.h"
#include "common/utf8.h"

#define OUTLOOK_UNTITLED "(untitled project)"
#define OUTLOOK_CUT	 "\n… (cut)"

static const char *const REASONS[OUTLOOK_VERDICTS] = {
    [OUTLOOK_EVENT] = NULL,
    [OUTLOOK_GONE] = "the assignment was removed",
    [OUTLOOK_STATUS] = "its booking status has no event",
    [OUTLOOK_DATES_MISSING] = "the project has no start or end date",
    [OUTLOOK_DATES_REVERSED] = "the project ends before it starts",
    [OUTLOOK_DATES_BEYOND] = "the project's dates lie outside 1601-01-01 to 4500-12-31",
};

const char *outlook_reason(enum outlook_verdict verdict)
{
	return REASONS[verdict];
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar, counted in 400-year eras that begin on
 * 1 March.  Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
static int32_t day_of(int32_t year, int32_t month, int32_t day)
{
	int32_t shifted = month > 2 ? year : year - 1;
	int32_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
	int32_t year_of_era = shifted - era * 400;
	int32_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

/* The inverse; for the days that Outlook shows only, so that four digits hold the year. */
static void day_format(int32_t day, char text[11])
{
	int32_t shifted = day + 719468;
	int32_t era = shifted / 146097;
	int32_t day_of_era = shifted % 146097;
	int32_t year_of_era =
	    (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int32_t day_of_year =
	    day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int32_t month_from_march = (5 * day_of_year + 2) / 153;
	int32_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
	int32_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
	char digits[40];

	snprintf(digits, sizeof digits, "%04d-%02d-%02d", year, month,
		 day_of_year - (153 * month_from_march + 2) / 5 + 1);
	memcpy(text, digits, 10);
	text[10] = '\0';
}

static int32_t month_days(int32_t year, int32_t month)
{
	static const int32_t DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return DAYS[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

/* The number in exactly these digits, or -1. */
static int32_t digits_read(const char *text, int count)
{
	int32_t number = 0;

	for (int i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9') {
			return -1;
		}
		number = number * 10 + (text[i] - '0');
	}
	return number;
}

bool outlook_parse_day(const char *text, int32_t *day)
{
	int32_t year;
	int32_t month;
	int32_t of_month;

	if (strlen(text) != 10 || text[4] != '-' || text[7] != '-') {
		return false;
	}
	year = digits_read(text, 4);
	month = digits_read(text + 5, 2);
	of_month = digits_read(text + 8, 2);
	if (year < 1 || month < 1 || month > 12 || of_month < 1 ||
	    of_month > month_days(year, month)) {
		return false;
	}
	*day = day_of(year, month, of_month);
	return true;
}

static enum outlook_verdict verdict_of(const struct change *change, const struct hostmap_look *look)
{
	int32_t start = change->assignment.start_day;
	int32_t end = change->assignment.end_day;

	if (change->is_gone) {
		return OUTLOOK_GONE;
	}
	if (look->no_event) {
		return OUTLOOK_STATUS;
	}
	if (start == CHANGE_NO_DAY || end == CHANGE_NO_DAY) {
		return OUTLOOK_DATES_MISSING;
	}
	if (end < start) {
		return OUTLOOK_DATES_REVERSED;
	}
	if (start < day_of(1601, 1, 1) || end > day_of(4500, 12, 31)) {
		return OUTLOOK_DATES_BEYOND;
	}
	return OUTLOOK_EVENT;
}

/* One character of a text that may hold invalid bytes: those read as U+FFFD, one by one. */
static size_t character_read(const char *at, const char *end, uint32_t *code)
{
	size_t size = utf8_character(at, (size_t)(end - at), code);

	if (size == 0) {
		*code = 0xFFFD;
		return 1;
	}
	return size;
}

static void character_add(struct buf *out, const char *at, size_t size, uint32_t code)
{
	if (code == 0xFFFD) {
		buf_text(out, "\xEF\xBF\xBD");
	} else {
		buf_add(out, at, size);
	}
}

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x2028 || code == 0x2029;
}

/* Unicode's White_Space, and the two invisible characters people paste along with it. */
static bool is_space(uint32_t code)
{
	return is_control(code) || code == ' ' || code == 0xA0 || code == 0x1680 ||
	       (code >= 0x2000 && code <= 0x200B) || code == 0x202F || code == 0x205F ||
	       code == 0x3000 || code == 0xFEFF;
}

/* One line without outer white space, also where the cut leaves some. */
static char *subject_make(const char *name)
{
	const char *at = name != NULL ? name : "";
	const char *end = at + strlen(at);
	size_t kept = 0; /* bytes up to the last character that is no white space */
	struct buf out;

	buf_init(&out, (size_t)4 * OUTLOOK_SUBJECT_MAX_CHARACTERS + sizeof OUTLOOK_UNTITLED);
	for (int count = 0; at < end && count < OUTLOOK_SUBJECT_MAX_CHARACTERS;) {
		uint32_t code;
		size_t size = character_read(at, end, &code);

		if (!is_space(code) || kept > 0) {
			if (is_control(code)) {
				buf_char(&out, ' ');
			} else {
				character_add(&out, at, size, code);
			}
			kept = is_space(code) ? kept : out.length;
			count++;
		}
		at += size;
	}
	if (kept == 0) {
		buf_reset(&out);
		buf_text(&out, OUTLOOK_UNTITLED);
	} else if (!out.failed) {
		out.length = kept;
		out.data[kept] = '\0';
	}
	if (out.failed) {
		buf_close(&out);
		return NULL;
	}
	return buf_steal(&out);
}

struct body {
	struct buf text;
	bool is_full; /* more was to be said than fits */
};

static void body_add(struct body *body, const char *at, size_t size)
{
	if (body->text.length + size > OUTLOOK_BODY_MAX_BYTES) {
		body->is_full = true;
	} else if (!body->is_full) {
		buf_add(&body->text, at, size);
	}
}

/* Verbatim, but for what XML (and so Exchange) can't carry: those controls become spaces. */
static void body_add_part(struct body *body, const char *part)
{
	const char *at = part != NULL ? part : "";
	const char *end = at + strlen(at);

	if (at < end && body->text.length > 0) {
		body_add(body, "\n\n", 2);
	}
	while (at < end && !body->is_full) {
		uint32_t code;
		size_t size = character_read(at, end, &code);

		if (code == 0xFFFD) {
			body_add(body, "\xEF\xBF\xBD", 3);
		} else if (code < 0x20 && code != '\t' && code != '\n' && code != '\r') {
			body_add(body, " ", 1);
		} else {
			body_add(body, at, size);
		}
		at += size;
	}
}

static char *body_make(const struct assignment *assignment)
{
	struct body body = {.is_full = false};

	buf_init(&body.text, OUTLOOK_BODY_MAX_BYTES);
	body_add_part(&body, assignment->status);
	body_add_part(&body, assignment->notes);
	body_add_part(&body, assignment->project_notes);
	if (body.is_full && !body.text.failed) {
		size_t room = OUTLOOK_BODY_MAX_BYTES - strlen(OUTLOOK_CUT);

		if (body.text.length > room) {
			body.text.length = utf8_prefix(body.text.data, room);
		}
		buf_text(&body.text, OUTLOOK_CUT);
	}
	if (body.text.failed) {
		buf_close(&body.text);
		return NULL;
	}
	return buf_steal(&body.text);
}

/* Lower-case hex SHA-256; false where OpenSSL or memory fails. */
static bool hash_make(const struct outlook_event *event, char hash[OUTLOOK_HASH_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct buf members;
	bool ok;

	buf_init(&members, OUTLOOK_EVENT_MAX_BYTES);
	outlook_write_members(&members, event);
	ok = !members.failed && EVP_Digest(buf_string(&members), members.length, digest, NULL,
					   EVP_sha256(), NULL) == 1;
	for (size_t i = 0; ok && i < OUTLOOK_HASH_SIZE / 2; i++) {
		snprintf(hash + 2 * i, 3, "%02x", digest[i]);
	}
	buf_close(&members);
	return ok;
}

bool outlook_event_make(struct outlook_event *event, const struct change *change,
			const struct hostmap *map, const char *time_zone)
{
	const struct assignment *assignment = &change->assignment;
	const char *status = assignment->status != NULL ? assignment->status : "";

	*event = (struct outlook_event){.time_zone = time_zone, .look = hostmap_look(map, status)};
	event->verdict = verdict_of(change, event->look);
	if (event->verdict != OUTLOOK_EVENT) {
		return true;
	}
	day_format(assignment->start_day, event->start);
	day_format(assignment->end_day + 1, event->end);
	event->subject = subject_make(assignment->client_name);
	event->body = body_make(assignment);
	if (event->subject == NULL || event->body == NULL || !hash_make(event, event->hash)) {
		outlook_event_close(event);
		return false;
	}
	return true;
}

void outlook_event_close(struct outlook_event *event)
{
	free(event->subject);
	free(event->body);
	*event = (struct outlook_event){.verdict = OUTLOOK_GONE};
}

/* Midnight, as all-day events have to begin and end; both in one zone. */
static void write_midnight(struct buf *out, const char *key, const char *day, const char *time_zone)
{
	char midnight[32];

	snprintf(midnight, sizeof midnight, "%sT00:00:00", day);
	jsonw_key(out, key);
	buf_char(out, '{');
	jsonw_member_text(out, "dateTime", midnight);
	jsonw_member_text(out, "timeZone", time_zone);
	buf_char(out, '}');
}

void outlook_write_members(struct buf *out, const struct outlook_event *event)
{
	jsonw_member_text(out, "subject", event->subject);
	jsonw_key(out, "body");
	buf_char(out, '{');
	jsonw_member_text(out, "contentType", "text");
	jsonw_member_text(out, "content", event->body);
	buf_char(out, '}');
	jsonw_key(out, "isAllDay");
	buf_text(out, "true");
	write_midnight(out, "start", event->start, event->time_zone);
	write_midnight(out, "end", event->end, event->time_zone);
	jsonw_member_text(out, "showAs", event->look->show_as);
	jsonw_key(out, "categories");
	buf_char(out, '[');
	jsonw_text(out, event->look->category);
	buf_char(out, ']');
	jsonw_key(out, "isReminderOn");
	buf_text(out, "false");
}
