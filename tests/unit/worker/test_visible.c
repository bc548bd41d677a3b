/* test_visible.c - visibility as pg_visible_in_snapshot tells it, from 32 bits of an id. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/visible.h"

static void what_ended_before_xmin_is_visible(void **state)
{
	(void)state;
	assert_true(visible_in_snapshot("100:100:", 99));
	assert_true(visible_in_snapshot("100:110:100,105", 3));
}

static void what_began_at_or_after_xmax_is_not(void **state)
{
	(void)state;
	assert_false(visible_in_snapshot("100:100:", 100));
	assert_false(visible_in_snapshot("100:110:100,105", 110));
	assert_false(visible_in_snapshot("100:110:100,105", 4000));
}

static void between_them_only_those_in_progress_are_not(void **state)
{
	(void)state;
	assert_false(visible_in_snapshot("100:110:100,105,109", 100));
	assert_false(visible_in_snapshot("100:110:100,105,109", 105));
	assert_false(visible_in_snapshot("100:110:100,105,109", 109));
	assert_true(visible_in_snapshot("100:110:100,105,109", 101));
	assert_true(visible_in_snapshot("100:110:100,105,109", 108));
}

static void ids_are_taken_as_the_nearest_to_xmax_across_epochs(void **state)
{
	(void)state;
	/* 2^32 = 4294967296: xmax has just wrapped, 4294967290 was before it. */
	assert_true(visible_in_snapshot("4294967300:4294967300:", 4294967290u));
	assert_true(visible_in_snapshot("4294967300:4294967300:", 3));
	assert_false(visible_in_snapshot("4294967300:4294967300:", 4));
	assert_false(visible_in_snapshot("4294967300:4294967300:", 4000));
	/* xmax is about to wrap: 5 comes after it. */
	assert_false(visible_in_snapshot("4294967290:4294967290:", 5));
	assert_true(visible_in_snapshot("4294967290:4294967290:", 4294967289u));
	/* Epoch 5, one in progress. */
	assert_false(visible_in_snapshot("21474836580:21474836590:21474836585", 105));
	assert_true(visible_in_snapshot("21474836580:21474836590:21474836585", 106));
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
	    cmocka_unit_test(what_ended_before_xmin_is_visible),
	    cmocka_unit_test(what_began_at_or_after_xmax_is_not),
	    cmocka_unit_test(between_them_only_those_in_progress_are_not),
	    cmocka_unit_test(ids_are_taken_as_the_nearest_to_xmax_across_epochs),
	    cmocka_unit_test(an_id_before_the_first_epoch_is_not_visible),
	    cmocka_unit_test(what_is_no_snapshot_shows_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
