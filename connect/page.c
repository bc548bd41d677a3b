/* page.c - writes the My Schedule page: forms that work everywhere, one stylesheet, one script.
 *
 * Read downwards, in the order of the page: head, what went wrong, status, news, actions.  page.js
 * takes over what differs from a newer page, so every word is said here; what stands in
 * role="status" is read aloud when it changes, and therefore holds no numbers that run. */
#include "connect/page.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "common/html.h"
#include "connect/badge.h"
#include "connect/facts.h"
#include "connect/reason.h"
#include "connect/when.h"

#define PAGE_REFRESH_S 5   /* without JavaScript, while something is under way */
#define PAGE_RECENT_S  120 /* how long a synchronisation's end is news */
#define PAGE_LATE_S    60  /* when a synchronisation that has not begun is late */

static bool view_is(const struct view *view, const char *status)
{
	return strcmp(view->status, status) == 0;
}

static bool request_is(const struct view_request *request, const char *kind)
{
	return request->id[0] != '\0' && strcmp(request->kind, kind) == 0;
}

static bool request_is_in(const struct view_request *request, const char *state)
{
	return strcmp(request->state, state) == 0;
}

static bool request_is_over(const struct view_request *request)
{
	return request_is_in(request, "done") || request_is_in(request, "failed");
}

/* ---- head and foot ---- */

static void page_title(struct buf *out, const struct page *page)
{
	buf_text(out, "<title>");
	if (page->trouble != TROUBLE_NONE) {
		buf_text(out, "Problem: ");
	}
	badge_words(out, page->view);
	buf_text(out, " \xc2\xb7 My Schedule</title>\n");
}

static void page_head(struct buf *out, bool is_embedded)
{
	buf_format(out,
		   "<!doctype html>\n<html lang=\"en\"%s>\n<head>\n<meta charset=\"utf-8\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		   "<meta name=\"color-scheme\" content=\"light dark\">\n"
		   "<link rel=\"stylesheet\" href=\"" PAGE_CSS_PATH "\">\n",
		   is_embedded ? " data-embedded" : "");
}

static void page_head_live(struct buf *out, const struct page *page)
{
	page_head(out, page->is_embedded);
	if (badge_is_busy(page->view)) {
		buf_format(out,
			   "<noscript><meta http-equiv=\"refresh\" content=\"%d; url=%s\">"
			   "</noscript>\n",
			   PAGE_REFRESH_S, PAGE_PATH);
	}
	buf_text(out, "<script type=\"module\" src=\"" PAGE_JS_PATH "\"></script>\n");
	page_title(out, page);
}

static void page_body(struct buf *out, bool is_busy)
{
	buf_format(out, "</head>\n<body>\n<main%s>\n<h1>My Schedule</h1>\n",
		   is_busy ? " data-busy" : "");
}

static void page_foot(struct buf *out)
{
	buf_text(out, "</main>\n</body>\n</html>\n");
}

/* ---- what went wrong ---- */

/* Microsoft's sign-in refuses frames. */
static const char *page_target(bool is_embedded)
{
	return is_embedded ? " target=\"_blank\" rel=\"noopener\"" : "";
}

static void page_ways_on(struct buf *out, const struct words *words, const struct page *page)
{
	if (words->again != NULL) {
		buf_format(out, "<p><a href=\"%s\"%s>Connect again</a></p>", words->again,
			   page_target(page->is_embedded));
	}
	if (words->is_for_admin && page->admin_url != NULL) {
		buf_text(out, "<p>For your administrator, to open or to be sent: <a href=\"");
		html_escape(out, page->admin_url);
		buf_text(out, "\" target=\"_blank\" rel=\"noreferrer\">approve this application "
			      "for your organisation</a></p>");
	}
}

static void page_alert(struct buf *out, const struct page *page)
{
	const struct words *words = words_of(page->trouble);

	buf_format(
	    out,
	    "<div class=\"alert\" role=\"alert\" data-error=\"%s\"><p><strong>%s</strong></p>"
	    "<p>%s</p>",
	    words->code, words->text, words->way_on);
	page_ways_on(out, words, page);
	buf_text(out, "</div>\n");
}

