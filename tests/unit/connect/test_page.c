/* test_page.c - what the page and the JSON say, and that nothing from outside becomes markup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "connect/api.h"
#include "connect/page.h"
#include "connect/when.h"

#define NOW_S 1772370000 /* 2026-03-01T13:00:00Z */

static const struct view NOBODY = {.status = "not_connected"};
static const struct view ADA = {
    .is_connected = true,
    .status = "active",
    .email = "ada@example.com",
    .connected_s = NOW_S - 86400,
    .last_synced_s = NOW_S - 180,
    .in_calendar = 12,
    .waiting = 3,
    .failed = {1, {{1, "Microsoft answered 400 ErrorX to create"}}, 1},
};

static struct buf html; /* of the last page */

static int forget_html(void **state)
{
	(void)state;
	buf_close(&html);
	return 0;
}

static const char *page_shows(const struct page *page)
{
	buf_close(&html);
	buf_init(&html, PAGE_MAX_BYTES);
	page_schedule(&html, page);
	assert_false(html.failed);
	return buf_string(&html);
}

static const char *page_of(const struct view *view, enum trouble trouble, bool has_just_connected)
{
	return page_shows(&(struct page){.view = view,
					 .csrf = "csrf-token",
					 .now_s = NOW_S,
					 .trouble = trouble,
					 .has_just_connected = has_just_connected,
					 .admin_url = "https://login.example/?a=1&b=2"});
}

static void assert_has(const char *page, const char *text)
{
	if (strstr(page, text) == NULL) {
		print_error("missing: %s\n", text);
	}
	assert_non_null(strstr(page, text));
}

static void stranger_sees_the_connect_button_and_no_forms(void **state)
{
	const char *page = page_of(&NOBODY, TROUBLE_NONE, false);

	(void)state;
	assert_has(page, "Connect Outlook Calendar");
	assert_has(page, "href=\"/api/auth/microsoft\"");
	assert_has(page, "Not connected");
	assert_null(strstr(page, "<form"));
	assert_null(strstr(page, "role=\"alert\""));
	assert_has(page, "role=\"status\"");
	assert_has(page, "<script type=\"module\" src=\"/my-schedule.js\"></script>");
	assert_null(strstr(page, "style="));
}

static void connected_person_sees_all_facts_and_both_forms(void **state)
{
	const char *page = page_of(&ADA, TROUBLE_NONE, false);

	(void)state;
	assert_has(page, "data-status=\"active\"");
	assert_has(page, "</svg> Connected</p>");
	assert_has(page, "<title>Connected \xc2\xb7 My Schedule</title>");
	assert_has(page, "ada@example.com");
	assert_has(page, "3 minutes ago");
	assert_has(page, "datetime=\"2026-03-01T12:57:00Z\"");
	assert_has(page, "<dt>In your calendar</dt><dd>12</dd>");
	assert_has(page, "<dt>Waiting</dt><dd>3</dd>");
	assert_has(page, "<form method=\"post\" action=\"/api/calendar/sync\">");
	assert_has(page, "<form method=\"post\" action=\"/api/calendar/disconnect\">");
	assert_has(page, "name=\"csrf\" value=\"csrf-token\"");
	assert_has(page, "value=\"keep\" checked");
	assert_has(page, "value=\"remove\"");
	assert_null(strstr(page, "disabled"));
	assert_null(strstr(page, "http-equiv=\"refresh\""));
	assert_has(page, "Microsoft refused this event. <span class=\"exact\">(Microsoft answered "
			 "400 ErrorX to create)</span> <span class=\"way-on\">Press Sync now");
	assert_null(strstr(page, "Not shown in your calendar"));
}

static void running_request_shows_progress_and_reloads_where_there_is_no_script(void **state)
{
	struct view view = ADA;

	(void)state;
	view.running = (struct view_request){
	    .id = "x", .kind = "full", .state = "running", .total = 40, .done = 12};
	view.wait_s = VIEW_BUSY_S;
	assert_has(page_of(&view, TROUBLE_NONE, true), "</svg> Syncing 12 of 40</p>");
	assert_has(buf_string(&html), "<title>Syncing 12 of 40 ");
	assert_has(buf_string(&html), "data-status=\"active\"");
	assert_has(buf_string(&html), "value=\"12\" max=\"40\"");
	assert_has(buf_string(&html), "<main data-busy>");
	assert_has(buf_string(&html), "<noscript><meta http-equiv=\"refresh\"");
	assert_has(buf_string(&html), "aria-disabled=\"true\" aria-describedby=\"sync-when\">Sync");
	assert_has(buf_string(&html), "when this synchronisation is finished");
	assert_has(buf_string(&html), "is connected");
}

