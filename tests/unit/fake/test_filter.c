/* test_filter.c - the two forms of $filter, $expand, and near misses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "tests/fake/filter.h"

#define ID     "String {0b7c4c8e-5a3f-4a52-9f0e-6d1f6f2a7c11} Name Mark"
#define BEFORE "singleValueExtendedProperties/Any(ep: ep/id eq '" ID "' and ep/value "

static struct draft_property property = {(char[]){ID}, NULL};

static bool matches(const char *filter_text, const char *value)
{
	char copy[64];
	struct draft draft = {.properties = &property, .property_count = value != NULL ? 1 : 0};
	struct filter filter;
	struct problem problem;

	snprintf(copy, sizeof copy, "%s", value != NULL ? value : "");
	property.value = copy;
	assert_true(filter_parse(filter_text, &filter, &problem));
	return filter_matches(&filter, &draft);
}

static void equality_ignores_case_and_knows_doubled_quotes(void **state)
{
	(void)state;
	assert_true(matches(BEFORE "eq 'Abc')", "aBC"));
	assert_false(matches(BEFORE "eq 'abc')", "abcd"));
	assert_false(matches(BEFORE "eq 'abc')", NULL));
	assert_true(matches(BEFORE "eq 'O''Hara')", "o'hara"));
	assert_true(matches(
	    "singleValueExtendedProperties/any( x : x/id eq '" ID "' and x/value eq 'a' )", "a"));
	assert_true(
	    matches("singleValueExtendedProperties/Any(ep: ep/id eq 'String "
		    "{0B7C4C8E-5A3F-4A52-9F0E-6D1F6F2A7C11} Name Mark' and ep/value eq 'a')",
		    "a"));
}

static void existence_has_two_spellings(void **state)
{
	(void)state;
	assert_true(matches(BEFORE "ne null)", ""));
	assert_true(matches(BEFORE "ne null)", "a"));
	assert_false(matches(BEFORE "ne null)", NULL));
	assert_true(matches(BEFORE "ne '')", "a"));
	assert_false(matches(BEFORE "ne '')", ""));
}

static void anything_else_is_refused(void **state)
{
	static const char *const WRONG[] = {
	    "",
	    "subject eq 'x'",
	    BEFORE "eq 'abc'",
	    BEFORE "eq abc)",
	    BEFORE "eq 'abc') or true",
	    BEFORE "gt 'abc')",
	    BEFORE "ne 'abc')",
	    "singleValueExtendedProperties/All(ep: ep/id eq '" ID "' and ep/value eq 'a')",
	    "singleValueExtendedProperties/Any(ep: x/id eq '" ID "' and ep/value eq 'a')",
	    "singleValueExtendedProperties/Any(ep: ep/ideq '" ID "' and ep/value eq 'a')",
	    "singleValueExtendedProperties/Any(ep: ep/id eq 'Mark' and ep/value eq 'a')",
	    "singleValueExtendedProperties/Any(ep: ep/id eq '" ID "'and ep/value eq 'a')"};

	(void)state;
	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
		struct filter filter;
		struct problem problem;

		assert_false(filter_parse(WRONG[i], &filter, &problem));
		assert_int_equal(problem.status, 400);
	}
}

static void expand_names_one_property(void **state)
{
	char id[PROPERTY_ID_SIZE];
	struct problem problem;

	(void)state;
	assert_true(filter_parse_expand("singleValueExtendedProperties($filter=id eq '" ID "')", id,
					&problem));
	assert_string_equal(id, ID);
	assert_false(filter_parse_expand("singleValueExtendedProperties", id, &problem));
	assert_false(filter_parse_expand("attachments", id, &problem));
}

static void property_ids_have_three_forms(void **state)
{
	static const char *const WRONG[] = {
	    "",
	    "Mark",
	    "String Mark",
	    "string 0x1F",
	    "String {0b7c4c8e-5a3f-4a52-9f0e-6d1f6f2a7c11}",
	    "String {0b7c4c8e-5a3f-4a52-9f0e-6d1f6f2a7c11} Name ",
	    "String {0b7c4c8e-5a3f-4a52-9f0e-6d1f6f2a7c1} Name Mark",
	    "String {0b7c4c8e-5a3f-4a52-9f0e-6d1f6f2a7c11} Id 12",
	    "String 0x"};
	char id[PROPERTY_ID_SIZE];

	(void)state;
	assert_true(property_normalise("Integer 0x8234", id));
	assert_true(
	    property_normalise("Double {0B7C4C8E-5a3f-4a52-9f0e-6d1f6f2a7c11} Id 0x8234", id));
	assert_string_equal(id, "Double {0b7c4c8e-5a3f-4a52-9f0e-6d1f6f2a7c11} Id 0x8234");
	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
		assert_false(property_normalise(WRONG[i], id));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equality_ignores_case_and_knows_doubled_quotes),
	    cmocka_unit_test(existence_has_two_spellings),
	    cmocka_unit_test(anything_else_is_refused),
	    cmocka_unit_test(expand_names_one_property),
	    cmocka_unit_test(property_ids_have_three_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
