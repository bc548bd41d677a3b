/* test_outlook.c - an assignment as the event that a person sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/civil.h"
#include "common/json.h"
#include "common/utf8.h"
#include "worker/outlook.h"

#define DAY_2026_11_23 20780

static struct hostmap map;

static int load_map(void **state)
{
	struct fault fault;

	(void)state;
	return hostmap_load(&map, NULL, &fault) ? 0 : -1;
}

static struct assignment five_days(void)
{
	return (struct assignment){.client_name = "Acme Corp",
				   .status = "confirmed",
				   .notes = "bring boots",
				   .project_notes = "site B",
				   .start_day = DAY_2026_11_23,
				   .end_day = DAY_2026_11_23 + 4};
}

static struct outlook_event event_of(const struct assignment *assignment)
{
	struct change *change = change_new(assignment);
	struct outlook_event event;

	assert_non_null(change);
	assert_true(outlook_event_make(&event, change, &map, "Europe/Berlin", SCOPE_MAILBOX_NONE));
	free(change);
	return event;
}

static void expect_subject(const char *client_name, const char *subject)
{
	struct assignment assignment = five_days();
	struct outlook_event event;

	assignment.client_name = client_name;
	event = event_of(&assignment);
	assert_string_equal(event.subject, subject);
	outlook_event_close(&event);
}

static void expect_body(const char *status, const char *notes, const char *project_notes,
			const char *body)
{
	struct assignment assignment = five_days();
	struct outlook_event event;

	assignment.status = status;
	assignment.notes = notes;
	assignment.project_notes = project_notes;
	event = event_of(&assignment);
	assert_string_equal(event.body, body);
	outlook_event_close(&event);
}

static void expect_no_event(struct assignment assignment, enum outlook_verdict verdict)
{
	struct outlook_event event = event_of(&assignment);

	assert_int_equal(event.verdict, verdict);
	assert_null(event.subject);
	assert_null(event.body);
	assert_string_equal(event.hash, "");
	assert_non_null(outlook_reason(event.verdict));
	outlook_event_close(&event);
}

/* Days all over what can be shown, out and back, the last one's exclusive end included. */
static void days_that_outlook_shows_read_back_as_written(void **state)
{
	struct assignment assignment = five_days();
	int32_t first = -134774;
	int32_t last = 924428;

	(void)state;
	for (int32_t day = first; day <= last; day = day < last - 97 ? day + 97 : day + 1) {
		struct outlook_event event;
		int32_t start;
		int32_t end;

		assignment.start_day = day;
		assignment.end_day = day;
		event = event_of(&assignment);
		assert_true(civil_parse_date(event.start, &start));
		assert_true(civil_parse_date(event.end, &end));
		assert_int_equal(start, day);
		assert_int_equal(end, day + 1);
		outlook_event_close(&event);
	}
}

static void the_last_day_is_inside_so_the_end_is_the_day_after(void **state)
{
	struct assignment assignment = five_days();
	struct outlook_event event = event_of(&assignment);

	(void)state;
	assert_int_equal(event.verdict, OUTLOOK_EVENT);
	assert_null(outlook_reason(event.verdict));
	assert_string_equal(event.start, "2026-11-23");
	assert_string_equal(event.end, "2026-11-28");
	outlook_event_close(&event);
}

static void a_project_of_one_day_ends_the_next_day(void **state)
{
	struct assignment assignment = five_days();
	struct outlook_event event;

	(void)state;
	assert_true(civil_parse_date("2026-12-31", &assignment.start_day));
	assignment.end_day = assignment.start_day;
	event = event_of(&assignment);
	assert_string_equal(event.start, "2026-12-31");
	assert_string_equal(event.end, "2027-01-01");
	outlook_event_close(&event);
}

static void missing_reversed_and_impossible_dates_have_no_event(void **state)
{
	struct assignment assignment = five_days();

	(void)state;
	assignment.start_day = CHANGE_NO_DAY;
	expect_no_event(assignment, OUTLOOK_DATES_MISSING);
	assignment = five_days();
	assignment.end_day = CHANGE_NO_DAY;
	expect_no_event(assignment, OUTLOOK_DATES_MISSING);
	assignment.end_day = assignment.start_day - 1;
	expect_no_event(assignment, OUTLOOK_DATES_REVERSED);
	assignment.end_day = 924429;
	expect_no_event(assignment, OUTLOOK_DATES_BEYOND);
	assignment.end_day = INT32_MAX;
	expect_no_event(assignment, OUTLOOK_DATES_BEYOND);
	assignment.start_day = -134775;
	assignment.end_day = DAY_2026_11_23;
	expect_no_event(assignment, OUTLOOK_DATES_BEYOND);
	assignment.start_day = INT32_MIN + 1;
	expect_no_event(assignment, OUTLOOK_DATES_BEYOND);
}

static void a_cancelled_assignment_has_no_event(void **state)
{
	struct assignment assignment = five_days();

	(void)state;
	assignment.status = "Cancelled";
	expect_no_event(assignment, OUTLOOK_STATUS);
}

