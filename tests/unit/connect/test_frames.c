/* test_frames.c - who may frame the page: origins and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "connect/frames.h"

static void without_a_list_nobody_may(void **state)
{
	static const char *const EMPTY[] = {NULL, "", " , "};
	struct frames frames;
	struct fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof EMPTY / sizeof *EMPTY; i++) {
		assert_true(frames_parse(&frames, EMPTY[i], &fault));
		assert_false(frames.is_allowed);
		assert_string_equal(frames.ancestors, "'none'");
	}
}

static void origins_stand_in_the_policy_as_they_were_given(void **state)
{
	static const char LIST[] = "https://plan.example, https://a.b-c.example:8443\n"
				   "http://localhost:3000,http://[::1] http://127.0.0.1:80";
	struct frames frames;
	struct fault fault;

	(void)state;
	assert_true(frames_parse(&frames, LIST, &fault));
	assert_true(frames.is_allowed);
	assert_string_equal(frames.ancestors, "https://plan.example https://a.b-c.example:8443 "
					      "http://localhost:3000 http://[::1] "
					      "http://127.0.0.1:80");
}

static void what_is_no_origin_is_refused_by_name(void **state)
{
	static const char *const BAD[] = {"*",
					  "https:",
					  "https://",
					  "'self'",
					  "plan.example",
					  "https://*.example",
					  "https://plan.example/",
					  "https://plan.example/app",
					  "https://me@plan.example",
					  "https://plan.example;script-src",
					  "https://plan.example:",
					  "https://plan.example:0",
					  "https://plan.example:65536",
					  "https://plan.example:1234567890123456789012",
					  "https://[::1",
					  "https://[",
					  "https://[]",
					  "http://plan.example",
					  "http://localhost.example",
					  "data:text/html"};
	struct frames frames;
	struct fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		char list[128];

		snprintf(list, sizeof list, "https://good.example %s https://other.example",
			 BAD[i]);
		assert_false(frames_parse(&frames, list, &fault));
		assert_int_equal(fault.kind, FAULT_FATAL);
		assert_non_null(strstr(fault.what, "CALRELAY_FRAME_ANCESTORS"));
		assert_non_null(strstr(fault.what, BAD[i]));
		assert_null(strstr(fault.what, "good.example"));
	}
}

static void too_many_are_refused(void **state)
{
	static char list[FRAMES_SIZE + 64];
	struct frames frames;
	struct fault fault;
	size_t length = 0;

	(void)state;
	while (length < FRAMES_SIZE) {
		length +=
		    (size_t)snprintf(list + length, sizeof list - length, "https://plan.example ");
	}
	assert_false(frames_parse(&frames, list, &fault));
	assert_non_null(strstr(fault.what, "too long"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_a_list_nobody_may),
	    cmocka_unit_test(origins_stand_in_the_policy_as_they_were_given),
	    cmocka_unit_test(what_is_no_origin_is_refused_by_name),
	    cmocka_unit_test(too_many_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
