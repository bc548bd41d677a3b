/* test_fault.c - each leaf fills its kind and returns false. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fault.h"

static void each_leaf_fills_its_kind_and_returns_false(void **state)
{
	struct fault fault = {.retry_after_ms = 7};

	(void)state;
	assert_false(fault_retry(&fault, "later: %d", 1));
	assert_int_equal(fault.kind, FAULT_RETRY);
	assert_string_equal(fault.what, "later: 1");
	assert_int_equal(fault.retry_after_ms, 0);
	assert_false(fault_auth(&fault, "who"));
	assert_int_equal(fault.kind, FAULT_AUTH);
	assert_false(fault_input(&fault, "what"));
	assert_int_equal(fault.kind, FAULT_INPUT);
	assert_false(fault_fatal(&fault, "why"));
	assert_int_equal(fault.kind, FAULT_FATAL);
	assert_string_equal(fault.what, "why");
}

static void a_long_text_is_cut_and_ends(void **state)
{
	struct fault fault;
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_false(fault_input(&fault, "%s", text));
	assert_int_equal(strlen(fault.what), sizeof fault.what - 1);
}

static void a_fault_may_be_told_with_its_own_text(void **state)
{
	struct fault fault;

	(void)state;
	assert_false(fault_input(&fault, "not a number"));
	assert_false(fault_fatal(&fault, "line %d: %s", 3, fault.what));
	assert_string_equal(fault.what, "line 3: not a number");
}

static void every_kind_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < FAULT_KINDS; i++) {
		for (int j = 0; j < i; j++) {
			assert_string_not_equal(fault_name((enum fault_kind)i),
						fault_name((enum fault_kind)j));
		}
	}
	assert_string_equal(fault_name(FAULT_NONE), "none");
	assert_string_equal(fault_name(FAULT_FATAL), "fatal");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_leaf_fills_its_kind_and_returns_false),
	    cmocka_unit_test(a_long_text_is_cut_and_ends),
	    cmocka_unit_test(a_fault_may_be_told_with_its_own_text),
	    cmocka_unit_test(every_kind_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
