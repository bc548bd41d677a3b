/* test_visible.c - a snapshot that several hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "producer/visible.h"

static void it_lives_until_the_last_holder_lets_go(void **state)
{
	struct fault fault;
	struct visible *visible = visible_read("100:105:100,103", &fault);

	(void)state;
	assert_non_null(visible);
	assert_ptr_equal(visible_hold(visible), visible);
	visible_let_go(visible);
	assert_true(visible_has_finished(visible, 101));
	assert_false(visible_has_finished(visible, 103));
	visible_let_go(visible);
	visible_let_go(NULL);
}

static void no_snapshot_has_seen_nothing(void **state)
{
	(void)state;
	assert_false(visible_has_finished(NULL, 1));
}

static void what_is_no_snapshot_is_refused(void **state)
{
	static const char *const TEXTS[] = {"", "1", "1:", "a:b:", "1:2:x", "1:2:3,,4", "-1:2:"};

	(void)state;
	for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
		struct fault fault;

		assert_null(visible_read(TEXTS[i], &fault));
		assert_int_equal(fault.kind, FAULT_FATAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_lives_until_the_last_holder_lets_go),
	    cmocka_unit_test(no_snapshot_has_seen_nothing),
	    cmocka_unit_test(what_is_no_snapshot_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
