/* outlook.c - an assignment as a calendar event. */
#include "worker/outlook.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/civil.h"
#include "common/jsonw.h"
#include "common/utf8.h"
#include "worker/category.h"

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
	if (start < civil_day(1601, 1, 1) || end > civil_day(4500, 12, 31)) {
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
	outlook_write_members(&members, event, "");
	ok = !members.failed && EVP_Digest(buf_string(&members), members.length, digest, NULL,
					   EVP_sha256(), NULL) == 1;
	for (size_t i = 0; ok && i < OUTLOOK_HASH_SIZE / 2; i++) {
		snprintf(hash + 2 * i, 3, "%02x", digest[i]);
	}
	buf_close(&members);
	return ok;
}

bool outlook_event_make(struct outlook_event *event, const struct change *change,
			const struct hostmap *map, const char *time_zone,
			enum scope_mailbox mailbox)
{
	const struct assignment *assignment = &change->assignment;
	const char *status = assignment->status != NULL ? assignment->status : "";

	*event = (struct outlook_event){.time_zone = time_zone, .look = hostmap_look(map, status)};
	event->verdict = verdict_of(change, event->look);
	if (event->verdict != OUTLOOK_EVENT) {
		return true;
	}
	event->category = hostmap_category(event->look, mailbox == SCOPE_MAILBOX_WRITE);
	civil_format_date(assignment->start_day, event->start);
	civil_format_date(assignment->end_day + 1, event->end);
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

void outlook_write_members(struct buf *out, const struct outlook_event *event, const char *theirs)
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
	if (theirs != NULL) {
		jsonw_key(out, "categories");
		category_write(out, event->category, theirs);
	}
	jsonw_key(out, "isReminderOn");
	buf_text(out, "false");
}
