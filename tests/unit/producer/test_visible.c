/* test_visible.c - snapshots of 64 bits and transactions named by 32. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "producer/visible.h"

static bool finished(const char *snapshot, uint32_t xid)
{
	struct fault fault;
	struct visible *visible = visible_read(snapshot, &fault);
	bool answer;

	assert_non_null(visible);
	answer = visible_has_finished(visible, xid);
	visible_let_go(visible);
	return answer;
}

static void below_the_oldest_running_one_all_are_finished(void **state)
{
	(void)state;
	assert_true(finished("100:105:100,103", 99));
	assert_false(finished("100:105:100,103", 100));
	assert_true(finished("100:105:100,103", 101));
	assert_false(finished("100:105:100,103", 103));
	assert_true(finished("100:105:100,103", 104));
	assert_false(finished("100:105:100,103", 105));
	assert_true(finished("105:105:", 104));
}

static void a_number_means_the_transaction_that_is_near(void **state)
{
	(void)state;
	/* the counter has wrapped once: 4294967296 + 10 */
	assert_true(finished("4294967306:4294967306:", 9));
	assert_false(finished("4294967306:4294967306:", 10));
	assert_true(finished("4294967306:4294967306:", 4294967295u));
	assert_false(finished("4294967290:4294967290:", 5)); /* is still to come, after the wrap */
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
	    cmocka_unit_test(below_the_oldest_running_one_all_are_finished),
	    cmocka_unit_test(a_number_means_the_transaction_that_is_near),
	    cmocka_unit_test(no_snapshot_has_seen_nothing),
	    cmocka_unit_test(what_is_no_snapshot_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