/* What is read aloud may not change with each event: numbers that run stand elsewhere. */
static void region_that_is_read_aloud_holds_no_running_numbers(void **state)
{
	struct view view = ADA;
	struct buf before;
	const char *news;
	size_t length;

	(void)state;
	view.running =
	    (struct view_request){.id = "x", .kind = "full", .state = "running", .total = 40};
	news = strstr(page_of(&view, TROUBLE_NONE, false), "role=\"status\"");
	length = (size_t)(strstr(news, "</div>") - news);
	buf_init(&before, PAGE_MAX_BYTES);
	buf_add(&before, news, length);
	view.running.done = 12;
	view.running.failed = 1;
	news = strstr(page_of(&view, TROUBLE_NONE, false), "role=\"status\"");
	assert_memory_equal(news, buf_string(&before), length);
	buf_close(&before);
}

static void before_its_total_is_known_a_synchronisation_is_just_under_way(void **state)
{
	struct view view = ADA;

	(void)state;
	view.running = (struct view_request){
	    .id = "x", .kind = "full", .state = "requested", .created_s = NOW_S - 5};
	assert_has(page_of(&view, TROUBLE_NONE, false), "</svg> Syncing</p>");
	assert_has(buf_string(&html), "is about to begin");
	assert_null(strstr(buf_string(&html), "<progress"));
	view.running.created_s = NOW_S - 3600;
	assert_has(page_of(&view, TROUBLE_NONE, false), "has not begun yet");
}

static void cooldown_says_the_moment_and_the_seconds(void **state)
{
	struct view view = ADA;

	(void)state;
	view.wait_s = 42;
	assert_has(
	    page_of(&view, TROUBLE_NONE, false),
	    "Possible again at <time datetime=\"2026-03-01T13:00:42Z\">13:00:42 UTC</time>, in "
	    "<span data-countdown>42</span> s.");
	assert_has(buf_string(&html), "aria-disabled=\"true\"");
}

static void calendar_that_waits_says_why_and_until_when(void **state)
{
	struct view view = ADA;

	(void)state;
	snprintf(view.status_reason, sizeof view.status_reason, "throttled");
	view.next_try_s = NOW_S + 90;
	assert_has(page_of(&view, TROUBLE_NONE, false), "</svg> Connected</p>");
	assert_has(buf_string(&html), "Microsoft has asked us to wait");
	assert_has(buf_string(&html),
		   "The next try is at <time datetime=\"2026-03-01T13:01:30Z\">");
	view.next_try_s = NOW_S + 86400;
	assert_has(page_of(&view, TROUBLE_NONE, false), "\">2 March 2026, 13:00:00 UTC</time>.");
}

static void what_the_plan_leaves_out_and_the_person_deleted_is_no_failure(void **state)
{
	struct view view = ADA;

	(void)state;
	view.failed = (struct view_reasons){0};
	view.hidden = 3;
	view.left_out = (struct view_reasons){
	    9,
	    {{5, "the project ends before it starts"}, {2, "its booking status has no event"}},
	    2};
	assert_has(page_of(&view, TROUBLE_NONE, false), "<dt>Failed</dt><dd>0</dd>");
	assert_has(buf_string(&html),
		   "<strong>5</strong> &times; The project ends before it starts. <span "
		   "class=\"way-on\">It appears as soon as");
	assert_has(buf_string(&html), "<strong>2</strong> &times; other reasons.");
	assert_has(buf_string(&html), "<strong>3</strong> &times; deleted by you in Outlook.");
	assert_null(strstr(buf_string(&html), "id=\"failed\""));
}

static const char *page_after(const struct view_request *latest)
{
	struct view view = ADA;

	view.latest = *latest;
	return page_of(&view, TROUBLE_NONE, false);
}

