/* test_draft_json.c - what an event may hold, and what is refused by which code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "common/json.h"
#include "tests/fake/draft_json.h"

#define TIMES                                                                                      \
	"\"isAllDay\":true,\"start\":{\"dateTime\":\"2026-03-02T00:00:00\",\"timeZone\":\"UTC\"}," \
	"\"end\":{\"dateTime\":\"2026-03-03T00:00:00\",\"timeZone\":\"UTC\"}"
#define PROPERTY "String {0B7C4C8E-5a3f-4a52-9f0e-6d1f6f2a7c11} Name Mark"
#define NORMAL	 "String {0b7c4c8e-5a3f-4a52-9f0e-6d1f6f2a7c11} Name Mark"

static bool reads(const char *text, struct draft *draft, struct problem *problem)
{
	struct fault fault;
	cJSON *document = json_parse(text, strlen(text), 65536, &fault);
	bool ok;

	assert_non_null(document);
	ok = draft_json_read(document, draft, problem);
	cJSON_Delete(document);
	return ok;
}

/* The code by which text is refused as a new event, "" where it is taken. */
static const char *refused(const char *text)
{
	static struct problem problem;
	struct draft draft;

	problem = (struct problem){0};
	if (reads(text, &draft, &problem)) {
		(void)draft_check_new(&draft, &problem);
	}
	draft_close(&draft);
	assert_true(problem.status == 0 || problem.status == 400);
	return problem.code;
}

static void a_whole_event_is_read(void **state)
{
	struct problem problem;
	struct draft draft;

	(void)state;
	assert_true(
	    reads("{\"subject\":\"\xC3\xA4\",\"body\":{\"contentType\":\"text\",\"content\":\"x\"},"
		  "\"showAs\":\"oof\",\"importance\":\"high\",\"sensitivity\":\"private\","
		  "\"categories\":[\"a\",\"b\"],\"isReminderOn\":false,"
		  "\"reminderMinutesBeforeStart\":30,\"location\":{\"displayName\":\"Here\"},"
		  "\"responseRequested\":false,\"hideAttendees\":true,"
		  "\"allowNewTimeProposals\":false,\"transactionId\":\"t\","
		  "\"singleValueExtendedProperties\":[{\"id\":\"" PROPERTY
		  "\",\"value\":\"v\"}]," TIMES "}",
		  &draft, &problem));
	assert_true(draft_check_new(&draft, &problem));
	assert_string_equal(draft.show_as, "oof");
	assert_int_equal(draft.category_count, 2);
	assert_string_equal(draft_property(&draft, NORMAL), "v");
	assert_true(draft_is(&draft, DRAFT_IS_ALL_DAY));
	assert_false(draft_is(&draft, DRAFT_IS_REMINDER_ON));
	assert_int_equal(draft.reminder_minutes, 30);
	draft_close(&draft);
}

static void what_nobody_said_is_as_graph_has_it(void **state)
{
	struct problem problem;
	struct draft draft;

	(void)state;
	assert_true(reads("{" TIMES "}", &draft, &problem));
	assert_true(draft_check_new(&draft, &problem));
	assert_true(draft_is(&draft, DRAFT_IS_REMINDER_ON));
	assert_int_equal(draft.reminder_minutes, 15);
	assert_string_equal(draft.show_as, "busy");
	draft_close(&draft);
}

static void wrong_names_types_and_values_are_refused(void **state)
{
	(void)state;
	assert_string_equal(refused("{" TIMES "}"), "");
	assert_string_equal(refused("{\"Subject\":\"x\"," TIMES "}"), "RequestBodyRead");
	assert_string_equal(refused("{\"attendees\":[]," TIMES "}"), "RequestBodyRead");
	assert_string_equal(refused("{\"subject\":null," TIMES "}"), "RequestBodyRead");
	assert_string_equal(refused("{\"showAs\":\"Busy\"," TIMES "}"), "RequestBodyRead");
	assert_string_equal(refused("{\"categories\":[1]," TIMES "}"), "RequestBodyRead");
	assert_string_equal(refused("{\"reminderMinutesBeforeStart\":1.5," TIMES "}"),
			    "RequestBodyRead");
	assert_string_equal(refused("{\"subject\":\"a\",\"subject\":\"b\"," TIMES "}"),
			    "RequestBodyRead");
	assert_string_equal(refused("{\"transactionId\":\"\"," TIMES "}"),
			    "ErrorPropertyValidationFailure");
	assert_string_equal(
	    refused("{\"body\":{\"contentType\":\"text\",\"content\":\"\",\"x\":\"\"}," TIMES "}"),
	    "RequestBodyRead");
	assert_string_equal(refused("{\"singleValueExtendedProperties\":[{\"id\":\"" PROPERTY
				    "\",\"value\":\"1\"},{\"id\":\"" NORMAL
				    "\",\"value\":\"2\"}]," TIMES "}"),
			    "ErrorPropertyValidationFailure");
	assert_string_equal(refused("{\"subject\":\"x\"}"), "ErrorPropertyValidationFailure");
}

