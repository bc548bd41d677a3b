/* page.c - writes the My Schedule page: no script, one stylesheet, forms that work everywhere.
 *
 * Read downwards, in the order of the page: head, what happened, status, facts, actions. */
#include "connect/page.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "common/html.h"
#include "connect/when.h"

#define PAGE_REFRESH_S 5

struct badge {
	const char *status;
	const char *name; /* of the CSS class */
	const char *icon; /* decoration: the words say the same */
	const char *words;
};

static const struct badge BADGES[] = {
    {"active", "good", "&#10003;", "Connected"},
    {"needs_reconnect", "bad", "&#9888;", "Needs you to reconnect"},
    {"disconnecting", "busy", "&#8987;", "Disconnecting"},
    {"not_connected", "none", "&#9675;", "Not connected"},
};

static bool view_is(const struct view *view, const char *status)
{
	return strcmp(view->status, status) == 0;
}

static bool request_is(const struct view_request *request, const char *kind)
{
	return request->id[0] != '\0' && strcmp(request->kind, kind) == 0;
}

static bool request_is_over(const struct view_request *request)
{
	return strcmp(request->state, "done") == 0 || strcmp(request->state, "failed") == 0;
}

/* ---- head and foot ---- */

static void page_head(struct buf *out, bool reloads)
{
	buf_text(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		      "<meta name=\"color-scheme\" content=\"light dark\">\n");
	if (reloads) {
		buf_format(out, "<meta http-equiv=\"refresh\" content=\"%d; url=%s\">\n",
			   PAGE_REFRESH_S, PAGE_PATH);
	}
	buf_text(out, "<title>My Schedule</title>\n<link rel=\"stylesheet\" href=\"" PAGE_CSS_PATH
		      "\">\n</head>\n<body>\n<main>\n<h1>My Schedule</h1>\n");
}

static void page_foot(struct buf *out)
{
	buf_text(out, "</main>\n</body>\n</html>\n");
}

/* ---- what happened ---- */

static void page_alert(struct buf *out, enum trouble trouble)
{
	const struct words *words = words_of(trouble);

	buf_format(
	    out,
	    "<div class=\"alert\" role=\"alert\" data-error=\"%s\"><p><strong>%s</strong></p>"
	    "<p>%s</p></div>\n",
	    words->code, words->text, words->way_on);
}

/* "done" and "remains" of a finished disconnect: exactly what it left behind. */
static void page_disconnected(struct buf *out, const struct view_request *request)
{
	buf_text(out, "<p>Your calendar was disconnected. ");
	if (!request->is_removal) {
		buf_text(out, "The events already in it were kept, as you asked.");
	} else {
		buf_format(out, "%" PRId64 " event%s removed from it.", request->done,
			   request->done == 1 ? " was" : "s were");
	}
	if (request->failed > 0) {
		buf_format(out, " %" PRId64 " could not be removed and remain%s there.",
			   request->failed, request->failed == 1 ? "s" : "");
	}
	if (request->error[0] != '\0') {
		buf_char(out, ' ');
		html_escape(out, request->error);
	}
	buf_text(out, "</p>\n");
}

static void page_progress(struct buf *out, const struct view_request *request)
{
	buf_text(out, strcmp(request->kind, "disconnect") == 0 ? "<p>Disconnecting"
							       : "<p>Synchronising");
	if (request->total > 0) {
		buf_format(out, ": %" PRId64 " of %" PRId64, request->done, request->total);
	} else {
		buf_text(out, " is about to begin");
	}
	buf_text(out, ". This page reloads by itself.</p>\n");
	if (request->total > 0) {
		buf_format(out,
			   "<progress aria-label=\"Progress\" value=\"%" PRId64 "\" max=\"%" PRId64
			   "\"></progress>\n",
			   request->done, request->total);
	}
}

/* The region is always there, so that screen readers notice when something comes into it. */
static void page_news(struct buf *out, const struct page *page)
{
	const struct view *view = page->view;

	buf_text(out, "<div class=\"news\" role=\"status\">\n");
	if (page->has_just_connected && view->is_connected) {
		buf_text(out,
			 "<p>Your Outlook calendar is connected. Your assignments appear in it "
			 "within moments.</p>\n");
	}
	if (view->running.id[0] != '\0') {
		page_progress(out, &view->running);
	} else if (!view->is_connected && request_is(&view->latest, "disconnect") &&
		   request_is_over(&view->latest)) {
		page_disconnected(out, &view->latest);
	}
	buf_text(out, "</div>\n");
}

/* ---- status and facts ---- */

static void page_badge(struct buf *out, const struct view *view)
{
	for (size_t i = 0; i < sizeof BADGES / sizeof *BADGES; i++) {
		const struct badge *badge = &BADGES[i];

		if (view_is(view, badge->status)) {
			buf_format(
			    out,
			    "<p class=\"badge %s\" data-status=\"%s\"><span aria-hidden=\"true\">%s"
			    "</span> %s</p>\n",
			    badge->name, badge->status, badge->icon, badge->words);
		}
	}
	if (view->status_reason[0] != '\0') {
		buf_text(out, "<p class=\"reason\">");
		html_escape(out, view->status_reason);
		buf_text(out, "</p>\n");
	}
}

static void page_fact(struct buf *out, const char *name)
{
	buf_format(out, "<dt>%s</dt><dd>", name);
}

static void page_time(struct buf *out, int64_t at_s)
{
	buf_text(out, "<time datetime=\"");
	when_iso(out, at_s);
	buf_text(out, "\">");
	when_exact(out, at_s);
	buf_text(out, "</time>");
}

