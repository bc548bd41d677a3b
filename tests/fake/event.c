/* event.c - one event of a mailbox, its two ids, and how Graph shows it. */
#include "tests/fake/event.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/base64.h"
#include "common/jsonw.h"
#include "tests/fake/datetime.h"
#include "tests/fake/exchange.h"

#define IMMUTABLE_HEAD "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A"
#define REGULAR_HEAD                                                                               \
	"AAMkAGVmMDEzMTM4LTZmYWUtNDdkNC1hMDZiLTU1OGY5OTZhYmY4OABGAAAAAAAiQ8W967B7TKBjgx9rVEURBw"
#define PREVIEW_MAX_BYTES 255
#define BODY_MAX_BYTES	  (8u << 20)

/* ---- ids ---- */

void event_id(const struct event *event, bool is_immutable, char id[EVENT_ID_SIZE])
{
	if (is_immutable) {
		snprintf(id, EVENT_ID_SIZE, "%s%s%s", IMMUTABLE_HEAD, event->core,
			 event->number % 2 == 0 ? "AAAA=" : "-AAA_");
	} else {
		snprintf(id, EVENT_ID_SIZE, "%s%s%08XAA=", REGULAR_HEAD, event->core, event->moves);
	}
}

bool event_core(const char *id, bool is_immutable, char core[EVENT_CORE_SIZE])
{
	const char *head = is_immutable ? IMMUTABLE_HEAD : REGULAR_HEAD;
	size_t length = strlen(head);

	if (strncmp(id, head, length) != 0 || strlen(id) < length + EVENT_CORE_SIZE - 1) {
		return false;
	}
	snprintf(core, EVENT_CORE_SIZE, "%s", id + length);
	return true;
}

void event_change_key(const struct event *event, char text[EVENT_ETAG_SIZE])
{
	static const unsigned char STORE[] = {0x66, 0x59, 0xD6, 0xE1, 0x12,
					      0x00, 0x57, 0x4E, 0x8A, 0x61};
	unsigned char bytes[sizeof STORE + sizeof event->change];
	struct buf out;

	memcpy(bytes, STORE, sizeof STORE);
	for (size_t i = 0; i < sizeof event->change; i++) {
		bytes[sizeof STORE + i] = (unsigned char)(event->change >> (56 - 8 * i));
	}
	buf_init(&out, EVENT_ETAG_SIZE);
	base64_encode(&out, bytes, sizeof bytes);
	snprintf(text, EVENT_ETAG_SIZE, "%s", buf_string(&out));
	buf_close(&out);
}

void event_etag(const struct event *event, char text[EVENT_ETAG_SIZE])
{
	char key[EVENT_ETAG_SIZE];

	event_change_key(event, key);
	snprintf(text, EVENT_ETAG_SIZE, "W/\"%.58s\"", key);
}

/* ---- one writer per property ---- */

struct writing {
	const char *name;
	const struct event *event;
	const struct event_view *view;
	struct buf *out;
	enum draft_field field; /* of boolean properties */
};

static void write_key(const struct writing *writing)
{
	jsonw_key(writing->out, writing->name);
}

static void write_text(const struct writing *writing, const char *text)
{
	jsonw_member_text(writing->out, writing->name, text);
}

static void write_id(const struct writing *writing)
{
	char id[EVENT_ID_SIZE];

	event_id(writing->event, writing->view->is_immutable, id);
	write_text(writing, id);
}

static void write_created(const struct writing *writing)
{
	char stamp[DATETIME_STAMP_SIZE];

	datetime_stamp(writing->event->created_ms, stamp);
	write_text(writing, stamp);
}

static void write_modified(const struct writing *writing)
{
	char stamp[DATETIME_STAMP_SIZE];

	datetime_stamp(writing->event->modified_ms, stamp);
	write_text(writing, stamp);
}

static void write_change_key(const struct writing *writing)
{
	char key[EVENT_ETAG_SIZE];

	event_change_key(writing->event, key);
	write_text(writing, key);
}

static void write_categories(const struct writing *writing)
{
	const struct draft *draft = &writing->event->draft;

	write_key(writing);
	buf_char(writing->out, '[');
	for (size_t i = 0; i < draft->category_count; i++) {
		jsonw_comma(writing->out);
		jsonw_text(writing->out, draft->categories[i]);
	}
	buf_char(writing->out, ']');
}

/* Graph names it only where it was set. */
static void write_transaction_id(const struct writing *writing)
{
	if (writing->event->draft.transaction_id != NULL) {
		write_text(writing, writing->event->draft.transaction_id);
	}
}

