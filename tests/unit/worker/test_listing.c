/* test_listing.c - a mailbox's pages: asked for, read whole or not at all, compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/listing.h"

#define PROPERTY   "String {0b7c4c8e-5a3f-4a52-9f0e-6d1f6f2a7c11} Name AmiDashAssignment"
#define GRAPH	   "https://graph.microsoft.com"
#define ASSIGNMENT "22222222-2222-4222-8222-222222222222"
#define ENCODED_PROPERTY                                                                           \
	"%27String%20%7B0b7c4c8e-5a3f-4a52-9f0e-6d1f6f2a7c11%7D%20Name%20AmiDashAssignment%27"
#define ENCODED_ANY                                                                                \
	"singleValueExtendedProperties%2FAny%28ep%3A%20ep%2Fid%20eq%20" ENCODED_PROPERTY           \
	"%20and%20ep%2Fvalue%20"
#define MARK_OF(id, value)                                                                         \
	"\"singleValueExtendedProperties\":[{\"id\":\"" id "\",\"value\":\"" value "\"}]"
#define MARK MARK_OF(PROPERTY, ASSIGNMENT)
#define EVENT_OF(id, more)                                                                         \
	"{\"id\":\"" id "\",\"changeKey\":\"ck-" id "\",\"subject\":\"Acme Corp\","                \
	"\"body\":{\"contentType\":\"text\",\"content\":\"confirmed\\r\\n\\r\\nbring "             \
	"boots\\r\\n\"},"                                                                          \
	"\"start\":{\"dateTime\":\"2026-11-23T00:00:00.0000000\",\"timeZone\":\"UTC\"},"           \
	"\"end\":{\"dateTime\":\"2026-11-28T00:00:00.0000000\",\"timeZone\":\"UTC\"},"             \
	"\"isAllDay\":true,\"showAs\":\"busy\",\"isReminderOn\":false,"                            \
	"\"categories\":[\"Mine\",\"Green category\"]," more "}"
#define EVENT		       EVENT_OF("AAk/1+=", MARK)
#define PAGE(items)	       "{\"@odata.context\":\"x\",\"value\":[" items "]}"
#define PAGE_THEN(items, next) "{\"value\":[" items "],\"@odata.nextLink\":" next "}"

static struct hostmap map;

static int load_map(void **state)
{
	struct fault fault;

	(void)state;
	return hostmap_load(&map, NULL, &fault) ? 0 : -1;
}

static void add_page(struct listing *listing, const char *page)
{
	struct fault fault = {.kind = FAULT_NONE};

	if (!listing_add_page(listing, page, strlen(page), PROPERTY, GRAPH, &fault)) {
		fail_msg("%s", fault.what);
	}
}

static void expect_refused(const char *page)
{
	struct listing listing = {0};
	struct fault fault = {.kind = FAULT_NONE};

	if (listing_add_page(&listing, page, strlen(page), PROPERTY, GRAPH, &fault)) {
		fail_msg("taken: %s", page);
	}
	assert_int_equal(fault.kind, FAULT_RETRY);
	assert_null(listing.next_url);
	assert_int_equal(listing.count, 0);
	listing_close(&listing);
}

static struct outlook_event wanted_event(void)
{
	struct change *change = change_new(&(struct assignment){.client_name = "Acme Corp",
								.status = "confirmed",
								.notes = "bring boots",
								.start_day = 20780,
								.end_day = 20784});
	struct outlook_event event;

	assert_non_null(change);
	assert_true(outlook_event_make(&event, change, &map, "Europe/Berlin", SCOPE_MAILBOX_NONE));
	free(change);
	return event;
}

static void the_first_page_asks_for_every_marked_event_with_its_mark(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	listing_first_path(&out, PROPERTY);
	assert_string_equal(
	    buf_string(&out),
	    "/me/events?$filter=" ENCODED_ANY "ne%20null%29"
	    "&$expand=singleValueExtendedProperties%28%24filter%3Did%20eq%20" ENCODED_PROPERTY "%29"
	    "&$select=id%2CchangeKey%2Csubject%2Cbody%2Cstart%2Cend%2CisAllDay%2CshowAs%"
	    "2Ccategories"
	    "%2CisReminderOn&$top=100");
	buf_close(&out);
}

static void finding_one_asks_for_its_value(void **state)
{
	struct uuid assignment;
	struct buf out;

	(void)state;
	assert_true(uuid_parse(ASSIGNMENT, &assignment));
	buf_init(&out, 4096);
	listing_find_path(&out, PROPERTY, &assignment);
	assert_string_equal(buf_string(&out),
			    "/me/events?$filter=" ENCODED_ANY "eq%20%27" ASSIGNMENT "%27%29"
			    "&$select=id%2CchangeKey%2Ccategories");
	buf_close(&out);
}

static void a_quote_in_the_property_is_doubled(void **state)
{
	struct uuid assignment = {{0}};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	listing_find_path(&out, "it's", &assignment);
	assert_non_null(strstr(buf_string(&out), "eq%20%27it%27%27s%27%20and"));
	buf_close(&out);
}

static void a_page_gives_each_event_as_the_mailbox_has_it(void **state)
{
	struct listing listing = {0};
	const struct listed *listed;
	char assignment[UUID_TEXT_SIZE];

	(void)state;
	add_page(&listing, PAGE(EVENT));
	assert_int_equal(listing.count, 1);
	assert_null(listing.next_url);
	listed = &listing.events[0];
	assert_true(listed->has_assignment);
	uuid_format(&listed->assignment, assignment);
	assert_string_equal(assignment, ASSIGNMENT);
	assert_string_equal(listed->id, "AAk/1+=");
	assert_string_equal(listed->change_key, "ck-AAk/1+=");
	assert_string_equal(listed->subject, "Acme Corp");
	assert_string_equal(listed->body, "confirmed\n\nbring boots");
	assert_string_equal(listed->start, "2026-11-23");
	assert_string_equal(listed->end, "2026-11-28");
	assert_true(listed->is_midnight);
	assert_true(listed->is_all_day);
	assert_false(listed->is_reminder_on);
	assert_string_equal(listed->show_as, "busy");
	assert_string_equal(listed->categories, "\x1f"
						"Mine"
						"\x1f"
						"Green category"
						"\x1f");
	listing_close(&listing);
}

static void an_event_with_an_id_and_nothing_else_is_listed(void **state)
{
	struct listing listing = {0};
	const struct listed *listed;

	(void)state;
	add_page(&listing, PAGE("{\"id\":\"x\",\"subject\":null,\"start\":null,\"end\":{}}"));
	listed = &listing.events[0];
	assert_false(listed->has_assignment);
	assert_string_equal(listed->change_key, "");
	assert_string_equal(listed->subject, "");
	assert_string_equal(listed->body, "");
	assert_string_equal(listed->start, "");
	assert_string_equal(listed->categories, "\x1f");
	assert_string_equal(listed->show_as, "");
	assert_false(listed->is_midnight);
	listing_close(&listing);
}

static void a_mark_that_is_no_uuid_or_anothers_names_no_assignment(void **state)
{
	static const char *const PAGES[] = {
	    PAGE(EVENT_OF("a", MARK_OF(PROPERTY, "mine"))),
	    PAGE(EVENT_OF("a", MARK_OF("String {0b7c4c8e-5a3f-4a52-9f0e-6d1f6f2a7c11} Name Other",
				       ASSIGNMENT))),
	    PAGE(EVENT_OF("a", "\"more\":1")),
	};

	(void)state;
	for (size_t i = 0; i < sizeof PAGES / sizeof *PAGES; i++) {
		struct listing listing = {0};

		add_page(&listing, PAGES[i]);
		assert_int_equal(listing.count, 1);
		assert_false(listing.events[0].has_assignment);
		listing_close(&listing);
	}
}

static void graphs_spelling_of_the_guid_is_its_own(void **state)
{
	struct listing listing = {0};

	(void)state;
	add_page(&listing, PAGE(EVENT_OF("a", MARK_OF("String {0B7C4C8E-5A3F-4A52-9F0E-"
						      "6D1F6F2A7C11} Name AmiDashAssignment",
						      ASSIGNMENT))));
	assert_true(listing.events[0].has_assignment);
	listing_close(&listing);
}

static void pages_follow_each_other_until_there_is_no_next(void **state)
{
	struct listing listing = {0};

	(void)state;
	add_page(&listing, PAGE_THEN(EVENT_OF("a", MARK), "\"" GRAPH "/v1.0/me/events?$skip=1\""));
	assert_string_equal(listing.next_url, GRAPH "/v1.0/me/events?$skip=1");
	add_page(&listing, PAGE_THEN("", "\"" GRAPH "/v1.0/me/events?$skip=2\""));
	assert_string_equal(listing.next_url, GRAPH "/v1.0/me/events?$skip=2");
	add_page(&listing, PAGE_THEN(EVENT_OF("b", MARK), "null"));
	assert_null(listing.next_url);
	assert_int_equal(listing.count, 2);
	assert_string_equal(listing.events[1].id, "b");
	listing_close(&listing);
}

/* Else its second half would look like a duplicate, and removing that would remove the event. */
static void an_event_that_moves_between_pages_is_listed_once(void **state)
{
	struct listing listing = {0};

	(void)state;
	add_page(&listing, PAGE(EVENT_OF("a", MARK) "," EVENT_OF("b", MARK)));
	add_page(&listing, PAGE(EVENT_OF("b", MARK) "," EVENT_OF("B", MARK)));
	assert_int_equal(listing.count, 3);
	assert_string_equal(listing.events[2].id, "B");
	listing_close(&listing);
}

