/* test_jsonw.c - what Jackson would write, character for character. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/jsonw.h"

static void assert_written(const char *text, size_t length, const char *wanted)
{
	struct buf out;

	buf_init(&out, 1024);
	jsonw_string(&out, text, length);
	assert_string_equal(buf_string(&out), wanted);
	buf_close(&out);
}

static void plain_text_stays_as_it_is(void **state)
{
	(void)state;
	assert_written("", 0, "\"\"");
	assert_written("a/b <c> & 'd'\x7F", 14, "\"a/b <c> & 'd'\x7F\"");
	assert_written("\xC3\xA4\xE2\x82\xAC\xE2\x80\xA8", 8,
		       "\"\xC3\xA4\xE2\x82\xAC\xE2\x80\xA8\"");
}

static void quotes_backslashes_and_controls_are_escaped(void **state)
{
	(void)state;
	assert_written("\"\\\b\t\n\f\r", 7, "\"\\\"\\\\\\b\\t\\n\\f\\r\"");
	assert_written("\x01\x1F\x0B", 3, "\"\\u0001\\u001F\\u000B\"");
	assert_written("a\0b", 3, "\"a\\u0000b\"");
}

/* Plain text is passed over eight bytes at a time. */
static void what_is_special_is_seen_at_every_place_of_a_long_text(void **state)
{
	static const struct {
		char c;
		const char *escape;
	} SPECIAL[] = {{'"', "\\\""}, {'\\', "\\\\"}, {'\0', "\\u0000"}, {'\x1F', "\\u001F"}};

	(void)state;
	for (size_t at = 0; at < 24; at++) {
		for (size_t i = 0; i < sizeof SPECIAL / sizeof *SPECIAL; i++) {
			char text[] = "!plain# [text]~\x7F of 24 by";
			char wanted[64];

			snprintf(wanted, sizeof wanted, "\"%.*s%s%s\"", (int)at, text,
				 SPECIAL[i].escape, text + at + 1);
			text[at] = SPECIAL[i].c;
			assert_written(text, sizeof text - 1, wanted);
		}
	}
}

static void beyond_the_first_plane_stand_surrogate_pairs(void **state)
{
	(void)state;
	assert_written("\xF0\x9F\x98\x80", 4, "\"\\uD83D\\uDE00\"");
	assert_written("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", 8, "\"\\uD800\\uDC00\\uDBFF\\uDFFF\"");
}

static void invalid_bytes_become_the_replacement_character(void **state)
{
	(void)state;
	assert_written("a\xFFz", 3, "\"a\xEF\xBF\xBDz\"");
	assert_written("\xE2\x82", 2, "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

static void members_and_items_are_separated_by_commas(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	buf_char(&out, '{');
	jsonw_member_text(&out, "a", "x{");
	jsonw_member_text(&out, "b\"", NULL);
	jsonw_member_number(&out, "c", INT64_MIN);
	jsonw_key(&out, "d");
	buf_char(&out, '[');
	for (int i = 1; i <= 3; i++) {
		jsonw_comma(&out);
		jsonw_number(&out, i);
	}
	buf_text(&out, "]}");
	assert_string_equal(
	    buf_string(&out),
	    "{\"a\":\"x{\",\"b\\\"\":null,\"c\":-9223372036854775808,\"d\":[1,2,3]}");
	buf_close(&out);
}

static void a_full_buffer_fails_as_a_whole(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 8);
	jsonw_text(&out, "too long for it");
	jsonw_comma(&out);
	jsonw_number(&out, 1);
	assert_true(out.failed);
	assert_string_equal(buf_string(&out), "");
	buf_close(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_text_stays_as_it_is),
	    cmocka_unit_test(quotes_backslashes_and_controls_are_escaped),
	    cmocka_unit_test(what_is_special_is_seen_at_every_place_of_a_long_text),
	    cmocka_unit_test(beyond_the_first_plane_stand_surrogate_pairs),
	    cmocka_unit_test(invalid_bytes_become_the_replacement_character),
	    cmocka_unit_test(members_and_items_are_separated_by_commas),
	    cmocka_unit_test(a_full_buffer_fails_as_a_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
