/* test_reason.c - the worker's reasons have words, all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connect/reason.h"

static char *source_of(const char *name)
{
	char path[512];
	static char text[65536];
	size_t length;
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", SOURCE_DIR, name);
	file = fopen(path, "r");
	assert_non_null(file);
	length = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[length] = '\0';
	return text;
}

/* Every text in quotes right behind mark has words of its own.  How many there were. */
static int assert_each_has_words(const char *name, const char *mark)
{
	int count = 0;

	for (char *at = source_of(name); (at = strstr(at, mark)) != NULL;) {
		char *end;

		at += strlen(mark);
		end = strchr(at, '"');
		assert_non_null(end);
		*end = '\0';
		if (reason_find(at)->text == NULL) {
			print_error("no words for \"%s\" of %s\n", at, name);
		}
		assert_non_null(reason_find(at)->text);
		at = end + 1;
		count++;
	}
	return count;
}

static void everything_that_parks_a_calendar_has_words(void **state)
{
	int count = 0;

	(void)state;
	count += assert_each_has_words("worker/send.c", "run_park(run, \"");
	count += assert_each_has_words("worker/send.c", "run_stuck(run, \"");
	count += assert_each_has_words("worker/run.c", "run_park(run, \"");
	count += assert_each_has_words("worker/token.c", "run_park(run, \"");
	count += assert_each_has_words("worker/load.c", "load_parked(run, \"");
	assert_true(count >= 9);
}

static void everything_that_keeps_an_assignment_out_of_the_calendar_has_words(void **state)
{
	(void)state;
	assert_true(assert_each_has_words("worker/outlook.c", "] = \"") >= 4);
}

static void what_microsoft_refused_keeps_its_detail(void **state)
{
	const struct reason *reason = reason_find("Microsoft answered 400 ErrorX to create");

	(void)state;
	assert_string_equal(reason->text, "Microsoft refused this event.");
	assert_true(reason->has_detail);
}

static void what_says_itself_what_to_do_gets_no_more_words(void **state)
{
	const struct reason *left = reason_find("2 events could not be removed: Microsoft refused "
						"it. Delete what remains in Outlook.");
	const struct reason *held = reason_find("9 of 9 events in the calendar belong to no "
						"assignment: that many are not removed without a "
						"person's word");

	(void)state;
	assert_true(left->has_detail);
	assert_string_equal(left->way_on, "");
	assert_non_null(strstr(source_of("worker/run.c"), "not be removed: "));
	assert_false(held->has_detail);
	assert_non_null(strstr(held->way_on, "Nothing was removed"));
	assert_non_null(strstr(source_of("worker/sync.c"), "removed without a person's word"));
}

static void unknown_reason_is_shown_as_it_is_with_a_way_on(void **state)
{
	(void)state;
	assert_string_equal(reason_text("Something new."), "Something new.");
	assert_true(strlen(reason_find("Something new.")->way_on) > 0);
	assert_string_equal(reason_text(""), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(everything_that_parks_a_calendar_has_words),
	    cmocka_unit_test(everything_that_keeps_an_assignment_out_of_the_calendar_has_words),
	    cmocka_unit_test(what_microsoft_refused_keeps_its_detail),
	    cmocka_unit_test(what_says_itself_what_to_do_gets_no_more_words),
	    cmocka_unit_test(unknown_reason_is_shown_as_it_is_with_a_way_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