static void write_start_zone(const struct writing *writing)
{
	write_text(writing, writing->event->draft.start.zone);
}

static void write_end_zone(const struct writing *writing)
{
	write_text(writing, writing->event->draft.end.zone);
}

static void write_uid(const struct writing *writing)
{
	char uid[96];

	snprintf(uid, sizeof uid, "040000008200E00074C5B7101A82E008%s", writing->event->core);
	write_text(writing, uid);
}

static void write_minutes(const struct writing *writing)
{
	jsonw_member_number(writing->out, writing->name, writing->event->draft.reminder_minutes);
}

static void write_boolean(const struct writing *writing)
{
	write_key(writing);
	buf_text(writing->out, draft_is(&writing->event->draft, writing->field) ? "true" : "false");
}

static void write_false(const struct writing *writing)
{
	write_key(writing);
	buf_text(writing->out, "false");
}

static void write_true(const struct writing *writing)
{
	write_key(writing);
	buf_text(writing->out, "true");
}

static void write_subject(const struct writing *writing)
{
	const char *subject = writing->event->draft.subject;

	write_text(writing, subject != NULL ? subject : "");
}

static void write_preview(const struct writing *writing)
{
	const struct draft *draft = &writing->event->draft;
	struct buf text;
	size_t length;

	buf_init(&text, BODY_MAX_BYTES);
	if (draft->body != NULL) {
		exchange_write_text(draft->body, draft->body_is_html, &text);
	}
	length = text.length < PREVIEW_MAX_BYTES ? text.length : PREVIEW_MAX_BYTES;
	while (length < text.length && length > 0 &&
	       ((unsigned char)text.data[length] & 0xC0) == 0x80) {
		length--; /* not within a character */
	}
	write_key(writing);
	jsonw_string(writing->out, buf_string(&text), length);
	buf_close(&text);
}

static void write_importance(const struct writing *writing)
{
	write_text(writing, writing->event->draft.importance);
}

static void write_sensitivity(const struct writing *writing)
{
	write_text(writing, writing->event->draft.sensitivity);
}

static void write_null(const struct writing *writing)
{
	write_text(writing, NULL);
}

static void write_show_as(const struct writing *writing)
{
	write_text(writing, writing->event->draft.show_as);
}

static void write_type(const struct writing *writing)
{
	write_text(writing, "singleInstance");
}

static void write_link(const struct writing *writing)
{
	char link[128];

	snprintf(link, sizeof link,
		 "https://outlook.office365.com/owa/?itemid=%s&exvsurl=1&path=/calendar/item",
		 writing->event->core);
	write_text(writing, link);
}

static void write_body(const struct writing *writing)
{
	const struct draft *draft = &writing->event->draft;
	const char *body = draft->body != NULL ? draft->body : "";
	struct buf text;

	buf_init(&text, BODY_MAX_BYTES);
	if (writing->view->is_text) {
		exchange_write_text(body, draft->body_is_html, &text);
	} else {
		exchange_write_html(body, draft->body_is_html, &text);
	}
	write_key(writing);
	buf_char(writing->out, '{');
	jsonw_member_text(writing->out, "contentType", writing->view->is_text ? "text" : "html");
	jsonw_key(writing->out, "content");
	jsonw_string(writing->out, buf_string(&text), text.length);
	buf_char(writing->out, '}');
	buf_close(&text);
}

void event_write_time(const struct draft_time *time, const char *zone, struct buf *out)
{
	char text[DATETIME_TEXT_SIZE];

	datetime_format(&time->civil, text);
	buf_char(out, '{');
	jsonw_member_text(out, "dateTime", text);
	jsonw_member_text(out, "timeZone", zone);
	buf_char(out, '}');
}

static void write_time(const struct writing *writing, const struct draft_time *time)
{
	const char *wanted = writing->view->zone != NULL ? writing->view->zone : "UTC";
	bool is_all_day = draft_is(&writing->event->draft, DRAFT_IS_ALL_DAY);

	write_key(writing);
	event_write_time(time, is_all_day ? wanted : time->zone, writing->out);
}

static void write_start(const struct writing *writing)
{
	write_time(writing, &writing->event->draft.start);
}

static void write_end(const struct writing *writing)
{
	write_time(writing, &writing->event->draft.end);
}

