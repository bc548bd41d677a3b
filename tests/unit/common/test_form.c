/* test_form.c - fields of a form, however a client wrote it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/form.h"

static void assert_field(const char *bytes, size_t length, const char *name, const char *wanted)
{
	char *exact = malloc(length > 0 ? length : 1); /* the sanitizer watches its end */
	struct form form;
	const char *value;

	memcpy(exact, bytes, length);
	assert_true(form_parse(&form, exact, length));
	value = form_field(&form, name);
	if (wanted == NULL) {
		assert_null(value);
	} else {
		assert_non_null(value);
		assert_string_equal(value, wanted);
	}
	form_close(&form);
	free(exact);
}

static void assert_text_field(const char *text, const char *name, const char *wanted)
{
	assert_field(text, strlen(text), name, wanted);
}

static void fields_are_found_by_their_decoded_name(void **state)
{
	(void)state;
	assert_text_field("a=1&b=2", "a", "1");
	assert_text_field("a=1&b=2", "b", "2");
	assert_text_field("a=1&b=2", "c", NULL);
	assert_text_field("a=1&b=2", "A", NULL);
	assert_text_field("two+words=x+y", "two words", "x y");
	assert_text_field("%61=%2B%26%3D%c3%A4", "a", "+&=\xC3\xA4");
}

static void the_first_of_the_same_name_counts(void **state)
{
	(void)state;
	assert_text_field("a=1&a=2", "a", "1");
}

static void a_name_without_a_value_does_not_shift_the_others(void **state)
{
	(void)state;
	assert_text_field("flag&a=1", "flag", "");
	assert_text_field("flag&a=1", "a", "1");
	assert_text_field("a=&b=2", "a", "");
	assert_text_field("a=&b=2", "b", "2");
	assert_text_field("=1&b=2", "b", "2");
	assert_text_field("&&b=2&", "b", "2");
	assert_text_field("&&b=2&", "", NULL);
}

static void a_second_equals_sign_belongs_to_the_value(void **state)
{
	(void)state;
	assert_text_field("a=b=c&d=e", "a", "b=c");
	assert_text_field("a=b=c&d=e", "d", "e");
}

static void a_broken_escape_stays_as_it_is(void **state)
{
	(void)state;
	assert_text_field("a=%", "a", "%");
	assert_text_field("a=%4", "a", "%4");
	assert_text_field("a=%4&b=1", "a", "%4");
	assert_text_field("a=%zz%41", "a", "%zzA");
	assert_text_field("a=100%", "a", "100%");
}

static void a_nul_is_left_out_and_makes_no_field(void **state)
{
	(void)state;
	assert_text_field("a=x%00y&b=1", "a", "xy");
	assert_text_field("a%00b=1", "ab", "1");
	assert_text_field("a=x%00b%00z", "b", NULL);
	assert_field("a=x\0b\0z&c=1", 11, "b", NULL);
	assert_field("a=x\0b\0z&c=1", 11, "c", "1");
}

static void an_empty_form_has_no_fields(void **state)
{
	(void)state;
	assert_text_field("", "a", NULL);
	assert_text_field("", "", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_are_found_by_their_decoded_name),
	    cmocka_unit_test(the_first_of_the_same_name_counts),
	    cmocka_unit_test(a_name_without_a_value_does_not_shift_the_others),
	    cmocka_unit_test(a_second_equals_sign_belongs_to_the_value),
	    cmocka_unit_test(a_broken_escape_stays_as_it_is),
	    cmocka_unit_test(a_nul_is_left_out_and_makes_no_field),
	    cmocka_unit_test(an_empty_form_has_no_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
