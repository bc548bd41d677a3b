/* schedule.c - reads and files what a person sees and asks for, then answers as page or JSON. */
#include "connect/schedule.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/text.h"
#include "connect/api.h"
#include "connect/guard.h"
#include "connect/page.h"
#include "connect/reply.h"

#define SCHEDULE_TRIES	       4
#define SCHEDULE_URL_MAX_BYTES 4096

/* One request of a person, from its handler to its answer. */
struct exchange {
	struct pg_request pg;
	struct app *app;
	struct httpd_request *http;
	struct session session;
	enum trouble trouble; /* to be shown on the page, with its status */
	int status;
	int tries;
	bool removes_events;
};

static struct exchange *exchange_new(struct httpd_request *request, const struct session *session)
{
	struct exchange *exchange = calloc(1, sizeof *exchange);

	if (exchange == NULL) {
		reply_trouble(request, TROUBLE_OTHER);
		return NULL;
	}
	exchange->app = httpd_context(request);
	exchange->http = request;
	exchange->session = *session;
	exchange->status = 200;
	app_enter(exchange->app);
	return exchange;
}

static void exchange_free(struct exchange *exchange)
{
	struct app *app = exchange->app;

	free(exchange);
	app_leave(app);
}

/* Answers and frees where the statement failed; true then. */
static bool exchange_has_failed(struct exchange *exchange)
{
	const struct fault *fault = &exchange->pg.fault;

	if (fault->kind == FAULT_NONE) {
		return false;
	}
	log_warn("a request could not be served", LOG_TEXT("fault", fault_name(fault->kind)),
		 LOG_TEXT("error", fault->what),
		 LOG_TEXT("route", httpd_route_path(exchange->http)));
	reply_trouble(exchange->http,
		      fault->kind == FAULT_RETRY ? TROUBLE_UNAVAILABLE : TROUBLE_OTHER);
	exchange_free(exchange);
	return true;
}

static bool exchange_reads_view(struct exchange *exchange, struct view *view)
{
	struct pg_request *pg = &exchange->pg;

	return !exchange_has_failed(exchange) &&
	       (store_read_view(pg->result, view, &pg->fault) || !exchange_has_failed(exchange));
}

/* ---- the page ---- */

/* The browser says so; our script, which asks from inside the frame, says it for it. */
static bool page_is_embedded(const struct httpd_request *request)
{
	const char *destination = httpd_header(request, "Sec-Fetch-Dest");

	return (destination != NULL && strcmp(destination, "iframe") == 0) ||
	       httpd_query(request, "embedded") != NULL;
}

static void on_page_view(struct pg_request *pg)
{
	struct exchange *exchange = container_of(pg, struct exchange, pg);
	char csrf[SESSION_HASH_SIZE];
	struct view view;
	struct page page = {.view = &view, .csrf = csrf, .trouble = exchange->trouble};
	struct buf admin_url;
	struct buf html;

	if (!exchange_reads_view(exchange, &view)) {
		return;
	}
	buf_init(&admin_url, SCHEDULE_URL_MAX_BYTES);
	consent_admin_url(&admin_url, &exchange->app->oauth);
	page.admin_url = text_or_null(buf_string(&admin_url));
	session_csrf(&exchange->session, csrf);
	page.now_s = clock_wall_ms() / 1000;
	page.has_just_connected = httpd_query(exchange->http, "connected") != NULL;
	page.has_replaced = httpd_cookie(exchange->http, PAGE_REPLACED_COOKIE) != NULL;
	page.is_embedded = page_is_embedded(exchange->http);
	buf_init(&html, PAGE_MAX_BYTES);
	page_schedule(&html, &page);
	reply_page(exchange->http, exchange->status, &html);
	buf_close(&html);
	buf_close(&admin_url);
	exchange_free(exchange);
}

static void exchange_show_page(struct exchange *exchange)
{
	exchange->pg.done = on_page_view;
	store_load_view(exchange->app->store, &exchange->pg, exchange->session.user_id);
}

void schedule_page(struct httpd_request *request)
{
	const char *error = httpd_query(request, "error");
	struct exchange *exchange;
	struct session session;

	if (!guard_session(request, &session)) {
		return;
	}
	exchange = exchange_new(request, &session);
	if (exchange != NULL) {
		exchange->trouble = error != NULL ? words_find(error) : TROUBLE_NONE;
		exchange_show_page(exchange);
	}
}

/* ---- JSON ---- */

static void on_connection_view(struct pg_request *pg)
{
	struct exchange *exchange = container_of(pg, struct exchange, pg);
	struct view view;
	struct buf json;

	if (!exchange_reads_view(exchange, &view)) {
		return;
	}
	buf_init(&json, API_MAX_BYTES);
	api_connection(&json, &view, clock_wall_ms() / 1000);
	reply_json(exchange->http, 200, &json);
	buf_close(&json);
	exchange_free(exchange);
}

void schedule_connection(struct httpd_request *request)
{
	struct exchange *exchange;
	struct session session;

	if (!guard_session(request, &session)) {
		return;
	}
	exchange = exchange_new(request, &session);
	if (exchange != NULL) {
		exchange->pg.done = on_connection_view;
		store_load_view(exchange->app->store, &exchange->pg, exchange->session.user_id);
	}
}

static void on_request_view(struct pg_request *pg)
{
	struct exchange *exchange = container_of(pg, struct exchange, pg);
	struct view_request found;
	struct buf json;

	if (exchange_has_failed(exchange)) {
		return;
	}
	if (store_read_request(pg->result, &found)) {
		buf_init(&json, API_MAX_BYTES);
		api_request(&json, &found);
		reply_json(exchange->http, 200, &json);
		buf_close(&json);
	} else {
		reply_trouble(exchange->http, TROUBLE_NOT_FOUND);
	}
	exchange_free(exchange);
}