static void a_page_that_is_not_whole_is_no_page(void **state)
{
	static const char *const BROKEN[] = {
	    "",
	    "null",
	    "[]",
	    "<html>throttled</html>",
	    "{}",
	    "{\"error\":{\"code\":\"x\"}}",
	    "{\"value\":null}",
	    "{\"value\":{}}",
	    "{\"value\":[" EVENT,
	    PAGE(EVENT) "}",
	    PAGE(EVENT ",null"),
	    PAGE(EVENT ",7"),
	    PAGE(EVENT ",\"x\""),
	    PAGE(EVENT ",{}"),
	    PAGE(EVENT ",{\"id\":null}"),
	    PAGE(EVENT ",{\"id\":7}"),
	    PAGE(EVENT ",{\"id\":\"\"}"),
	    PAGE_THEN(EVENT, "7"),
	    PAGE_THEN(EVENT, "\"\""),
	    PAGE_THEN(EVENT, "\"/v1.0/me/events\""),
	    PAGE_THEN(EVENT, "\"https://evil.example/v1.0/me/events\""),
	    PAGE_THEN(EVENT, "\"" GRAPH ".evil.example/v1.0/me/events\""),
	    PAGE_THEN(EVENT, "\"" GRAPH "@evil.example/v1.0/me/events\""),
	};

	(void)state;
	for (size_t i = 0; i < sizeof BROKEN / sizeof *BROKEN; i++) {
		expect_refused(BROKEN[i]);
	}
}