static void page_last_sync(struct buf *out, const struct page *page)
{
	page_fact(out, "Last synchronised");
	if (page->view->last_synced_s == 0) {
		buf_text(out, "Not yet");
	} else {
		when_relative(out, page->now_s, page->view->last_synced_s);
		buf_text(out, " <span class=\"exact\">(");
		page_time(out, page->view->last_synced_s);
		buf_text(out, ")</span>");
	}
	buf_text(out, "</dd>\n");
}

static void page_counts(struct buf *out, const struct view *view)
{
	page_fact(out, "In your calendar");
	buf_format(out, "%" PRId64 "</dd>\n", view->in_calendar);
	page_fact(out, "Waiting");
	buf_format(out, "%" PRId64 "</dd>\n", view->waiting);
	page_fact(out, "Failed");
	buf_format(out, "%" PRId64, view->failed);
	if (view->failure[0] != '\0') {
		buf_text(out, " <span class=\"exact\">(");
		html_escape(out, view->failure);
		buf_text(out, ")</span>");
	}
	buf_text(out, "</dd>\n");
}

static void page_facts(struct buf *out, const struct page *page)
{
	buf_text(out, "<dl>\n");
	page_fact(out, "Outlook account");
	html_escape(out, page->view->email[0] != '\0' ? page->view->email : "unknown");
	buf_text(out, "</dd>\n");
	page_fact(out, "Connected since");
	page_time(out, page->view->connected_s);
	buf_text(out, "</dd>\n");
	page_last_sync(out, page);
	page_counts(out, page->view);
	buf_text(out, "</dl>\n");
}

/* ---- actions ---- */

/* Microsoft's sign-in look: its four squares beside the words. */
static void page_connect(struct buf *out, const char *words)
{
	buf_format(
	    out,
	    "<p><a class=\"microsoft\" href=\"/api/auth/microsoft\">"
	    "<svg aria-hidden=\"true\" width=\"21\" height=\"21\" viewBox=\"0 0 21 21\">"
	    "<path fill=\"#f25022\" d=\"M1 1h9v9H1z\"/><path fill=\"#7fba00\" d=\"M11 1h9v9h-9z\"/>"
	    "<path fill=\"#00a4ef\" d=\"M1 11h9v9H1z\"/><path fill=\"#ffb900\" d=\"M11 "
	    "11h9v9h-9z\"/>"
	    "</svg> %s</a></p>\n",
	    words);
}

static void page_csrf(struct buf *out, const struct page *page)
{
	buf_text(out, "<input type=\"hidden\" name=\"csrf\" value=\"");
	html_escape(out, page->csrf);
	buf_text(out, "\">\n");
}

static void page_sync_form(struct buf *out, const struct page *page)
{
	const struct view *view = page->view;
	bool disabled = view->wait_s > 0 || !view_is(view, "active");

	buf_text(out, "<form method=\"post\" action=\"/api/calendar/sync\">\n");
	page_csrf(out, page);
	buf_format(out, "<button type=\"submit\"%s>Sync now</button>\n",
		   disabled ? " disabled" : "");
	if (view_is(view, "active") && view->running.id[0] == '\0' && view->wait_s > 0) {
		buf_format(out,
			   "<span class=\"exact\">Possible again in %" PRId64 " seconds.</span>\n",
			   view->wait_s);
	}
	buf_text(out, "</form>\n");
}

static void page_disconnect_form(struct buf *out, const struct page *page)
{
	buf_text(out, "<form method=\"post\" action=\"/api/calendar/disconnect\">\n");
	page_csrf(out, page);
	buf_text(
	    out,
	    "<fieldset>\n<legend>Disconnect, and with the events in my calendar:</legend>\n"
	    "<label><input type=\"radio\" name=\"events\" value=\"keep\" checked> keep "
	    "them</label>\n"
	    "<label><input type=\"radio\" name=\"events\" value=\"remove\"> remove them</label>\n"
	    "</fieldset>\n<button type=\"submit\" class=\"quiet\">Disconnect</button>\n</form>\n");
}

static void page_actions(struct buf *out, const struct page *page)
{
	const struct view *view = page->view;

	if (!view->is_connected) {
		page_connect(out, "Connect Outlook Calendar");
		return;
	}
	if (!view_is(view, "active")) {
		page_connect(out, "Reconnect Outlook Calendar");
	}
	if (!view_is(view, "disconnecting")) {
		page_sync_form(out, page);
		page_disconnect_form(out, page);
	}
}

/* ---- the documents ---- */

void page_schedule(struct buf *out, const struct page *page)
{
	page_head(out, page->view->running.id[0] != '\0');
	if (page->trouble != TROUBLE_NONE) {
		page_alert(out, page->trouble);
	}
	page_news(out, page);
	buf_text(
	    out,
	    "<section aria-labelledby=\"outlook\">\n<h2 id=\"outlook\">Outlook calendar</h2>\n");
	page_badge(out, page->view);
	if (page->view->is_connected) {
		page_facts(out, page);
	} else {
		buf_text(out,
			 "<p>Connect your Outlook calendar, and every assignment you have appears "
			 "in it and stays up to date by itself.</p>\n");
	}
	page_actions(out, page);
	buf_text(out, "</section>\n");
	page_foot(out);
}

void page_trouble(struct buf *out, enum trouble trouble)
{
	page_head(out, false);
	page_alert(out, trouble);
	page_foot(out);
}