static void a_removed_assignment_has_no_event(void **state)
{
	struct assignment assignment = five_days();
	struct change *change = change_new(&assignment);
	struct outlook_event event;

	(void)state;
	change->is_gone = true;
	assert_true(outlook_event_make(&event, change, &map, "UTC", SCOPE_MAILBOX_NONE));
	assert_int_equal(event.verdict, OUTLOOK_GONE);
	assert_string_equal(event.hash, "");
	outlook_event_close(&event);
	free(change);
}

static void the_status_decides_category_and_show_as(void **state)
{
	struct assignment assignment = five_days();
	struct outlook_event event = event_of(&assignment);

	(void)state;
	assert_string_equal(event.category, "Green category");
	assert_string_equal(event.look->show_as, "busy");
	outlook_event_close(&event);
	assignment.status = "something new";
	event = event_of(&assignment);
	assert_string_equal(event.category, "Purple category");
	assert_string_equal(event.look->show_as, "tentative");
	outlook_event_close(&event);
}

static void where_we_may_make_categories_the_event_carries_our_own(void **state)
{
	struct assignment assignment = five_days();
	struct change *change = change_new(&assignment);
	struct outlook_event event;
	struct outlook_event plain = event_of(&assignment);

	(void)state;
	assert_true(outlook_event_make(&event, change, &map, "Europe/Berlin", SCOPE_MAILBOX_WRITE));
	assert_string_equal(event.category, "AmiDash: Confirmed");
	assert_string_not_equal(event.hash, plain.hash);
	outlook_event_close(&event);
	assert_true(outlook_event_make(&event, change, &map, "Europe/Berlin", SCOPE_MAILBOX_READ));
	assert_string_equal(event.hash, plain.hash);
	outlook_event_close(&event);
	outlook_event_close(&plain);
	free(change);
}

static void the_subject_is_one_trimmed_line(void **state)
{
	(void)state;
	expect_subject("Acme Corp", "Acme Corp");
	expect_subject("  Acme\tCorp\r\n", "Acme Corp");
	expect_subject("Acme\x01"
		       "Corp\x7F!",
		       "Acme Corp !");
	expect_subject("\xC2\xA0"
		       "Acme \xE3\x80\x80",
		       "Acme");
	expect_subject("Acme\xE2\x80\xA8"
		       "Corp",
		       "Acme Corp");
	expect_subject("<script>alert(1)</script>", "<script>alert(1)</script>");
	expect_subject("שלום 🦊", "שלום 🦊");
	expect_subject("bad \xFF byte", "bad \xEF\xBF\xBD byte");
}

static void a_project_without_a_name_is_called_untitled(void **state)
{
	(void)state;
	expect_subject(NULL, "(untitled project)");
	expect_subject("", "(untitled project)");
	expect_subject(" \t\n\xC2\xA0\xE2\x80\x8B", "(untitled project)");
}

static void a_long_subject_is_cut_between_characters(void **state)
{
	char foxes[4 * 4000 + 1] = "";
	char expected[4 * 255 + 1] = "";

	(void)state;
	for (size_t i = 0; i < 4000; i++) {
		memcpy(foxes + 4 * i, "🦊", 5);
	}
	memcpy(expected, foxes, sizeof expected - 1);
	expect_subject(foxes, expected);
}

static void a_cut_subject_does_not_end_in_white_space(void **state)
{
	char name[300];
	char expected[255];

	(void)state;
	memset(name, 'x', sizeof name);
	name[254] = ' ';
	name[sizeof name - 1] = '\0';
	memset(expected, 'x', sizeof expected);
	expected[254] = '\0';
	expect_subject(name, expected);
}

static void the_body_says_status_notes_and_project_notes(void **state)
{
	(void)state;
	expect_body("confirmed", "bring boots", "site B", "confirmed\n\nbring boots\n\nsite B");
	expect_body("confirmed", NULL, "", "confirmed");
	expect_body(NULL, "bring boots", NULL, "bring boots");
	expect_body(NULL, NULL, NULL, "");
	expect_body("Confirmed ", "<b>no</b>\r\n  two\t", NULL,
		    "Confirmed \n\n<b>no</b>\r\n  two\t");
	expect_body("confirmed", "a\x01z", NULL, "confirmed\n\na z");
}

static void a_long_body_is_cut_visibly_between_characters(void **state)
{
	struct assignment assignment = five_days();
	size_t length = 2u << 20;
	char *notes = malloc(length + 1);
	struct outlook_event event;

	(void)state;
	assert_non_null(notes);
	for (size_t i = 0; i < length; i += 4) {
		memcpy(notes + i, "🦊", 4);
	}
	notes[length] = '\0';
	assignment.notes = notes;
	event = event_of(&assignment);
	assert_in_range(strlen(event.body), OUTLOOK_BODY_MAX_BYTES - 8, OUTLOOK_BODY_MAX_BYTES);
	assert_int_equal(utf8_prefix(event.body, strlen(event.body)), strlen(event.body));
	assert_string_equal(strstr(event.body, "\n…"), "\n… (cut)");
	assert_int_equal(strlen(event.hash), OUTLOOK_HASH_SIZE - 1);
	outlook_event_close(&event);
	free(notes);
}