static void an_empty_mailbox_lists_nothing(void **state)
{
	struct listing listing = {0};

	(void)state;
	add_page(&listing, PAGE(""));
	assert_int_equal(listing.count, 0);
	assert_null(listing.next_url);
	listing_close(&listing);
}

static void more_events_than_the_ceiling_are_no_listing(void **state)
{
	struct listing listing = {0};
	struct fault fault = {.kind = FAULT_NONE};
	struct buf page;
	bool ok = true;

	(void)state;
	buf_init(&page, LISTING_PAGE_MAX_BYTES);
	for (int i = 0; ok && i <= LISTING_EVENTS_MAX / 10000; i++) {
		buf_reset(&page);
		buf_text(&page, "{\"value\":[");
		for (int j = 0; j < 10000; j++) {
			buf_format(&page, "%s{\"id\":\"%d-%d\"}", j > 0 ? "," : "", i, j);
		}
		buf_text(&page, "]}");
		ok = listing_add_page(&listing, buf_string(&page), page.length, PROPERTY, GRAPH,
				      &fault);
		assert_int_equal(ok, i < LISTING_EVENTS_MAX / 10000);
	}
	assert_int_equal(fault.kind, FAULT_RETRY);
	buf_close(&page);
	listing_close(&listing);
}

static void pages_without_end_are_no_listing(void **state)
{
	static const char SAME[] = PAGE_THEN(EVENT, "\"" GRAPH "/v1.0/me/events?$skip=1\"");
	struct listing listing = {0};
	struct fault fault = {.kind = FAULT_NONE};
	int pages = 0;

	(void)state;
	while (listing_add_page(&listing, SAME, strlen(SAME), PROPERTY, GRAPH, &fault)) {
		pages++;
	}
	assert_int_equal(pages, LISTING_PAGES_MAX - 1);
	assert_int_equal(fault.kind, FAULT_RETRY);
	listing_close(&listing);
}

static void what_we_wrote_matches_when_read_back(void **state)
{
	struct listing listing = {0};
	struct outlook_event event = wanted_event();

	(void)state;
	add_page(&listing, PAGE(EVENT));
	assert_true(listed_matches(&listing.events[0], &event));
	listing_close(&listing);
	outlook_event_close(&event);
}