static void page_alerts(struct buf *out, const struct page *page)
{
	buf_text(out, "<div id=\"alerts\">\n");
	if (page->trouble != TROUBLE_NONE) {
		page_alert(out, page);
	}
	buf_text(out, "</div>\n");
}

/* ---- status ---- */

static void page_badge(struct buf *out, const struct view *view)
{
	const struct badge *badge = badge_of(view);

	buf_format(out,
		   "<p id=\"badge\" class=\"badge %s\" data-status=\"%s\">"
		   "<svg aria-hidden=\"true\" width=\"16\" height=\"16\" viewBox=\"0 0 16 16\">"
		   "<path d=\"%s\"/></svg> ",
		   badge->name, view->status, badge->icon);
	badge_words(out, view);
	buf_text(out, "</p>\n");
}

/* Beside the region that is read aloud: its numbers run. */
static void page_progress(struct buf *out, const struct view *view)
{
	const struct view_request *running = &view->running;
	bool is_removal = request_is(running, "disconnect");

	if (running->id[0] == '\0' || running->total <= 0) {
		return;
	}
	buf_format(out,
		   "<div id=\"progress\"><progress aria-label=\"%s\" value=\"%" PRId64
		   "\" max=\"%" PRId64 "\"></progress>",
		   is_removal ? "Events removed" : "Assignments synchronised", running->done,
		   running->total);
	if (is_removal) {
		buf_format(out, "<p>%" PRId64 " of %" PRId64 " events removed.</p>", running->done,
			   running->total);
	}
	buf_text(out, "</div>\n");
}

/* ---- news: sentences that change with their meaning only ---- */

static void page_reason(struct buf *out, const struct page *page)
{
	const struct view *view = page->view;

	if (view->status_reason[0] == '\0') {
		return;
	}
	buf_text(out, "<p class=\"reason\">");
	html_escape(out, reason_text(view->status_reason));
	buf_char(out, ' ');
	html_escape(out, reason_find(view->status_reason)->way_on);
	if (view->next_try_s > 0) {
		buf_text(out, " The next try is at ");
		when_tag(out, view->next_try_s);
		when_moment(out, page->now_s, view->next_try_s);
		buf_text(out, "</time>.");
	}
	buf_text(out, "</p>\n");
}

static void page_running(struct buf *out, const struct page *page)
{
	const struct view_request *running = &page->view->running;
	bool is_removal = request_is(running, "disconnect");
	const char *what = is_removal ? "Disconnecting" : "The synchronisation";

	if (request_is_in(running, "running")) {
		buf_text(out, is_removal ? "<p>Your calendar is being disconnected.</p>\n"
					 : "<p>Your calendar is being synchronised.</p>\n");
	} else if (page->now_s - running->created_s < PAGE_LATE_S) {
		buf_format(out, "<p>%s is about to begin.</p>\n", what);
	} else {
		buf_format(out, "<p>%s was asked for at ", what);
		when_tag(out, running->created_s);
		when_moment(out, page->now_s, running->created_s);
		buf_text(out, "</time> and has not begun yet. It is not lost: it begins as soon as "
			      "our side is free.</p>\n");
	}
	buf_text(out, "<noscript><p>This page reloads by itself.</p></noscript>\n");
}

/* What a finished disconnect left behind, exactly. */
static void page_remains(struct buf *out, const struct view_request *request)
{
	int64_t kept = request->is_removal ? 0 : request->total;

	if (!request->is_removal && kept == 0) {
		buf_text(out, "The events already in it were kept, as you asked.");
	} else if (!request->is_removal) {
		buf_format(out,
			   "%" PRId64 " event%s in it, as you asked; %s no longer kept up to date.",
			   kept, kept == 1 ? " stays" : "s stay", kept == 1 ? "it is" : "they are");
	} else {
		buf_format(out, "%" PRId64 " event%s removed from it.", request->done,
			   request->done == 1 ? " was" : "s were");
	}
	if (reason_find(request->error)->has_detail) {
		return; /* it says how many remain */
	}
	if (request->failed > 0) {
		buf_format(out, " %" PRId64 " could not be removed and remain%s there.",
			   request->failed, request->failed == 1 ? "s" : "");
	} else if (request->is_removal && request->error[0] == '\0') {
		buf_text(out, " None of ours remains.");
	}
}