static void end_of_a_synchronisation_is_told_with_what_it_achieved(void **state)
{
	struct view_request latest = {.id = "x",
				      .kind = "full",
				      .state = "done",
				      .total = 40,
				      .done = 40,
				      .finished_s = NOW_S - 5};

	(void)state;
	assert_has(page_after(&latest), "all your assignments are as they should be");
	latest.done = 38;
	latest.failed = 2;
	assert_has(page_after(&latest), "38 of 40 assignments are as they should be");
	latest.finished_s = NOW_S - 3600;
	assert_null(strstr(page_after(&latest), "is finished"));
	latest = (struct view_request){
	    .id = "x",
	    .kind = "full",
	    .state = "failed",
	    .error = "9 of 12 events in the calendar belong to no assignment: that many are not "
		     "removed without a person's word"};
	assert_has(page_after(&latest), "was not finished. 9 of 12 events");
	assert_has(buf_string(&html), "person&#39;s word. Nothing was removed.");
}

static void inside_a_frame_microsofts_sign_in_opens_in_a_new_tab(void **state)
{
	struct page page = {.view = &NOBODY, .csrf = "", .now_s = NOW_S, .is_embedded = true};

	(void)state;
	assert_has(page_shows(&page), "href=\"/api/auth/microsoft\" target=\"_blank\" "
				      "rel=\"noopener\"");
	assert_has(buf_string(&html), "(opens in a new tab)");
	assert_has(buf_string(&html), "<html lang=\"en\" data-embedded>");
	page.is_embedded = false;
	assert_null(strstr(page_shows(&page), "_blank"));
	assert_null(strstr(buf_string(&html), "data-embedded"));
}

static void reconnect_is_offered_where_microsoft_refused(void **state)
{
	struct view view = ADA;

	(void)state;
	snprintf(view.status, sizeof view.status, "%s", "needs_reconnect");
	assert_has(page_of(&view, TROUBLE_NONE, false), "Needs you to reconnect");
	assert_has(buf_string(&html), "Reconnect Outlook Calendar");
	assert_has(buf_string(&html), "action=\"/api/calendar/disconnect\"");
}

static void disconnecting_offers_nothing_that_would_collide(void **state)
{
	struct view view = ADA;

	(void)state;
	snprintf(view.status, sizeof view.status, "%s", "disconnecting");
	assert_has(page_of(&view, TROUBLE_NONE, false), "Disconnecting");
	assert_null(strstr(buf_string(&html), "<form"));
}

static void finished_disconnect_says_what_remained(void **state)
{
	struct view view = NOBODY;

	(void)state;
	view.latest = (struct view_request){.id = "x",
					    .kind = "disconnect",
					    .state = "done",
					    .total = 5,
					    .done = 4,
					    .failed = 1,
					    .is_removal = true,
					    .error = "Microsoft refused <us>."};
	assert_has(page_of(&view, TROUBLE_NONE, false), "4 events were removed");
	assert_has(buf_string(&html), "1 could not be removed and remains there.");
	assert_has(buf_string(&html), "Microsoft refused &lt;us&gt;. If it stays");
	view.latest = (struct view_request){.id = "x",
					    .kind = "disconnect",
					    .state = "done",
					    .total = 5,
					    .done = 5,
					    .is_removal = true};
	assert_has(page_of(&view, TROUBLE_NONE, false),
		   "5 events were removed from it. None of ours remains.</p>");
	view.latest.is_removal = false;
	assert_has(page_of(&view, TROUBLE_NONE, false), "5 events stay in it, as you asked;");
	view.latest.total = 0;
	assert_has(page_of(&view, TROUBLE_NONE, false), "kept, as you asked");
}

static void error_is_an_alert_in_plain_words_with_a_way_on(void **state)
{
	(void)state;
	assert_has(page_of(&NOBODY, TROUBLE_DENIED, false), "role=\"alert\"");
	assert_has(buf_string(&html), words_of(TROUBLE_DENIED)->text);
	assert_has(buf_string(&html), words_of(TROUBLE_DENIED)->way_on);
	assert_has(buf_string(&html), "<title>Problem: Not connected ");
}