void schedule_request(struct httpd_request *request)
{
	const char *id = strrchr(httpd_path(request), '/') + 1;
	struct exchange *exchange;
	struct session session;
	struct uuid uuid;

	if (!guard_session(request, &session)) {
		return;
	}
	if (!uuid_parse(id, &uuid)) {
		reply_trouble(request, TROUBLE_NOT_FOUND);
		return;
	}
	exchange = exchange_new(request, &session);
	if (exchange != NULL) {
		exchange->pg.done = on_request_view;
		store_load_request(exchange->app->store, &exchange->pg, session.user_id, id);
	}
}

/* ---- filing ---- */

static void exchange_refuse(struct exchange *exchange, const struct store_filed *filed)
{
	char seconds[24];

	if (filed->wait_s > 0 && words_of(filed->trouble)->status == 429) {
		snprintf(seconds, sizeof seconds, "%" PRId64, filed->wait_s);
		httpd_reply_header(exchange->http, "Retry-After", seconds);
	}
	if (guard_is_form(exchange->http, &exchange->session)) {
		exchange->trouble = filed->trouble;
		exchange->status = words_of(filed->trouble)->status;
		exchange_show_page(exchange);
		return;
	}
	reply_trouble(exchange->http, filed->trouble);
	exchange_free(exchange);
}

static void exchange_answer_filed(struct exchange *exchange, const struct store_filed *filed)
{
	struct buf json;

	if (filed->trouble != TROUBLE_NONE) {
		exchange_refuse(exchange, filed);
		return;
	}
	if (guard_is_form(exchange->http, &exchange->session)) {
		reply_redirect(exchange->http, 303, PAGE_PATH);
	} else {
		buf_init(&json, API_MAX_BYTES);
		api_filed(&json, filed->id);
		reply_json(exchange->http, 202, &json);
		buf_close(&json);
	}
	exchange_free(exchange);
}

/* Whether another request came between, so that this one has to look again. */
static bool exchange_tries_again(struct exchange *exchange, const struct store_filed *filed)
{
	return filed->trouble == TROUBLE_OTHER && ++exchange->tries < SCHEDULE_TRIES;
}

static void on_sync_filed(struct pg_request *pg)
{
	struct exchange *exchange = container_of(pg, struct exchange, pg);
	struct store_filed filed;

	if (exchange_has_failed(exchange)) {
		return;
	}
	store_read_sync(pg->result, &filed);
	if (exchange_tries_again(exchange, &filed)) {
		store_file_sync(exchange->app->store, pg, exchange->session.user_id);
	} else {
		exchange_answer_filed(exchange, &filed);
	}
}

void schedule_sync(struct httpd_request *request)
{
	struct exchange *exchange;
	struct session session;

	if (!guard_change(request, &session)) {
		return;
	}
	exchange = exchange_new(request, &session);
	if (exchange != NULL) {
		exchange->pg.done = on_sync_filed;
		store_file_sync(exchange->app->store, &exchange->pg, session.user_id);
	}
}

static void on_disconnect_filed(struct pg_request *pg)
{
	struct exchange *exchange = container_of(pg, struct exchange, pg);
	struct store_filed filed;

	if (exchange_has_failed(exchange)) {
		return;
	}
	store_read_disconnect(pg->result, &filed);
	if (exchange_tries_again(exchange, &filed)) {
		store_file_disconnect(exchange->app->store, pg, exchange->session.user_id,
				      exchange->removes_events);
		return;
	}
	if (filed.trouble == TROUBLE_NONE) {
		log_info("disconnect filed", LOG_TEXT("user", exchange->session.user_id),
			 LOG_TEXT("request", filed.id));
	}
	exchange_answer_filed(exchange, &filed);
}

/* The choice, as form field, in the query or as JSON; without one the events stay. */
static bool read_choice(struct httpd_request *request, bool *removes_events)
{
	const char *choice = httpd_form(request, "events");
	struct fault ignored;
	size_t length;
	const char *body = httpd_body(request, &length);
	cJSON *document = NULL;
	bool ok;

	if (choice == NULL) {
		choice = httpd_query(request, "events");
	}
	if (choice == NULL && length > 0 && body[0] == '{') {
		document = json_parse(body, length, API_MAX_BYTES, &ignored);
		choice = json_text(document, "events");
		if (document == NULL ||
		    (choice == NULL && json_member(document, "events") != NULL)) {
			choice = ""; /* not JSON, or not a choice: neither is "keep" */
		}
	}
	*removes_events = choice != NULL && strcmp(choice, "remove") == 0;
	ok = choice == NULL || *removes_events || strcmp(choice, "keep") == 0;
	cJSON_Delete(document);
	return ok;
}

void schedule_disconnect(struct httpd_request *request)
{
	struct exchange *exchange;
	struct session session;
	bool removes_events;

	if (!guard_change(request, &session)) {
		return;
	}
	if (!read_choice(request, &removes_events)) {
		reply_trouble(request, TROUBLE_INPUT);
		return;
	}
	exchange = exchange_new(request, &session);
	if (exchange != NULL) {
		exchange->removes_events = removes_events;
		exchange->pg.done = on_disconnect_filed;
		store_file_disconnect(exchange->app->store, &exchange->pg, session.user_id,
				      removes_events);
	}
}
