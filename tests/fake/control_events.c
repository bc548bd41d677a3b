/* control_events.c - the control API's view of a calendar, and what a person does to it by hand. */
#include "tests/fake/control_events.h"

#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/jsonw.h"
#include "tests/fake/control_reply.h"
#include "tests/fake/draft_json.h"
#include "tests/fake/server.h"

static void write_boolean(struct buf *out, const char *name, bool value)
{
	jsonw_key(out, name);
	buf_text(out, value ? "true" : "false");
}

static void write_body(const struct draft *draft, struct buf *out)
{
	jsonw_key(out, "body");
	if (draft->body == NULL) {
		buf_text(out, "null");
		return;
	}
	buf_char(out, '{');
	jsonw_member_text(out, "contentType", draft->body_is_html ? "html" : "text");
	jsonw_member_text(out, "content", draft->body);
	buf_char(out, '}');
}

static void write_categories(const struct draft *draft, struct buf *out)
{
	jsonw_key(out, "categories");
	buf_char(out, '[');
	for (size_t i = 0; i < draft->category_count; i++) {
		jsonw_comma(out);
		jsonw_text(out, draft->categories[i]);
	}
	buf_char(out, ']');
}

/* Everything as it was written, not as Graph shows it. */
static void write_event(const struct world *world, const struct event *event, struct buf *out)
{
	const struct draft *draft = &event->draft;
	char id[EVENT_ID_SIZE];
	char key[EVENT_ETAG_SIZE];

	event_id(event, true, id);
	event_change_key(event, key);
	jsonw_comma(out);
	buf_char(out, '{');
	jsonw_member_text(out, "id", id);
	jsonw_member_text(out, "folder", event->is_deleted ? "deleteditems" : "calendar");
	jsonw_member_text(out, "subject", draft->subject);
	write_body(draft, out);
	jsonw_key(out, "start");
	event_write_time(&draft->start, draft->start.zone, out);
	jsonw_key(out, "end");
	event_write_time(&draft->end, draft->end.zone, out);
	write_boolean(out, "isAllDay", draft_is(draft, DRAFT_IS_ALL_DAY));
	jsonw_member_text(out, "showAs", draft->show_as);
	write_categories(draft, out);
	jsonw_member_text(out, "transactionId", draft->transaction_id);
	jsonw_member_text(out, "assignment", world_assignment(world, draft));
	write_boolean(out, "isReminderOn", draft_is(draft, DRAFT_IS_REMINDER_ON));
	jsonw_member_text(out, "changeKey", key);
	jsonw_member_number(out, "version", event->version);
	jsonw_member_number(out, "created_ms", event->created_ms);
	jsonw_member_number(out, "modified_ms", event->modified_ms);
	buf_char(out, '}');
}

void control_get_events(struct httpd_request *request)
{
	const struct server *server = httpd_context(request);
	const struct account *account = control_account(request, httpd_query(request, "account"));
	const struct event *event;
	struct buf out;

	if (account == NULL) {
		return;
	}
	buf_init(&out, SERVER_PAGE_MAX_BYTES);
	buf_text(&out, "{\"events\":[");
	for (event = account->mailbox.calendar; event != NULL; event = event->next) {
		write_event(&server->world, event, &out);
	}
	for (event = account->mailbox.deleted; event != NULL; event = event->next) {
		write_event(&server->world, event, &out);
	}
	buf_text(&out, "]}");
	server_reply_json(request, 200, &out);
}

/* ---- by hand ---- */

/* What the body names, found; false where the client has been refused. */
static bool find_named(struct httpd_request *request, const cJSON *body, struct account **account,
		       struct event **event)
{
	struct server *server = httpd_context(request);
	const char *id = json_text(body, "id");
	struct problem problem;

	*account = control_account(request, json_text(body, "account"));
	if (*account == NULL) {
		return false;
	}
	*event = mailbox_find(&server->world.store, &server->world.settings, &(*account)->mailbox,
			      id != NULL ? id : "", true, &problem);
	if (*event == NULL) {
		control_refuse(request, &problem);
	}
	return *event != NULL;
}

void control_delete_event(struct httpd_request *request)
{
	struct server *server = httpd_context(request);
	cJSON *body = control_body(request);
	struct account *account;
	struct event *event;

	if (body != NULL && find_named(request, body, &account, &event)) {
		mailbox_delete(&server->world.store, event, clock_wall_ms());
		control_ok(request);
	}
	cJSON_Delete(body);
}

void control_update_event(struct httpd_request *request)
{
	struct server *server = httpd_context(request);
	cJSON *body = control_body(request);
	struct draft change = {0};
	struct problem problem;
	struct account *account;
	struct event *event;

	if (body == NULL || !find_named(request, body, &account, &event)) {
		cJSON_Delete(body);
		return;
	}
	cJSON_DeleteItemFromObjectCaseSensitive(body, "account");
	cJSON_DeleteItemFromObjectCaseSensitive(body, "id");
	if (draft_json_read(body, &change, &problem) &&
	    mailbox_change(&server->world.store, event, &change, clock_wall_ms(), &problem)) {
		control_ok(request);
	} else {
		control_refuse(request, &problem);
	}
	draft_close(&change);
	cJSON_Delete(body);
}

static void add_time(cJSON *body, const char *name, const char *date_time)
{
	cJSON *time = cJSON_AddObjectToObject(body, name);

	cJSON_AddStringToObject(time, "dateTime", date_time);
	cJSON_AddStringToObject(time, "timeZone", "UTC");
}

/* A day that nobody named: today at noon, for an hour. */
static void complete_times(cJSON *body)
{
	char stamp[DATETIME_STAMP_SIZE];

	if (json_member(body, "start") != NULL || json_member(body, "end") != NULL) {
		return;
	}
	datetime_stamp(clock_wall_ms(), stamp);
	stamp[19] = '\0';
	memcpy(stamp + 10, "T12:00:00", 9);
	add_time(body, "start", stamp);
	memcpy(stamp + 10, "T13:00:00", 9);
	add_time(body, "end", stamp);
}

void control_create_event(struct httpd_request *request)
{
	struct server *server = httpd_context(request);
	cJSON *body = control_body(request);
	struct account *account = NULL;
	struct event *event = NULL;
	struct draft draft = {0};
	struct problem problem;
	char id[EVENT_ID_SIZE];
	struct buf out;

	if (body != NULL) {
		account = control_account(request, json_text(body, "account"));
	}
	if (account == NULL) {
		cJSON_Delete(body);
		return;
	}
	cJSON_DeleteItemFromObjectCaseSensitive(body, "account");
	complete_times(body);
	if (draft_json_read(body, &draft, &problem)) {
		event = mailbox_create(&server->world.store, &server->world.settings,
				       &account->mailbox, &draft, clock_wall_ms(), &problem);
	}
	draft_close(&draft);
	cJSON_Delete(body);
	if (event == NULL) {
		control_refuse(request, &problem);
		return;
	}
	event_id(event, true, id);
	buf_init(&out, 512);
	buf_char(&out, '{');
	jsonw_member_text(&out, "id", id);
	buf_char(&out, '}');
	server_reply_json(request, 200, &out);
}