static void outside_text_never_becomes_markup(void **state)
{
	struct view view = ADA;
	struct view evil = {.email = "\"><script>alert(1)</script>", .status_reason = "<b>"};

	(void)state;
	memcpy(view.email, evil.email, sizeof view.email);
	memcpy(view.status_reason, evil.status_reason, sizeof view.status_reason);
	view.failed = (struct view_reasons){2, {{1, "'\"<&>"}, {1, "Microsoft answered <i>"}}, 2};
	view.left_out = (struct view_reasons){1, {{1, "<u>"}}, 1};
	view.latest = (struct view_request){.id = "x", .kind = "full", .state = "failed"};
	snprintf(view.latest.error, sizeof view.latest.error, "<s>");
	assert_null(strstr(page_of(&view, TROUBLE_NONE, false), "<script>"));
	assert_null(strstr(buf_string(&html), "<i>"));
	assert_null(strstr(buf_string(&html), "<u>"));
	snprintf(view.status_reason, sizeof view.status_reason, "%s", "");
	assert_null(strstr(page_of(&view, TROUBLE_NONE, false), "<s>"));
	assert_has(buf_string(&html), "&lt;s&gt;");
	snprintf(view.status_reason, sizeof view.status_reason, "<b>");
	assert_non_null(page_of(&view, TROUBLE_NONE, false));
	assert_null(strstr(buf_string(&html), "<b>"));
	assert_has(buf_string(&html), "&#39;&quot;&lt;&amp;&gt;");
}

static void json_says_the_same(void **state)
{
	struct view view = ADA;
	struct fault fault;
	struct buf json;
	cJSON *document;
	const cJSON *failure;
	int64_t count;

	(void)state;
	view.running = (struct view_request){.id = "x", .kind = "full", .state = "running"};
	buf_init(&json, API_MAX_BYTES);
	snprintf(view.status_reason, sizeof view.status_reason, "mailbox");
	view.wait_s = 10;
	view.hidden = 2;
	api_connection(&json, &view, NOW_S);
	document = json_parse(buf_string(&json), json.length, API_MAX_BYTES, &fault);
	assert_non_null(document);
	assert_string_equal(json_text(document, "status"), "active");
	assert_string_equal(json_text(document, "email"), "ada@example.com");
	assert_string_equal(json_text(document, "last_synced_at"), "2026-03-01T12:57:00Z");
	assert_string_equal(json_text(json_object(document, "request"), "state"), "running");
	assert_non_null(json_member(json_object(document, "counts"), "in_calendar"));
	assert_string_equal(json_text(document, "badge"), "Syncing");
	assert_string_equal(json_text(document, "status_reason"), "mailbox");
	assert_non_null(strstr(json_text(json_object(document, "why"), "text"), "your mailbox"));
	assert_non_null(json_text(json_object(document, "why"), "way_on"));
	assert_string_equal(json_text(document, "sync_possible_at"), "2026-03-01T13:00:10Z");
	failure = cJSON_GetArrayItem(json_array(document, "failures"), 0);
	assert_string_equal(json_text(failure, "text"), "Microsoft refused this event.");
	assert_string_equal(json_text(failure, "reason"), ADA.failed.most[0].told);
	assert_true(json_integer(failure, "count", &count) && count == 1);
	assert_true(json_integer(json_object(document, "counts"), "hidden", &count) && count == 2);
	cJSON_Delete(document);
	buf_reset(&json);
	api_connection(&json, &NOBODY, NOW_S);
	document = json_parse(buf_string(&json), json.length, API_MAX_BYTES, &fault);
	assert_string_equal(json_text(document, "status"), "not_connected");
	assert_null(json_text(document, "email"));
	cJSON_Delete(document);
	buf_close(&json);
}

static void error_of_a_request_is_in_words(void **state)
{
	struct view_request request = {.id = "x", .kind = "full", .state = "failed"};
	struct buf json;

	(void)state;
	buf_init(&json, API_MAX_BYTES);
	api_request(&json, &request);
	assert_has(buf_string(&json), "\"error\":null");
	buf_reset(&json);
	snprintf(request.error, sizeof request.error, "consent_revoked");
	api_request(&json, &request);
	assert_has(buf_string(&json), "\"error\":\"Microsoft no longer accepts");
	buf_close(&json);
}

