/* test_sqlstate.c - which PostgreSQL error asks for what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/sqlstate.h"

static void assert_kind(const char *state, enum fault_kind wanted)
{
	struct fault fault = {0};

	sqlstate_fault(state, "message", &fault);
	assert_int_equal(fault.kind, wanted);
}

static void each_class_asks_for_what_helps(void **state)
{
	(void)state;
	assert_kind("22P02", FAULT_INPUT); /* invalid text representation */
	assert_kind("23505", FAULT_INPUT); /* unique violation */
	assert_kind("42501", FAULT_FATAL); /* insufficient privilege */
	assert_kind("42P01", FAULT_FATAL); /* no such table */
	assert_kind("28P01", FAULT_FATAL); /* wrong password */
	assert_kind("40001", FAULT_RETRY); /* serialization failure */
	assert_kind("40P01", FAULT_RETRY); /* deadlock */
	assert_kind("53300", FAULT_RETRY); /* too many connections */
	assert_kind("57014", FAULT_RETRY); /* statement timeout */
	assert_kind("57P01", FAULT_RETRY); /* admin shutdown */
	assert_kind("XX000", FAULT_RETRY);
	assert_kind(NULL, FAULT_RETRY);
}

static void the_text_names_code_and_message(void **state)
{
	struct fault fault;

	(void)state;
	sqlstate_fault("42501", "permission denied for table x", &fault);
	assert_string_equal(fault.what, "PostgreSQL 42501: permission denied for table x");
	sqlstate_fault(NULL, NULL, &fault);
	assert_string_equal(fault.what, "PostgreSQL 08000: no answer");
}

static void only_some_errors_need_a_new_session(void **state)
{
	(void)state;
	assert_true(sqlstate_needs_new_session("57P01"));
	assert_true(sqlstate_needs_new_session("57P02"));
	assert_true(sqlstate_needs_new_session("0A000"));
	assert_true(sqlstate_needs_new_session("26000"));
	assert_true(sqlstate_needs_new_session("25006"));
	assert_false(sqlstate_needs_new_session("57014"));
	assert_false(sqlstate_needs_new_session("40001"));
	assert_false(sqlstate_needs_new_session("22P02"));
	assert_false(sqlstate_needs_new_session(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_class_asks_for_what_helps),
	    cmocka_unit_test(the_text_names_code_and_message),
	    cmocka_unit_test(only_some_errors_need_a_new_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
