/* test_amend.c - an answer's members are replaced and removed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/fake/amend.h"

static void assert_amended(const char *answer, const char *patch, const char *wanted)
{
	struct buf body;

	buf_init(&body, 1024);
	buf_text(&body, answer);
	amend_answer(patch, &body);
	assert_string_equal(buf_string(&body), wanted);
	buf_close(&body);
}

static void members_are_set_replaced_and_removed(void **state)
{
	(void)state;
	assert_amended("{\"a\":1,\"b\":{\"c\":2}}", "{\"a\":null,\"b\":{\"d\":3},\"e\":[]}",
		       "{\"b\":{\"d\":3},\"e\":[]}");
	assert_amended("{\"a\":{\"b\":1}}", "{\"a\":2}", "{\"a\":2}");
}

static void without_changes_or_without_json_nothing_changes(void **state)
{
	(void)state;
	assert_amended("{ \"a\" : 1 }", "", "{ \"a\" : 1 }");
	assert_amended("<html>", "{\"a\":1}", "<html>");
	assert_amended("", "{\"a\":1}", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(members_are_set_replaced_and_removed),
	    cmocka_unit_test(without_changes_or_without_json_nothing_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