static void times_read_as_people_say_them(void **state)
{
	static const struct {
		int64_t age_s;
		const char *words;
	} AGES[] = {{-5, "just now"},	       {0, "just now"},	     {59, "just now"},
		    {60, "1 minute ago"},      {7199, "1 hour ago"}, {86400, "1 day ago"},
		    {3 * 86400L, "3 days ago"}};
	struct buf out;

	(void)state;
	buf_init(&out, 256);
	for (size_t i = 0; i < sizeof AGES / sizeof *AGES; i++) {
		buf_reset(&out);
		when_relative(&out, NOW_S, NOW_S - AGES[i].age_s);
		assert_string_equal(buf_string(&out), AGES[i].words);
	}
	buf_reset(&out);
	assert_true(when_use_zone("Europe/Berlin"));
	when_exact(&out, NOW_S);
	assert_string_equal(buf_string(&out), "1 March 2026, 14:00:00 CET");
	buf_reset(&out);
	assert_false(when_use_zone("W. Europe Standard Time"));
	assert_false(when_use_zone("../../etc/passwd"));
	when_exact(&out, NOW_S);
	assert_string_equal(buf_string(&out), "1 March 2026, 13:00:00 UTC");
	buf_close(&out);
}

#define PAGE_TEST(name) cmocka_unit_test_teardown(name, forget_html)

static void consent_trouble_comes_with_the_link_for_the_administrator(void **state)
{
	static const enum trouble THEIRS[] = {TROUBLE_DENIED, TROUBLE_ADMIN, TROUBLE_SCOPES};

	(void)state;
	for (size_t i = 0; i < sizeof THEIRS / sizeof *THEIRS; i++) {
		assert_has(page_of(&NOBODY, THEIRS[i], false),
			   "href=\"https://login.example/?a=1&amp;b=2\"");
	}
	assert_null(strstr(page_of(&NOBODY, TROUBLE_CODE, false), "login.example"));
	assert_null(strstr(page_of(&NOBODY, TROUBLE_NONE, false), "login.example"));
}

static void a_failed_sign_in_can_be_begun_again_from_where_it_is_said(void **state)
{
	(void)state;
	assert_has(page_of(&ADA, TROUBLE_CODE, false),
		   "<a href=\"/api/auth/microsoft\">Connect again</a>");
	assert_has(page_of(&ADA, TROUBLE_SCOPES, false),
		   "<a href=\"/api/auth/microsoft?prompt=consent\">Connect again</a>");
	assert_has(page_of(&ADA, TROUBLE_TENANT, false),
		   "<a href=\"/api/auth/microsoft?prompt=select_account\">Connect again</a>");
	assert_null(strstr(page_of(&ADA, TROUBLE_BUSY, false), "Connect again"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PAGE_TEST(stranger_sees_the_connect_button_and_no_forms),
	    PAGE_TEST(connected_person_sees_all_facts_and_both_forms),
	    PAGE_TEST(running_request_shows_progress_and_reloads_where_there_is_no_script),
	    PAGE_TEST(region_that_is_read_aloud_holds_no_running_numbers),
	    PAGE_TEST(before_its_total_is_known_a_synchronisation_is_just_under_way),
	    PAGE_TEST(cooldown_says_the_moment_and_the_seconds),
	    PAGE_TEST(calendar_that_waits_says_why_and_until_when),
	    PAGE_TEST(what_the_plan_leaves_out_and_the_person_deleted_is_no_failure),
	    PAGE_TEST(end_of_a_synchronisation_is_told_with_what_it_achieved),
	    PAGE_TEST(inside_a_frame_microsofts_sign_in_opens_in_a_new_tab),
	    PAGE_TEST(reconnect_is_offered_where_microsoft_refused),
	    PAGE_TEST(disconnecting_offers_nothing_that_would_collide),
	    PAGE_TEST(finished_disconnect_says_what_remained),
	    PAGE_TEST(error_is_an_alert_in_plain_words_with_a_way_on),
	    PAGE_TEST(outside_text_never_becomes_markup),
	    cmocka_unit_test(consent_trouble_comes_with_the_link_for_the_administrator),
	    cmocka_unit_test(a_failed_sign_in_can_be_begun_again_from_where_it_is_said),
	    cmocka_unit_test(json_says_the_same),
	    cmocka_unit_test(error_of_a_request_is_in_words),
	    cmocka_unit_test(times_read_as_people_say_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
