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
    .failed = 1,
};

static struct buf html; /* of the last page */

static int forget_html(void **state)
{
	(void)state;
	buf_close(&html);
	return 0;
}

static const char *page_of(const struct view *view, enum trouble trouble, bool has_just_connected)
{
	struct page page = {view, "csrf-token", NOW_S, trouble, has_just_connected};

	buf_close(&html);
	buf_init(&html, PAGE_MAX_BYTES);
	page_schedule(&html, &page);
	assert_false(html.failed);
	return buf_string(&html);
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
	assert_null(strstr(page, "<script"));
	assert_null(strstr(page, "style="));
}

static void connected_person_sees_all_facts_and_both_forms(void **state)
{
	const char *page = page_of(&ADA, TROUBLE_NONE, false);

	(void)state;
	assert_has(page, "data-status=\"active\"");
	assert_has(page, "Connected</p>");
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
	assert_null(strstr(page, " disabled"));
	assert_null(strstr(page, "http-equiv=\"refresh\""));
}

static void running_request_shows_progress_and_reloads(void **state)
{
	struct view view = ADA;

	(void)state;
	view.running = (struct view_request){
	    .id = "x", .kind = "full", .state = "running", .total = 40, .done = 12};
	view.wait_s = VIEW_BUSY_S;
	assert_has(page_of(&view, TROUBLE_NONE, true), "Synchronising: 12 of 40");
	assert_has(buf_string(&html), "http-equiv=\"refresh\"");
	assert_has(buf_string(&html), "<button type=\"submit\" disabled>Sync now</button>");
	assert_has(buf_string(&html), "is connected");
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
	assert_has(buf_string(&html), "Microsoft refused &lt;us&gt;.");
}

static void error_is_an_alert_in_plain_words_with_a_way_on(void **state)
{
	(void)state;
	assert_has(page_of(&NOBODY, TROUBLE_DENIED, false), "role=\"alert\"");
	assert_has(buf_string(&html), words_of(TROUBLE_DENIED)->text);
	assert_has(buf_string(&html), words_of(TROUBLE_DENIED)->way_on);
}

static void outside_text_never_becomes_markup(void **state)
{
	struct view view = ADA;
	struct view evil = {
	    .email = "\"><script>alert(1)</script>", .status_reason = "<b>", .failure = "'\"<&>"};

	(void)state;
	memcpy(view.email, evil.email, sizeof view.email);
	memcpy(view.status_reason, evil.status_reason, sizeof view.status_reason);
	memcpy(view.failure, evil.failure, sizeof view.failure);
	assert_null(strstr(page_of(&view, TROUBLE_NONE, false), "<script"));
	assert_null(strstr(buf_string(&html), "<b>"));
	assert_has(buf_string(&html), "&#39;&quot;&lt;&amp;&gt;");
}

static void json_says_the_same(void **state)
{
	struct view view = ADA;
	struct fault fault;
	struct buf json;
	cJSON *document;

	(void)state;
	view.running = (struct view_request){.id = "x", .kind = "full", .state = "running"};
	buf_init(&json, API_MAX_BYTES);
	api_connection(&json, &view);
	document = json_parse(buf_string(&json), json.length, API_MAX_BYTES, &fault);
	assert_non_null(document);
	assert_string_equal(json_text(document, "status"), "active");
	assert_string_equal(json_text(document, "email"), "ada@example.com");
	assert_string_equal(json_text(document, "last_synced_at"), "2026-03-01T12:57:00Z");
	assert_string_equal(json_text(json_object(document, "request"), "state"), "running");
	assert_non_null(json_member(json_object(document, "counts"), "in_calendar"));
	cJSON_Delete(document);
	buf_reset(&json);
	api_connection(&json, &NOBODY);
	document = json_parse(buf_string(&json), json.length, API_MAX_BYTES, &fault);
	assert_string_equal(json_text(document, "status"), "not_connected");
	assert_null(json_text(document, "email"));
	cJSON_Delete(document);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PAGE_TEST(stranger_sees_the_connect_button_and_no_forms),
	    PAGE_TEST(connected_person_sees_all_facts_and_both_forms),
	    PAGE_TEST(running_request_shows_progress_and_reloads),
	    PAGE_TEST(reconnect_is_offered_where_microsoft_refused),
	    PAGE_TEST(disconnecting_offers_nothing_that_would_collide),
	    PAGE_TEST(finished_disconnect_says_what_remained),
	    PAGE_TEST(error_is_an_alert_in_plain_words_with_a_way_on),
	    PAGE_TEST(outside_text_never_becomes_markup),
	    cmocka_unit_test(json_says_the_same),
	    cmocka_unit_test(times_read_as_people_say_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
