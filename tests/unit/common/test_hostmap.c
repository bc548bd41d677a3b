/* test_hostmap.c - the shipped mapping loads; half-good files name their fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <cmocka.h>

#include "common/hostmap.h"

static char path[] = "/tmp/calrelay-test-hostmap-XXXXXX";
static struct hostmap map;
static struct fault fault;

static void write_file(const char *bytes, size_t length)
{
	FILE *file = fopen(path, "w");

	assert_int_equal(fwrite(bytes, 1, length, file), length);
	fclose(file);
}

/* The shipped file with the first from replaced by to. */
static void write_shipped_but(const char *from, const char *to)
{
	const char *at = strstr(hostmap_shipped, from);
	char text[8192];
	int length;

	assert_non_null(at);
	length = snprintf(text, sizeof text, "%.*s%s%s", (int)(at - hostmap_shipped),
			  hostmap_shipped, to, at + strlen(from));
	write_file(text, (size_t)length);
}

static void assert_refused(const char *from, const char *to, const char *named)
{
	write_shipped_but(from, to);
	assert_false(hostmap_load(&map, path, &fault));
	assert_int_equal(fault.kind, FAULT_FATAL);
	assert_non_null(strstr(fault.what, path));
	if (strstr(fault.what, named) == NULL) {
		fail_msg("'%s' does not name '%s'", fault.what, named);
	}
}

static void the_shipped_mapping_names_the_host_s_tables(void **state)
{
	(void)state;
	assert_true(hostmap_load(&map, NULL, &fault));
	assert_string_equal(map.schema, "public");
	assert_string_equal(map.profiles.table, "profiles");
	assert_string_equal(map.projects.client_name, "client_name");
	assert_string_equal(map.assignments.table, "project_assignments");
	assert_string_equal(map.assignments.booking_status, "booking_status");
}

static void the_file_and_the_compiled_mapping_are_the_same(void **state)
{
	struct hostmap from_file;

	(void)state;
	assert_true(hostmap_load(&map, NULL, &fault));
	assert_true(hostmap_load(&from_file, SOURCE_DIR "/common/amidash.mapping.json", &fault));
	assert_memory_equal(&map, &from_file, sizeof map);
}

static void confirmed_is_busy_and_everything_else_is_tentative(void **state)
{
	(void)state;
	assert_true(hostmap_load(&map, NULL, &fault));
	assert_string_equal(hostmap_look(&map, "confirmed")->show_as, "busy");
	assert_string_equal(hostmap_look(&map, "Confirmed")->show_as, "busy");
	assert_string_equal(hostmap_look(&map, "tentative")->show_as, "tentative");
	assert_true(hostmap_look(&map, "cancelled")->no_event);
	assert_ptr_equal(hostmap_look(&map, "never heard of"), &map.other);
	assert_ptr_equal(hostmap_look(&map, ""), &map.other);
	assert_ptr_equal(hostmap_look(&map, NULL), &map.other);
	assert_string_equal(map.other.show_as, "tentative");
}

static void another_host_s_names_are_taken(void **state)
{
	(void)state;
	write_shipped_but("\"table\": \"profiles\"", "\"table\": \"people_2\"");
	assert_true(hostmap_load(&map, path, &fault));
	assert_string_equal(map.profiles.table, "people_2");
}

static void names_that_are_no_plain_identifiers_are_refused(void **state)
{
	static const char *const BAD[] = {"public;", "pub lic", "Public",   "1st",
					  "a-b",     "p\\\"q",	"p\xC3\xA4"};

	(void)state;
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		char to[64];

		snprintf(to, sizeof to, "\"schema\": \"%s\"", BAD[i]);
		assert_refused("\"schema\": \"public\"", to, "schema");
	}
	assert_refused("\"schema\": \"public\"", "\"schema\": \"\"", "schema");
	assert_refused("\"schema\": \"public\"", "\"schema\": 7", "schema");
	assert_refused("\"schema\": \"public\"",
		       "\"schema\": \"a_name_that_is_longer_than_the_sixty_three_bytes_that_a_name_"
		       "of_postgresql_has\"",
		       "schema");
}

static void what_is_missing_is_named(void **state)
{
	(void)state;
	assert_refused("\"schema\"", "\"scheme\"", "schema");
	assert_refused("\"projects\"", "\"project\"", "projects");
	assert_refused("\"start_date\": \"start_date\"", "\"x\": \"y\"", "projects.start_date");
	assert_refused("\"looks\"", "\"look\"", "looks");
	assert_refused("\"other\"", "\"others\"", "other");
	assert_refused("\"status\": \"option\"", "\"statuses\": \"option\"", "looks.status");
}

static void looks_that_microsoft_would_not_take_are_refused(void **state)
{
	static const char *const BAD[] = {"preset25",  "preset-1", "preset",
					  "preset123", "preset4x", "preset 4",
					  "preset04",  "Preset4",  "red"};

	(void)state;
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		assert_refused("preset4", BAD[i], "looks.colour");
	}
	assert_refused("\"show_as\": \"busy\"", "\"show_as\": \"Busy\"", "looks.show_as");
	assert_refused("\"category\": \"Green category\", ", "", "looks.category");
}