/* What the worker told is a sentence, more or less. */
static void page_error_of(struct buf *out, const struct view_request *request)
{
	const char *text = reason_text(request->error);

	if (text[0] == '\0') {
		return;
	}
	buf_char(out, ' ');
	html_escape(out, text);
	buf_text(out, strchr(".!?", text[strlen(text) - 1]) != NULL ? " " : ". ");
	html_escape(out, reason_find(request->error)->way_on);
}

static void page_disconnected(struct buf *out, const struct view_request *request)
{
	buf_text(out, "<p>Your calendar was disconnected. ");
	page_remains(out, request);
	page_error_of(out, request);
	buf_text(out, "</p>\n");
}

/* How the last synchronisation ended: for a while where well, for as long as it is the last where
 * not. */
static void page_synchronised(struct buf *out, const struct page *page)
{
	const struct view_request *latest = &page->view->latest;

	if (request_is_in(latest, "failed")) {
		buf_text(out, "<p>The last synchronisation was not finished.");
		page_error_of(out, latest);
		buf_text(out, "</p>\n");
	} else if (page->now_s - latest->finished_s > PAGE_RECENT_S) {
		return;
	} else if (latest->failed > 0) {
		buf_format(
		    out,
		    "<p>The synchronisation is finished: %" PRId64 " of %" PRId64
		    " assignments are as they should be; why the others are not stands below."
		    "</p>\n",
		    latest->done, latest->total);
	} else if (latest->total == 0) {
		buf_text(out, "<p>The synchronisation is finished: you have no assignments.</p>\n");
	} else {
		buf_format(out, "<p>The synchronisation is finished: %s as %s should be.</p>\n",
			   latest->total == 1 ? "your assignment is" : "all your assignments are",
			   latest->total == 1 ? "it" : "they");
	}
}

static void page_result(struct buf *out, const struct page *page)
{
	const struct view *view = page->view;

	if (!request_is_over(&view->latest)) {
		return;
	}
	if (!view->is_connected && request_is(&view->latest, "disconnect")) {
		page_disconnected(out, &view->latest);
	} else if (view_is(view, "active") && request_is(&view->latest, "full")) {
		page_synchronised(out, page);
	}
}

/* The region is always there, so that screen readers notice when something comes into it. */
static void page_news(struct buf *out, const struct page *page)
{
	const struct view *view = page->view;

	buf_text(out, "<div id=\"news\" class=\"news\" role=\"status\">\n");
	page_reason(out, page);
	if (page->has_just_connected && view->is_connected) {
		buf_text(out,
			 "<p>Your Outlook calendar is connected. Your assignments appear in it "
			 "within moments.</p>\n");
	}
	if (page->has_replaced && view->is_connected) {
		buf_text(out,
			 "<p>The events in the calendar you had connected before stay there, and "
			 "are no longer kept up to date. To have them removed, connect that "
			 "calendar again and choose Disconnect.</p>\n");
	}
	if (badge_is_busy(view) && view->running.id[0] != '\0') {
		page_running(out, page);
	} else {
		page_result(out, page);
	}
	buf_text(out,
		 "<p id=\"unreachable\" hidden>This page cannot reach its server at the moment; "
		 "what it shows may be old. It keeps trying.</p>\n</div>\n");
}

/* ---- actions ---- */

/* Microsoft's sign-in look: its four squares beside the words. */
static void page_connect(struct buf *out, const struct page *page, const char *words)
{
	buf_format(out,
		   "<p id=\"connect\"><a class=\"microsoft\" href=\"/api/auth/microsoft\"%s>"
		   "<svg aria-hidden=\"true\" width=\"21\" height=\"21\" viewBox=\"0 0 21 21\">"
		   "<path fill=\"#f25022\" d=\"M0 0h10v10H0z\"/><path fill=\"#7fba00\" d=\"M11 "
		   "0h10v10H11z\"/>"
		   "<path fill=\"#00a4ef\" d=\"M0 11h10v10H0z\"/><path fill=\"#ffb900\" "
		   "d=\"M11 11h10v10H11z\"/></svg> <span>%s%s</span></a></p>\n",
		   page_target(page->is_embedded), words,
		   page->is_embedded ? " <span class=\"exact\">(opens in a new tab)</span>" : "");
}

