/* calendars.c - the month view of all people's calendars.
 *
 * One row per person, one column per day; bars are events, coloured by category.  No script. */
#include "tests/fake/calendars.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/civil.h"
#include "common/clock.h"
#include "common/html.h"
#include "common/http.h"
#include "tests/fake/month.h"
#include "tests/fake/server.h"
#include "tests/fake/style.h"

#define PEOPLE_MAX  300	 /* rows on one page */
#define CHOICES_MAX 1000 /* people in the filter */
#define DAY_MS	    86400000

static const char CSS[] =
    "body{padding:1.5rem clamp(.75rem,3vw,2.5rem)}"
    "header{display:flex;flex-wrap:wrap;gap:.75rem 1.5rem;align-items:center;margin-bottom:1.25rem}"
    "header h1{min-width:11rem}nav{display:flex;gap:.4rem}"
    "nav a,button,select{font:inherit;padding:.35rem .8rem;border:1px solid var(--line);"
    "border-radius:6px;background:var(--card);color:var(--ink);text-decoration:none}"
    "nav a:hover,button:hover{border-color:var(--accent)}form{display:flex;gap:.4rem;"
    "margin-left:auto;align-items:center}select{max-width:18rem}"
    ".sheet{background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:auto}"
    ".row{display:grid;grid-template-columns:13rem repeat(var(--days),minmax(1.7rem,1fr));"
    "grid-auto-rows:minmax(1.75rem,auto);row-gap:3px;min-width:66rem;padding:5px 0;"
    "border-top:1px solid var(--line);position:relative}"
    ".row:first-child{border-top:0;position:sticky;top:0;background:var(--card);z-index:2;"
    "font-size:.78rem;color:var(--dim);text-align:center}"
    ".row:first-child b{display:block;color:var(--ink);font-size:.95rem;font-weight:600}"
    ".who{grid-column:1;grid-row:1/span var(--lanes);padding:.1rem .9rem;position:sticky;left:0;"
    "background:var(--card);z-index:1;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}"
    ".who a{color:inherit;text-decoration:none;font-weight:600}.who a:hover{color:var(--accent)}"
    ".who small{display:block;color:var(--dim);font-size:.75rem;overflow:hidden;"
    "text-overflow:ellipsis}"
    ".off{grid-row:1/span var(--lanes);background:var(--back);margin:-5px 0;border-radius:0}"
    ".now{grid-row:1/span var(--lanes);margin:-5px 0;box-shadow:inset 0 0 0 2px "
    "#0f5fc255;border-radius:4px}"
    ".bar{margin:0 2px;padding:.16rem .5rem;border-radius:5px;background:var(--c);color:#fff;"
    "font-size:.8rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;z-index:1;"
    "align-self:start}"
    ".bar.soft{color:#1b1f24;box-shadow:inset 0 0 0 1.5px var(--c);"
    "background:repeating-linear-gradient(135deg,color-mix(in srgb,var(--c) 30%,#fff) 0 8px,"
    "color-mix(in srgb,var(--c) 20%,#fff) 8px 16px)}"
    ".bar.from{border-top-left-radius:0;border-bottom-left-radius:0;margin-left:0}"
    ".bar.on{border-top-right-radius:0;border-bottom-right-radius:0;margin-right:0}"
    "footer{color:var(--dim);font-size:.85rem;margin-top:1rem;display:flex;flex-wrap:wrap;"
    "gap:.4rem 1.2rem}"
    "footer i{display:inline-block;width:.8rem;height:.8rem;border-radius:3px;background:var(--c);"
    "vertical-align:-1px;margin-right:.4em}.empty{padding:3rem;text-align:center;color:var(--dim)}";

struct view {
	struct month month;
	int days;
	int today;	    /* day of this month, 0 where it is another */
	const char *person; /* NULL: everybody */
	struct buf page;
};

static int view_weekday(const struct view *view, int day)
{
	/* 1970-01-01 was a Thursday; 0 is Monday */
	return (int)((civil_day(view->month.year, view->month.month, day) + 3) % 7);
}

/* ---- head ---- */

static void write_month_link(struct view *view, struct month month, const char *text)
{
	struct buf link;

	buf_init(&link, 2048);
	buf_format(&link, "?month=%04d-%02d", month.year, month.month);
	if (view->person != NULL) {
		buf_text(&link, "&person=");
		http_encode(&link, view->person);
	}
	buf_text(&view->page, "<a href=\"");
	html_escape(&view->page, buf_string(&link));
	buf_format(&view->page, "\">%s</a>", text);
	buf_close(&link);
}

static void write_filter(struct view *view, const struct accounts *accounts)
{
	const struct account *account = accounts->by_email;
	struct buf *page = &view->page;

	buf_format(page,
		   "<form method=\"get\"><input type=\"hidden\" name=\"month\" value=\"%04d-%02d\">"
		   "<label for=\"person\">Person</label><select id=\"person\" name=\"person\">"
		   "<option value=\"\">Everybody</option>",
		   view->month.year, view->month.month);
	for (int i = 0; account != NULL && i < CHOICES_MAX; account = account->hh.next, i++) {
		bool chosen = view->person != NULL && strcasecmp(view->person, account->email) == 0;

		buf_text(page, "<option value=\"");
		html_escape(page, account->email);
		buf_text(page, chosen ? "\" selected>" : "\">");
		html_escape(page, account->display_name);
		buf_text(page, "</option>");
	}
	buf_text(page, "</select><button>Show</button></form>");
}