static void category_names_that_outlook_would_not_take_are_refused(void **state)
{
	static const char *const BAD[] = {"", "a,b", "a;b", " a", "a ", "a\\tb", "a\\u007f"};
	char longest[HOSTMAP_CATEGORY_SIZE + 1];
	char to[400];

	(void)state;
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		snprintf(to, sizeof to, "\"own_category\": \"%s\"", BAD[i]);
		assert_refused("\"own_category\": \"AmiDash: Option\"", to, "looks.own_category");
		snprintf(to, sizeof to, "\"category\": \"%s\"", BAD[i]);
		assert_refused("\"category\": \"Purple category\"", to, "other.category");
	}
	memset(longest, 'x', sizeof longest);
	longest[HOSTMAP_CATEGORY_SIZE] = '\0';
	snprintf(to, sizeof to, "\"own_category\": \"%s\"", longest);
	assert_refused("\"own_category\": \"AmiDash: Other\"", to, "other.own_category");
	assert_refused("\"own_category\": \"AmiDash: Other\"", "\"own_category\": 7",
		       "other.own_category");
	longest[HOSTMAP_CATEGORY_SIZE - 1] = '\0';
	snprintf(to, sizeof to, "\"own_category\": \"%s\"", longest);
	write_shipped_but("\"own_category\": \"AmiDash: Other\"", to);
	assert_true(hostmap_load(&map, path, &fault));
}

static void a_look_without_a_category_of_its_own_has_the_same_everywhere(void **state)
{
	const struct hostmap_look *option;

	(void)state;
	write_shipped_but(", \"own_category\": \"AmiDash: Option\"", "");
	assert_true(hostmap_load(&map, path, &fault));
	option = hostmap_look(&map, "option");
	assert_string_equal(hostmap_category(option, true), "Orange category");
	assert_string_equal(hostmap_category(option, false), "Orange category");
	assert_string_equal(hostmap_category(&map.other, true), "AmiDash: Other");
	assert_string_equal(hostmap_category(&map.other, false), "Purple category");
	assert_true(hostmap_has_category(&map, "orange category"));
	assert_true(hostmap_has_category(&map, "AMIDASH: Other"));
	assert_false(hostmap_has_category(&map, "AmiDash: Option"));
	assert_false(hostmap_has_category(&map, "Red category"));
}

static void the_looks_are_told_one_after_the_other_and_any_others_last(void **state)
{
	(void)state;
	assert_true(hostmap_load(&map, NULL, &fault));
	assert_string_equal(hostmap_look_at(&map, 0)->status, "confirmed");
	assert_ptr_equal(hostmap_look_at(&map, map.look_count), &map.other);
	assert_null(hostmap_look_at(&map, map.look_count + 1));
}

static void more_than_32_looks_are_refused(void **state)
{
	char looks[4096] = "\"looks\": [";
	size_t length = strlen(looks);

	(void)state;
	for (int i = 0; i < 33; i++) {
		length += (size_t)snprintf(looks + length, sizeof looks - length,
					   "%s{\"status\":\"s%d\",\"no_event\":true}",
					   i > 0 ? "," : "", i);
	}
	snprintf(looks + length, sizeof looks - length, "], \"old\": [");
	assert_refused("\"looks\": [", looks, "looks");
}

static void a_file_that_is_no_json_is_refused(void **state)
{
	static char large[65537];

	(void)state;
	write_file("{", 1);
	assert_false(hostmap_load(&map, path, &fault));
	assert_int_equal(fault.kind, FAULT_FATAL);
	assert_non_null(strstr(fault.what, path));
	write_file("", 0);
	assert_false(hostmap_load(&map, path, &fault));
	memset(large, ' ', sizeof large);
	large[0] = '{';
	large[1] = '}';
	write_file(large, sizeof large);
	assert_false(hostmap_load(&map, path, &fault));
	assert_non_null(strstr(fault.what, "larger"));
}

static void a_file_that_can_not_be_read_is_refused(void **state)
{
	(void)state;
	assert_false(hostmap_load(&map, "/nonexistent/mapping.json", &fault));
	assert_int_equal(fault.kind, FAULT_FATAL);
	assert_non_null(strstr(fault.what, "CALRELAY_MAPPING_FILE"));
	assert_false(hostmap_load(&map, "/", &fault)); /* a folder opens, but does not read */
	assert_int_equal(fault.kind, FAULT_FATAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_shipped_mapping_names_the_host_s_tables),
	    cmocka_unit_test(the_file_and_the_compiled_mapping_are_the_same),
	    cmocka_unit_test(confirmed_is_busy_and_everything_else_is_tentative),
	    cmocka_unit_test(another_host_s_names_are_taken),
	    cmocka_unit_test(names_that_are_no_plain_identifiers_are_refused),
	    cmocka_unit_test(what_is_missing_is_named),
	    cmocka_unit_test(looks_that_microsoft_would_not_take_are_refused),
	    cmocka_unit_test(category_names_that_outlook_would_not_take_are_refused),
	    cmocka_unit_test(a_look_without_a_category_of_its_own_has_the_same_everywhere),
	    cmocka_unit_test(the_looks_are_told_one_after_the_other_and_any_others_last),
	    cmocka_unit_test(more_than_32_looks_are_refused),
	    cmocka_unit_test(a_file_that_is_no_json_is_refused),
	    cmocka_unit_test(a_file_that_can_not_be_read_is_refused),
	};
	int failed;

	close(mkstemp(path));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
