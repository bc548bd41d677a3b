/* api.c - writes the JSON answers. */
#include "connect/api.h"

#include <stddef.h>

#include "common/jsonw.h"
#include "common/text.h"
#include "connect/badge.h"
#include "connect/reason.h"
#include "connect/when.h"

/* Seconds since 1970 as text; 0 is null. */
static void api_time(struct buf *out, const char *key, int64_t at_s)
{
	jsonw_key(out, key);
	if (at_s == 0) {
		buf_text(out, "null");
	} else {
		buf_char(out, '"');
		when_iso(out, at_s);
		buf_char(out, '"');
	}
}

void api_request(struct buf *out, const struct view_request *request)
{
	buf_char(out, '{');
	jsonw_member_text(out, "id", request->id);
	jsonw_member_text(out, "kind", request->kind);
	jsonw_member_text(out, "state", request->state);
	jsonw_member_number(out, "total", request->total);
	jsonw_member_number(out, "done", request->done);
	jsonw_member_number(out, "failed", request->failed);
	jsonw_member_text(out, "error",
			  request->error[0] != '\0' ? reason_text(request->error) : NULL);
	api_time(out, "created_at", request->created_s);
	api_time(out, "finished_at", request->finished_s);
	buf_char(out, '}');
}

/* A reason in words and with a way on; null without one. */
static void api_why(struct buf *out, const char *key, const char *told)
{
	jsonw_key(out, key);
	if (told[0] == '\0') {
		buf_text(out, "null");
		return;
	}
	buf_char(out, '{');
	jsonw_member_text(out, "text", reason_text(told));
	jsonw_member_text(out, "way_on", reason_find(told)->way_on);
	buf_char(out, '}');
}

static void api_reasons(struct buf *out, const char *key, const struct view_reasons *reasons)
{
	jsonw_key(out, key);
	buf_char(out, '[');
	for (int i = 0; i < reasons->most_count; i++) {
		const struct view_reason *reason = &reasons->most[i];

		jsonw_comma(out);
		buf_char(out, '{');
		jsonw_member_number(out, "count", reason->count);
		jsonw_member_text(out, "reason", reason->told);
		jsonw_member_text(out, "text", reason_text(reason->told));
		jsonw_member_text(out, "way_on", reason_find(reason->told)->way_on);
		buf_char(out, '}');
	}
	buf_char(out, ']');
}

static void api_badge(struct buf *out, const struct view *view)
{
	struct buf words;

	buf_init(&words, 256);
	badge_words(&words, view);
	jsonw_member_text(out, "badge", buf_string(&words));
	buf_close(&words);
}

static void api_counts(struct buf *out, const struct view *view)
{
	jsonw_key(out, "counts");
	buf_char(out, '{');
	jsonw_member_number(out, "in_calendar", view->in_calendar);
	jsonw_member_number(out, "waiting", view->waiting);
	jsonw_member_number(out, "failed", view->failed.count);
	jsonw_member_number(out, "left_out", view->left_out.count);
	jsonw_member_number(out, "hidden", view->hidden);
	buf_char(out, '}');
}

static void api_request_or_null(struct buf *out, const char *key,
				const struct view_request *request)
{
	jsonw_key(out, key);
	if (request->id[0] == '\0') {
		buf_text(out, "null");
	} else {
		api_request(out, request);
	}
}

void api_connection(struct buf *out, const struct view *view, int64_t now_s)
{
	buf_char(out, '{');
	jsonw_member_text(out, "status", view->status);
	api_badge(out, view);
	jsonw_member_text(out, "status_reason", text_or_null(view->status_reason));
	api_why(out, "why", view->status_reason);
	jsonw_member_text(out, "email", text_or_null(view->email));
	api_time(out, "connected_since", view->connected_s);
	api_time(out, "last_synced_at", view->last_synced_s);
	api_time(out, "next_try_at", view->next_try_s);
	api_counts(out, view);
	api_reasons(out, "failures", &view->failed);
	api_reasons(out, "left_out", &view->left_out);
	jsonw_member_number(out, "sync_possible_in_seconds", view->wait_s);
	api_time(out, "sync_possible_at", now_s + view->wait_s);
	api_request_or_null(out, "request", &view->running);
	api_request_or_null(out, "latest_request", &view->latest);
	buf_char(out, '}');
}

void api_filed(struct buf *out, const char *request_id)
{
	buf_char(out, '{');
	jsonw_member_text(out, "id", request_id);
	buf_char(out, '}');
}

void api_trouble(struct buf *out, enum trouble trouble)
{
	const struct words *words = words_of(trouble);

	buf_char(out, '{');
	jsonw_member_text(out, "error", words->code);
	jsonw_member_text(out, "message", words->text);
	jsonw_member_text(out, "way_on", words->way_on);
	buf_char(out, '}');
}