static void page_csrf(struct buf *out, const struct page *page)
{
	buf_text(out, "<input type=\"hidden\" name=\"csrf\" value=\"");
	html_escape(out, page->csrf);
	buf_text(out, "\">\n");
}

static void page_cooldown(struct buf *out, const struct page *page)
{
	int64_t at_s = page->now_s + page->view->wait_s;

	buf_text(out, "Possible again at ");
	when_tag(out, at_s);
	when_moment(out, page->now_s, at_s);
	buf_format(out, "</time>, in <span data-countdown>%" PRId64 "</span> s.",
		   page->view->wait_s);
}

/* A button that is disabled loses the focus; this one keeps it, and says why. */
static void page_sync_form(struct buf *out, const struct page *page)
{
	const struct view *view = page->view;
	bool can_ask = view_is(view, "active") && view->wait_s <= 0;

	buf_text(out, "<form method=\"post\" action=\"/api/calendar/sync\">\n");
	page_csrf(out, page);
	buf_format(out, "<button type=\"submit\"%s>Sync now</button>\n",
		   can_ask ? "" : " aria-disabled=\"true\" aria-describedby=\"sync-when\"");
	if (!can_ask) {
		buf_text(out, "<span id=\"sync-when\" class=\"exact\">");
		if (!view_is(view, "active")) {
			buf_text(out, "Possible again once the calendar is reconnected.");
		} else if (view->running.id[0] != '\0') {
			buf_text(
			    out,
			    "Possible again when this synchronisation is finished, once a minute.");
		} else {
			page_cooldown(out, page);
		}
		buf_text(out, "</span>\n");
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
		page_connect(out, page, "Connect Outlook Calendar");
		return;
	}
	if (view_is(view, "disconnecting")) {
		buf_text(out,
			 "<p>Changed your mind? Reconnecting keeps this calendar connected.</p>\n");
		page_connect(out, page, "Reconnect Outlook Calendar");
	} else {
		page_sync_form(out, page);
		page_disconnect_form(out, page);
	}
}

/* ---- the documents ---- */

void page_schedule(struct buf *out, const struct page *page)
{
	page_head_live(out, page);
	page_body(out, badge_is_busy(page->view));
	page_alerts(out, page);
	buf_text(
	    out,
	    "<section aria-labelledby=\"outlook\">\n<h2 id=\"outlook\">Outlook calendar</h2>\n");
	page_badge(out, page->view);
	page_news(out, page);
	page_progress(out, page->view);
	if (view_is(page->view, "needs_reconnect")) {
		page_connect(out, page, "Reconnect Outlook Calendar");
	}
	if (page->view->is_connected) {
		facts_write(out, page);
	} else {
		buf_text(
		    out,
		    "<p id=\"promise\">Connect your Outlook calendar, and every assignment you "
		    "have appears in it and stays up to date by itself.</p>\n");
	}
	page_actions(out, page);
	buf_text(out, "</section>\n");
	page_foot(out);
}

void page_trouble(struct buf *out, enum trouble trouble)
{
	page_head(out, false);
	buf_text(out, "<title>Problem \xc2\xb7 My Schedule</title>\n");
	page_body(out, false);
	page_alerts(out, &(struct page){.trouble = trouble});
	page_foot(out);
}

void page_approved(struct buf *out)
{
	page_head(out, false);
	buf_text(out, "<title>Approved \xc2\xb7 My Schedule</title>\n");
	page_body(out, false);
	buf_text(out,
		 "<div class=\"news\" role=\"status\"><p>Thank you. As far as Microsoft says, this "
		 "application is now approved for your organisation: everybody there can connect "
		 "their Outlook calendar.</p></div>\n<p><a href=\"" PAGE_PATH "\">Open My "
		 "Schedule</a></p>\n");
	page_foot(out);
}