static void a_body_that_just_fits_is_whole(void **state)
{
	char *notes = malloc(OUTLOOK_BODY_MAX_BYTES + 2);
	struct assignment assignment = five_days();
	struct outlook_event event;

	(void)state;
	assert_non_null(notes);
	memset(notes, '"', OUTLOOK_BODY_MAX_BYTES + 1);
	notes[OUTLOOK_BODY_MAX_BYTES] = '\0';
	assignment.status = NULL;
	assignment.notes = notes;
	assignment.project_notes = NULL;
	event = event_of(&assignment);
	assert_string_equal(event.body, notes);
	outlook_event_close(&event);
	notes[OUTLOOK_BODY_MAX_BYTES] = '"';
	notes[OUTLOOK_BODY_MAX_BYTES + 1] = '\0';
	event = event_of(&assignment);
	assert_int_equal(strlen(event.body), OUTLOOK_BODY_MAX_BYTES);
	assert_non_null(strstr(event.body, "… (cut)"));
	outlook_event_close(&event);
	free(notes);
}

static void a_patch_says_exactly_these_members(void **state)
{
	struct assignment assignment = five_days();
	struct outlook_event event;
	struct buf out;

	(void)state;
	assignment.client_name = "Ac\"me";
	assignment.project_notes = NULL;
	event = event_of(&assignment);
	buf_init(&out, OUTLOOK_EVENT_MAX_BYTES);
	outlook_write_members(&out, &event, "");
	assert_string_equal(
	    buf_string(&out),
	    "\"subject\":\"Ac\\\"me\","
	    "\"body\":{\"contentType\":\"text\",\"content\":\"confirmed\\n\\nbring boots\"},"
	    "\"isAllDay\":true,"
	    "\"start\":{\"dateTime\":\"2026-11-23T00:00:00\",\"timeZone\":\"Europe/Berlin\"},"
	    "\"end\":{\"dateTime\":\"2026-11-28T00:00:00\",\"timeZone\":\"Europe/Berlin\"},"
	    "\"showAs\":\"busy\",\"categories\":[\"Green category\"],\"isReminderOn\":false");
	buf_close(&out);
	outlook_event_close(&event);
}

static void the_hash_is_sha256_of_the_members(void **state)
{
	struct assignment assignment = five_days();
	struct outlook_event event;

	(void)state;
	assignment.project_notes = NULL;
	event = event_of(&assignment);
	assert_string_equal(event.hash,
			    "b2145a7a820ac323ee6ea5e8c3512e94efa4c414a7cac662d1b21155641f70de");
	outlook_event_close(&event);
}

static void anything_that_would_show_changes_the_hash(void **state)
{
	struct assignment assignment = five_days();
	struct outlook_event first = event_of(&assignment);
	struct outlook_event second = event_of(&assignment);

	(void)state;
	assert_string_equal(first.hash, second.hash);
	outlook_event_close(&second);
	assignment.end_day++;
	second = event_of(&assignment);
	assert_string_not_equal(first.hash, second.hash);
	outlook_event_close(&second);
	assignment = five_days();
	assignment.notes = "bring boot";
	second = event_of(&assignment);
	assert_string_not_equal(first.hash, second.hash);
	outlook_event_close(&second);
	outlook_event_close(&first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(days_that_outlook_shows_read_back_as_written),
	    cmocka_unit_test(the_last_day_is_inside_so_the_end_is_the_day_after),
	    cmocka_unit_test(a_project_of_one_day_ends_the_next_day),
	    cmocka_unit_test(missing_reversed_and_impossible_dates_have_no_event),
	    cmocka_unit_test(a_cancelled_assignment_has_no_event),
	    cmocka_unit_test(a_removed_assignment_has_no_event),
	    cmocka_unit_test(the_status_decides_category_and_show_as),
	    cmocka_unit_test(where_we_may_make_categories_the_event_carries_our_own),
	    cmocka_unit_test(the_subject_is_one_trimmed_line),
	    cmocka_unit_test(a_project_without_a_name_is_called_untitled),
	    cmocka_unit_test(a_long_subject_is_cut_between_characters),
	    cmocka_unit_test(a_cut_subject_does_not_end_in_white_space),
	    cmocka_unit_test(the_body_says_status_notes_and_project_notes),
	    cmocka_unit_test(a_long_body_is_cut_visibly_between_characters),
	    cmocka_unit_test(a_body_that_just_fits_is_whole),
	    cmocka_unit_test(a_patch_says_exactly_these_members),
	    cmocka_unit_test(the_hash_is_sha256_of_the_members),
	    cmocka_unit_test(anything_that_would_show_changes_the_hash),
	};

	return cmocka_run_group_tests(tests, load_map, NULL);
}
