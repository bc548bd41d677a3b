/* test_visible.c - what a change may be skipped for, and what never. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/visible.h"

static void what_the_snapshot_saw_finished_is_visible(void **state)
{
	(void)state;
	assert_true(visible_in_snapshot("100:110:100,105", 101));
	assert_false(visible_in_snapshot("100:110:100,105", 105));
}

static void an_id_before_the_first_epoch_is_not_visible(void **state)
{
	(void)state;
	assert_false(visible_in_snapshot("100:100:", 4294967290u));
	assert_false(visible_in_snapshot("100:100:", 0));
}

static void what_is_no_snapshot_shows_nothing(void **state)
{
	static const char *const MALFORMED[] = {
	    "",
	    ":",
	    "100",
	    "100:",
	    "100:110",
	    "100:110:x",
	    "a:110:",
	    "100:110:5,",
	    "100:110:,",
	    "100:110:105 ",
	    "110:100:",
	    "0:100:",
	    "-5:100:",
	    " 100:110:",
	    "100:110:105:",
	    "100:99999999999999999999:",
	};

	(void)state;
	assert_false(visible_in_snapshot(NULL, 5));
	for (size_t i = 0; i < sizeof MALFORMED / sizeof *MALFORMED; i++) {
		assert_false(visible_in_snapshot(MALFORMED[i], 5));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_the_snapshot_saw_finished_is_visible),
	    cmocka_unit_test(an_id_before_the_first_epoch_is_not_visible),
	    cmocka_unit_test(what_is_no_snapshot_shows_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