static void write_header(struct view *view, const struct accounts *accounts)
{
	buf_format(&view->page, "<header><h1>%s %d</h1><nav aria-label=\"Month\">",
		   month_name(view->month), view->month.year);
	if (view->month.year > 1970) {
		write_month_link(view, month_before(view->month), "&larr; Earlier");
	}
	if (view->month.year < 9999) {
		write_month_link(view, month_after(view->month), "Later &rarr;");
	}
	buf_text(&view->page, "</nav>");
	write_filter(view, accounts);
	buf_text(&view->page, "</header>\n");
}

/* ---- rows ---- */

static void write_day_names(struct view *view)
{
	static const char *const NAMES[] = {"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"};

	buf_text(&view->page, "<div class=\"row\"><span></span>");
	for (int day = 1; day <= view->days; day++) {
		buf_format(&view->page, "<span>%s<b>%d</b></span>", NAMES[view_weekday(view, day)],
			   day);
	}
	buf_text(&view->page, "</div>\n");
}

/* Weekends and today, behind the bars. */
static void write_background(struct view *view)
{
	for (int day = 1; day <= view->days; day++) {
		if (view_weekday(view, day) >= 5) {
			buf_format(&view->page, "<i class=\"off\" style=\"grid-column:%d\"></i>",
				   day + 1);
		}
		if (day == view->today) {
			buf_format(&view->page, "<i class=\"now\" style=\"grid-column:%d\"></i>",
				   day + 1);
		}
	}
}

static const char *event_category(const struct event *event)
{
	return event->draft.category_count > 0 ? event->draft.categories[0] : NULL;
}

static void write_bar(struct view *view, const struct account *account, const struct month_bar *bar)
{
	const struct draft *draft = &bar->event->draft;
	const char *subject = draft->subject != NULL ? draft->subject : "(no subject)";
	const char *category = event_category(bar->event);
	const char *preset =
	    category != NULL ? category_list_colour(&account->categories, category) : NULL;
	struct buf *page = &view->page;

	buf_format(
	    page,
	    "<div class=\"bar%s%s%s\" style=\"grid-column:%d/%d;grid-row:%d;--c:%s\" title=\"",
	    strcmp(draft->show_as, "busy") == 0 ? "" : " soft", bar->begins_before ? " from" : "",
	    bar->ends_after ? " on" : "", bar->first + 1, bar->last + 2, bar->lane + 1,
	    month_colour(category, preset));
	html_escape(page, subject);
	buf_text(page, " \xC2\xB7 ");
	html_escape(page, draft->show_as);
	if (category != NULL) {
		buf_text(page, " \xC2\xB7 ");
		html_escape(page, category);
	}
	buf_text(page, "\">");
	html_escape(page, subject);
	buf_text(page, "</div>");
}

static void write_person(struct view *view, const struct account *account)
{
	struct month_bar bars[MONTH_BARS_MAX];
	struct buf *page = &view->page;
	size_t more;
	size_t count = month_layout(view->month, &account->mailbox, bars, &more);

	/* two lanes at least: the name stands above the address */
	buf_format(page, "<div class=\"row\" style=\"--lanes:%d\">",
		   month_lanes(bars, count) > 2 ? month_lanes(bars, count) : 2);
	write_background(view);
	buf_format(page,
		   "<div class=\"who\"><a href=\"?month=%04d-%02d&amp;person=", view->month.year,
		   view->month.month);
	http_encode(page, account->email);
	buf_text(page, "\">");
	html_escape(page, account->display_name);
	buf_text(page, "</a><small>");
	html_escape(page, account->email);
	if (more > 0) {
		buf_format(page, " \xC2\xB7 %zu more", more);
	}
	buf_text(page, "</small></div>");
	for (size_t i = 0; i < count; i++) {
		write_bar(view, account, &bars[i]);
	}
	buf_text(page, "</div>\n");
}

static void write_people(struct view *view, const struct accounts *accounts)
{
	const struct account *account = accounts->by_email;
	int shown = 0;

	buf_format(&view->page, "<div class=\"sheet\" style=\"--days:%d\">", view->days);
	write_day_names(view);
	for (; account != NULL && shown < PEOPLE_MAX; account = account->hh.next) {
		if (view->person == NULL || strcasecmp(view->person, account->email) == 0) {
			write_person(view, account);
			shown++;
		}
	}
	if (shown == 0) {
		buf_text(&view->page, "<p class=\"empty\">Nobody is here.</p>");
	}
	buf_text(&view->page, "</div>\n<footer>");
	if (account != NULL) {
		buf_format(&view->page, "<span>The first %d people are shown.</span>", PEOPLE_MAX);
	}
	buf_text(&view->page, "<span>Full colour: busy. Stripes: tentative or other. The colour is "
			      "the category's.</span></footer>");
}

/* The asked month, or this one. */
static struct month asked_month(const struct httpd_request *request, int *today)
{
	const char *text = httpd_query(request, "month");
	struct civil_date now = civil_date(clock_wall_ms() / DAY_MS);
	struct month asked;

	if (text == NULL || !datetime_parse_month(text, &asked.year, &asked.month)) {
		asked = (struct month){(int)now.year, now.month};
	}
	*today = asked.year == now.year && asked.month == now.month ? now.day : 0;
	return asked;
}

void calendars_handle(struct httpd_request *request)
{
	const struct server *server = httpd_context(request);
	struct view view = {.person = httpd_query(request, "person")};

	view.month = asked_month(request, &view.today);
	view.days = civil_month_days(view.month.year, view.month.month);
	if (view.person != NULL && *view.person == '\0') {
		view.person = NULL;
	}
	buf_init(&view.page, SERVER_PAGE_MAX_BYTES);
	style_open_page(&view.page, "Calendars", CSS);
	write_header(&view, &server->world.accounts);
	write_people(&view, &server->world.accounts);
	style_close_page(&view.page);
	server_reply_page(request, 200, &view.page);
}
