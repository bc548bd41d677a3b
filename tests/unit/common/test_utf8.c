/* test_utf8.c - what is a character, and where a text may be cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/utf8.h"

static void every_size_of_character_is_read(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		uint32_t code;
	} CASES[] = {
	    {"a", 1, 'a'},
	    {"\x7F", 1, 0x7F},
	    {"\xC2\x80", 2, 0x80},
	    {"\xDF\xBF", 2, 0x7FF},
	    {"\xE0\xA0\x80", 3, 0x800},
	    {"\xED\x9F\xBF", 3, 0xD7FF},
	    {"\xEE\x80\x80", 3, 0xE000},
	    {"\xEF\xBF\xBF", 3, 0xFFFF},
	    {"\xF0\x90\x80\x80", 4, 0x10000},
	    {"\xF4\x8F\xBF\xBF", 4, 0x10FFFF},
	};

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		uint32_t code = 0;

		assert_int_equal(utf8_character(CASES[i].text, strlen(CASES[i].text), &code),
				 CASES[i].size);
		assert_int_equal(code, CASES[i].code);
	}
	{
		uint32_t code = 1;

		assert_int_equal(utf8_character("", 1, &code), 1); /* the NUL itself */
		assert_int_equal(code, 0);
	}
}

static void whatever_is_no_character_is_refused(void **state)
{
	static const char *const BAD[] = {
	    "\x80",
	    "\xBF",
	    "\xC0\x80",
	    "\xC1\xBF",
	    "\xE0\x9F\xBF",
	    "\xF0\x8F\xBF\xBF",
	    "\xED\xA0\x80",
	    "\xED\xBF\xBF",
	    "\xF4\x90\x80\x80",
	    "\xF5\x80\x80\x80",
	    "\xFF",
	    "\xC3",
	    "\xE2\x82",
	    "\xF0\x9F\x98",
	    "\xC3(",
	    "\xE2\x28\xA1",
	    "\xE2\x82(",
	    "\xF0\x28\x8C\xBC",
	    "\xF0\x9F\x98\x28",
	};
	uint32_t code;

	(void)state;
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		assert_int_equal(utf8_character(BAD[i], strlen(BAD[i]), &code), 0);
	}
}

static void a_character_is_never_read_past_the_length(void **state)
{
	uint32_t code;
	char *text = malloc(2); /* the sanitizer watches its end */

	(void)state;
	text[0] = (char)0xE2;
	text[1] = (char)0x82;
	assert_int_equal(utf8_character(text, 2, &code), 0);
	assert_int_equal(utf8_prefix(text, 2), 0);
	free(text);
}

static void a_prefix_ends_between_two_characters(void **state)
{
	const char *text = "a\xC3\xA4\xF0\x9F\x98\x80z";

	(void)state;
	assert_int_equal(utf8_prefix(text, 0), 0);
	assert_int_equal(utf8_prefix(text, 1), 1);
	assert_int_equal(utf8_prefix(text, 2), 1);
	assert_int_equal(utf8_prefix(text, 3), 3);
	assert_int_equal(utf8_prefix(text, 6), 3);
	assert_int_equal(utf8_prefix(text, 7), 7);
	assert_int_equal(utf8_prefix(text, 8), 8);
}

static void a_copy_is_cut_between_two_characters_where_it_is_too_long(void **state)
{
	char out[4];

	(void)state;
	utf8_copy(out, sizeof out, "abc");
	assert_string_equal(out, "abc");
	utf8_copy(out, sizeof out, "ab\xC3\xA4");
	assert_string_equal(out, "ab");
	utf8_copy(out, sizeof out, "a\xFFz");
	assert_string_equal(out, "a");
	utf8_copy(out, sizeof out, "");
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_size_of_character_is_read),
	    cmocka_unit_test(whatever_is_no_character_is_refused),
	    cmocka_unit_test(a_character_is_never_read_past_the_length),
	    cmocka_unit_test(a_prefix_ends_between_two_characters),
	    cmocka_unit_test(a_copy_is_cut_between_two_characters_where_it_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
