/* api.c - writes the JSON answers. */
#include "connect/api.h"

#include <stddef.h>

#include "common/jsonw.h"
#include "common/text.h"
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
	jsonw_member_text(out, "error", text_or_null(request->error));
	api_time(out, "created_at", request->created_s);
	api_time(out, "finished_at", request->finished_s);
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

void api_connection(struct buf *out, const struct view *view)
{
	buf_char(out, '{');
	jsonw_member_text(out, "status", view->status);
	jsonw_member_text(out, "status_reason", text_or_null(view->status_reason));
	jsonw_member_text(out, "email", text_or_null(view->email));
	api_time(out, "connected_since", view->connected_s);
	api_time(out, "last_synced_at", view->last_synced_s);
	jsonw_key(out, "counts");
	buf_char(out, '{');
	jsonw_member_number(out, "in_calendar", view->in_calendar);
	jsonw_member_number(out, "waiting", view->waiting);
	jsonw_member_number(out, "failed", view->failed);
	buf_char(out, '}');
	jsonw_member_number(out, "sync_possible_in_seconds", view->wait_s);
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