static const char *refused_times(const char *start, const char *zone, const char *end)
{
	char text[400];

	snprintf(text, sizeof text,
		 "{\"isAllDay\":true,\"start\":{\"dateTime\":\"%s\",\"timeZone\":\"%s\"},"
		 "\"end\":{\"dateTime\":\"%s\",\"timeZone\":\"UTC\"}}",
		 start, zone, end);
	return refused(text);
}

static void all_day_means_whole_days_in_one_zone(void **state)
{
	static const char WRONG[] = "ErrorPropertyValidationFailure";

	(void)state;
	assert_string_equal(refused_times("2026-03-02T00:00:00", "utc", "2026-03-03T00:00:00.0"),
			    "");
	assert_string_equal(refused_times("2026-03-02T00:00:00", "UTC", "2026-03-02T00:00:00"),
			    WRONG);
	assert_string_equal(refused_times("2026-03-03T00:00:00", "UTC", "2026-03-02T00:00:00"),
			    WRONG);
	assert_string_equal(refused_times("2026-03-02T00:00:01", "UTC", "2026-03-03T00:00:00"),
			    WRONG);
	assert_string_equal(refused_times("2026-03-02T00:00:00", "UTC", "2026-03-03T12:00:00"),
			    WRONG);
	assert_string_equal(
	    refused_times("2026-03-02T00:00:00", "Europe/Berlin", "2026-03-03T00:00:00"), WRONG);
	assert_string_equal(refused_times("2026-03-02T00:00:00", "CET+1", "2026-03-03T00:00:00"),
			    "TimeZoneNotSupportedException");
}

static void a_change_keeps_what_it_does_not_name(void **state)
{
	struct problem problem;
	struct draft draft;
	struct draft change;

	(void)state;
	assert_true(reads("{\"subject\":\"old\",\"categories\":[\"a\"],\"isReminderOn\":false,"
			  "\"singleValueExtendedProperties\":[{\"id\":\"" PROPERTY
			  "\",\"value\":\"1\"}]," TIMES "}",
			  &draft, &problem));
	assert_true(draft_check_new(&draft, &problem));
	assert_true(
	    reads("{\"subject\":\"new\",\"categories\":[],\"singleValueExtendedProperties\":"
		  "[{\"id\":\"String 0x1234\",\"value\":\"2\"}]}",
		  &change, &problem));
	assert_true(draft_check_change(&draft, &change, &problem));
	draft_merge(&draft, &change);
	assert_string_equal(draft.subject, "new");
	assert_int_equal(draft.category_count, 0);
	assert_int_equal(draft.property_count, 2);
	assert_string_equal(draft_property(&draft, NORMAL), "1");
	assert_false(draft_is(&draft, DRAFT_IS_REMINDER_ON));
	assert_true(draft_is(&draft, DRAFT_IS_ALL_DAY));
	draft_close(&draft);
}

static uint64_t hash_of(const char *text)
{
	struct problem problem;
	struct draft draft;
	uint64_t hash;

	assert_true(reads(text, &draft, &problem));
	hash = draft_hash(&draft);
	draft_close(&draft);
	return hash;
}

static void content_compares_by_value_not_by_spelling(void **state)
{
	uint64_t hash = hash_of("{\"subject\":\"a\",\"categories\":[\"b\"]," TIMES "}");

	(void)state;
	assert_true(hash == hash_of("{" TIMES ",\"categories\":[\"b\"],\"subject\":\"a\"}"));
	assert_true(hash != hash_of("{\"subject\":\"a\",\"categories\":[\"c\"]," TIMES "}"));
	assert_true(hash != hash_of("{\"subject\":\"ab\",\"categories\":[]," TIMES "}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_whole_event_is_read),
	    cmocka_unit_test(what_nobody_said_is_as_graph_has_it),
	    cmocka_unit_test(wrong_names_types_and_values_are_refused),
	    cmocka_unit_test(all_day_means_whole_days_in_one_zone),
	    cmocka_unit_test(a_change_keeps_what_it_does_not_name),
	    cmocka_unit_test(content_compares_by_value_not_by_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