/* The page's event with every `from` replaced by `to`, against what is wanted. */
static bool matches_with(const char *from, const char *to)
{
	static const char GOOD[] = PAGE(EVENT);
	struct listing listing = {0};
	struct outlook_event event = wanted_event();
	const char *at = strstr(GOOD, from);
	struct buf page;
	bool matches;

	assert_non_null(at);
	buf_init(&page, sizeof GOOD + 1024);
	buf_add(&page, GOOD, (size_t)(at - GOOD));
	buf_text(&page, to);
	buf_text(&page, at + strlen(from));
	add_page(&listing, buf_string(&page));
	matches = listed_matches(&listing.events[0], &event);
	buf_close(&page);
	listing_close(&listing);
	outlook_event_close(&event);
	return matches;
}

static void any_drift_that_shows_is_seen(void **state)
{
	(void)state;
	assert_false(matches_with("Acme Corp", "Acme corp"));
	assert_false(matches_with("bring boots", "bring shoes"));
	assert_false(matches_with("bring boots", "bring boots, please"));
	assert_false(matches_with("bring boots", "bring"));
	assert_false(matches_with("\\r\\n\\r\\n", "\\r\\n"));
	assert_false(matches_with("2026-11-23", "2026-11-22"));
	assert_false(matches_with("2026-11-28", "2026-11-29"));
	assert_false(matches_with("23T00:00:00", "23T09:00:00"));
	assert_false(matches_with("28T00:00:00", "28T00:30:00"));
	assert_false(matches_with("2026-11-23", "2026-99-23"));
	assert_false(matches_with("\"isAllDay\":true", "\"isAllDay\":false"));
	assert_false(matches_with("\"isReminderOn\":false", "\"isReminderOn\":true"));
	assert_false(matches_with("busy", "tentative"));
	assert_false(matches_with("busy", "a name that is much longer than any of Graph's"));
}

static void what_nobody_sees_is_no_drift(void **state)
{
	(void)state;
	assert_true(matches_with("\\r\\n\\r\\nbring", "\\n\\nbring"));
	assert_true(matches_with("\\r\\n\\r\\nbring", "\\r\\rbring"));
	assert_true(matches_with("confirmed", " \\r\\n confirmed"));
	assert_true(matches_with("boots\\r\\n", "boots"));
	assert_true(matches_with("boots\\r\\n", "boots \\r\\n\\t\\r\\n"));
	assert_true(matches_with("\"Mine\",", ""));
	assert_true(matches_with("00.0000000", "00"));
	assert_true(matches_with("\"UTC\"", "\"Europe/Berlin\""));
}

static void nothing_matches_an_assignment_without_an_event(void **state)
{
	struct listing listing = {0};
	struct outlook_event event = {.verdict = OUTLOOK_DATES_MISSING, .look = &map.other};

	(void)state;
	add_page(&listing, PAGE(EVENT));
	assert_false(listed_matches(&listing.events[0], &event));
	listing_close(&listing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_page_asks_for_every_marked_event_with_its_mark),
	    cmocka_unit_test(finding_one_asks_for_its_value),
	    cmocka_unit_test(a_quote_in_the_property_is_doubled),
	    cmocka_unit_test(a_page_gives_each_event_as_the_mailbox_has_it),
	    cmocka_unit_test(an_event_with_an_id_and_nothing_else_is_listed),
	    cmocka_unit_test(a_mark_that_is_no_uuid_or_anothers_names_no_assignment),
	    cmocka_unit_test(graphs_spelling_of_the_guid_is_its_own),
	    cmocka_unit_test(pages_follow_each_other_until_there_is_no_next),
	    cmocka_unit_test(an_event_that_moves_between_pages_is_listed_once),
	    cmocka_unit_test(a_page_that_is_not_whole_is_no_page),
	    cmocka_unit_test(an_empty_mailbox_lists_nothing),
	    cmocka_unit_test(more_events_than_the_ceiling_are_no_listing),
	    cmocka_unit_test(pages_without_end_are_no_listing),
	    cmocka_unit_test(what_we_wrote_matches_when_read_back),
	    cmocka_unit_test(any_drift_that_shows_is_seen),
	    cmocka_unit_test(what_nobody_sees_is_no_drift),
	    cmocka_unit_test(nothing_matches_an_assignment_without_an_event),
	};

	return cmocka_run_group_tests(tests, load_map, NULL);
}
