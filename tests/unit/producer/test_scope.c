/* test_scope.c - how a wish for a snapshot is written into the log and read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "producer/scope.h"

#define USER	   "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
#define ASSIGNMENT "22222222-2222-4222-8222-222222222222"

static bool parse(const char *text, struct scope *scope)
{
	return scope_parse(text, strlen(text), scope);
}

static void each_kind_is_read_as_it_was_written(void **state)
{
	static const char *const texts[] = {"all", "user " USER, "project " USER,
					    "key " USER " " ASSIGNMENT};
	static const enum scope_kind kinds[] = {SCOPE_ALL, SCOPE_USER, SCOPE_PROJECT, SCOPE_KEY};

	(void)state;
	for (size_t i = 0; i < SCOPE_KINDS; i++) {
		struct scope scope;
		char again[SCOPE_TEXT_SIZE];

		assert_true(parse(texts[i], &scope));
		assert_int_equal(scope.kind, kinds[i]);
		scope_format(&scope, again);
		assert_string_equal(again, texts[i]);
	}
}

static void a_key_names_the_user_first_and_then_the_assignment(void **state)
{
	struct scope scope;
	char text[UUID_TEXT_SIZE];

	(void)state;
	assert_true(parse("key " USER " " ASSIGNMENT, &scope));
	uuid_format(&scope.user, text);
	assert_string_equal(text, USER);
	uuid_format(&scope.id, text);
	assert_string_equal(text, ASSIGNMENT);
}

static void what_is_none_of_these_is_refused(void **state)
{
	static const char *const texts[] = {"",
					    "everything",
					    "all ",
					    "user",
					    "user x",
					    "user " USER " ",
					    "key " USER,
					    "key " USER " x",
					    "key " USER "," ASSIGNMENT,
					    "project " USER " " USER};
	char longest[SCOPE_TEXT_SIZE + 1];
	struct scope scope;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		assert_false(parse(texts[i], &scope));
	}
	memset(longest, 'a', sizeof longest);
	assert_false(scope_parse(longest, sizeof longest, &scope));
	assert_false(scope_parse("all\0x", 5, &scope));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_kind_is_read_as_it_was_written),
	    cmocka_unit_test(a_key_names_the_user_first_and_then_the_assignment),
	    cmocka_unit_test(what_is_none_of_these_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
