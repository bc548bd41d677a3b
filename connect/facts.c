/* facts.c - a connection's facts as HTML. */
#include "connect/facts.h"

#include <inttypes.h>
#include <string.h>

#include "common/html.h"
#include "connect/reason.h"
#include "connect/when.h"

static void fact_name(struct buf *out, const char *name)
{
	buf_format(out, "<dt>%s</dt><dd>", name);
}

static void fact_number(struct buf *out, const char *name, int64_t number)
{
	fact_name(out, name);
	buf_format(out, "%" PRId64 "</dd>\n", number);
}

static void facts_time(struct buf *out, int64_t at_s)
{
	when_tag(out, at_s);
	when_exact(out, at_s);
	buf_text(out, "</time>");
}

static void facts_last_sync(struct buf *out, const struct page *page)
{
	fact_name(out, "Last synchronised");
	if (page->view->last_synced_s == 0) {
		buf_text(out, "Not yet");
	} else {
		when_relative(out, page->now_s, page->view->last_synced_s);
		buf_text(out, " <span class=\"exact\">(");
		facts_time(out, page->view->last_synced_s);
		buf_text(out, ")</span>");
	}
	buf_text(out, "</dd>\n");
}

/* ---- why ---- */

/* Said once of each kind: with the last of them. */
static bool facts_say_more(const struct view_reasons *reasons, int i)
{
	const struct reason *kind = reason_find(reasons->most[i].told);

	for (int next = i + 1; next < reasons->most_count; next++) {
		if (reason_find(reasons->most[next].told) == kind) {
			return false;
		}
	}
	return kind->way_on[0] != '\0';
}

static void facts_reason(struct buf *out, const struct view_reason *reason, bool says_more)
{
	const struct reason *words = reason_find(reason->told);

	buf_format(out, "<li><strong>%" PRId64 "</strong> &times; ", reason->count);
	html_escape(out, words->text != NULL ? words->text : reason->told);
	if (words->has_detail) {
		buf_text(out, " <span class=\"exact\">(");
		html_escape(out, reason->told);
		buf_text(out, ")</span>");
	}
	if (says_more) {
		buf_text(out, " <span class=\"way-on\">");
		html_escape(out, words->way_on);
		buf_text(out, "</span>");
	}
	buf_text(out, "</li>\n");
}

static void facts_reasons(struct buf *out, const struct view_reasons *reasons)
{
	int64_t others = reasons->count;

	for (int i = 0; i < reasons->most_count; i++) {
		facts_reason(out, &reasons->most[i], facts_say_more(reasons, i));
		others -= reasons->most[i].count;
	}
	if (others > 0) {
		buf_format(out, "<li><strong>%" PRId64 "</strong> &times; other reasons.</li>\n",
			   others);
	}
}

static void facts_failed(struct buf *out, const struct view *view)
{
	if (view->failed.count == 0) {
		return;
	}
	buf_text(out, "<div id=\"failed\">\n<h3>Failed, and what to do</h3>\n<ul>\n");
	facts_reasons(out, &view->failed);
	buf_text(out, "</ul>\n</div>\n");
}

static void facts_left_out(struct buf *out, const struct view *view)
{
	if (view->left_out.count == 0 && view->hidden == 0) {
		return;
	}
	buf_text(out, "<div id=\"left-out\">\n<h3>Not shown in your calendar</h3>\n<ul>\n");
	facts_reasons(out, &view->left_out);
	if (view->hidden > 0) {
		buf_format(
		    out,
		    "<li><strong>%" PRId64 "</strong> &times; deleted by you in Outlook. "
		    "<span class=\"way-on\">What you delete there stays deleted.</span></li>\n",
		    view->hidden);
	}
	buf_text(out, "</ul>\n</div>\n");
}

void facts_write(struct buf *out, const struct page *page)
{
	const struct view *view = page->view;

	buf_text(out, "<dl>\n");
	fact_name(out, "Outlook account");
	html_escape(out, view->email[0] != '\0' ? view->email : "unknown");
	buf_text(out, "</dd>\n");
	fact_name(out, "Connected since");
	facts_time(out, view->connected_s);
	buf_text(out, "</dd>\n");
	facts_last_sync(out, page);
	fact_number(out, "In your calendar", view->in_calendar);
	fact_number(out, "Waiting", view->waiting);
	fact_number(out, "Failed", view->failed.count);
	buf_text(out, "</dl>\n");
	if (strcmp(view->status, "disconnecting") != 0) {
		facts_failed(out, view);
		facts_left_out(out, view);
	}
}