static void write_location(const struct writing *writing)
{
	const char *name = writing->event->draft.location;

	write_key(writing);
	buf_char(writing->out, '{');
	jsonw_member_text(writing->out, "displayName", name != NULL ? name : "");
	jsonw_member_text(writing->out, "locationType", "default");
	buf_char(writing->out, '}');
}

/* clang-format off */
static const struct {
	const char *name;
	void (*write)(const struct writing *writing);
	enum draft_field field;
} PROPERTIES[] = {
	{"id",                         write_id,             0},
	{"createdDateTime",            write_created,        0},
	{"lastModifiedDateTime",       write_modified,       0},
	{"changeKey",                  write_change_key,     0},
	{"categories",                 write_categories,     0},
	{"transactionId",              write_transaction_id, 0},
	{"originalStartTimeZone",      write_start_zone,     0},
	{"originalEndTimeZone",        write_end_zone,       0},
	{"iCalUId",                    write_uid,            0},
	{"reminderMinutesBeforeStart", write_minutes,        0},
	{"isReminderOn",               write_boolean,        DRAFT_IS_REMINDER_ON},
	{"hasAttachments",             write_false,          0},
	{"subject",                    write_subject,        0},
	{"bodyPreview",                write_preview,        0},
	{"importance",                 write_importance,     0},
	{"sensitivity",                write_sensitivity,    0},
	{"isAllDay",                   write_boolean,        DRAFT_IS_ALL_DAY},
	{"isCancelled",                write_false,          0},
	{"isOrganizer",                write_true,           0},
	{"responseRequested",          write_boolean,        DRAFT_RESPONSE_REQUESTED},
	{"seriesMasterId",             write_null,           0},
	{"showAs",                     write_show_as,        0},
	{"type",                       write_type,           0},
	{"webLink",                    write_link,           0},
	{"onlineMeetingUrl",           write_null,           0},
	{"isOnlineMeeting",            write_false,          0},
	{"allowNewTimeProposals",      write_boolean,        DRAFT_ALLOW_NEW_TIMES},
	{"hideAttendees",              write_boolean,        DRAFT_HIDE_ATTENDEES},
	{"body",                       write_body,           0},
	{"start",                      write_start,          0},
	{"end",                        write_end,            0},
	{"location",                   write_location,       0},
};
/* clang-format on */
#define PROPERTY_COUNT (sizeof PROPERTIES / sizeof *PROPERTIES)
static_assert(PROPERTY_COUNT <= 64, "a view has 64 bits");

static void write_expanded(const struct event *event, const char *id, struct buf *out)
{
	const char *value = draft_property(&event->draft, id);

	if (value == NULL) {
		return;
	}
	jsonw_key(out, "singleValueExtendedProperties");
	buf_text(out, "[{");
	jsonw_member_text(out, "id", id);
	jsonw_member_text(out, "value", value);
	buf_text(out, "}]");
}

void event_write(const struct event *event, const struct event_view *view, struct buf *out)
{
	char etag[EVENT_ETAG_SIZE];

	event_etag(event, etag);
	buf_char(out, '{');
	jsonw_member_text(out, "@odata.etag", etag);
	for (size_t i = 0; i < PROPERTY_COUNT; i++) {
		struct writing writing = {PROPERTIES[i].name, event, view, out,
					  PROPERTIES[i].field};

		if ((view->select >> i & 1) != 0) {
			PROPERTIES[i].write(&writing);
		}
	}
	if (view->expand != NULL) {
		write_expanded(event, view->expand, out);
	}
	buf_char(out, '}');
}

static bool select_one(const char *name, size_t length, uint64_t *select)
{
	for (size_t i = 0; i < PROPERTY_COUNT; i++) {
		if (strlen(PROPERTIES[i].name) == length &&
		    strncmp(PROPERTIES[i].name, name, length) == 0) {
			*select |= UINT64_C(1) << i;
			return true;
		}
	}
	return false;
}

bool event_select(const char *names, uint64_t *select, struct problem *problem)
{
	*select = 1; /* id is always there */
	for (;;) {
		size_t length;

		names += strspn(names, " ");
		length = strcspn(names, ", ");
		if (!select_one(names, length, select)) {
			return problem_set(problem, 400, "BadRequest",
					   "Parsing OData Select and Expand failed: Could not find "
					   "a property named "
					   "'%.*s' on type 'microsoft.graph.event'.",
					   (int)(length < 60 ? length : 60), names);
		}
		names += length;
		names += strspn(names, " ");
		if (*names == '\0') {
			return true;
		}
		names += *names == ',';
	}
}
