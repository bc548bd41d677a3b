/* test_nearest.c - how far two names lie apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/nearest.h"

static void each_edit_counts_one_and_a_swap_of_neighbours_too(void **state)
{
	static const struct {
		const char *a;
		const char *b;
		size_t distance;
	} CASES[] = {{"", "", 0},	  {"", "abc", 3},      {"abc", "", 3},
		     {"abc", "abc", 0},	  {"abc", "abd", 1},   {"abc", "ab", 1},
		     {"abc", "xabc", 1},  {"abc", "acb", 1},   {"kitten", "sitting", 3},
		     {"flaw", "lawn", 2}, {"abcd", "badc", 2}, {"abc", "xyz", 3}};

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		assert_int_equal(nearest_distance(CASES[i].a, CASES[i].b), CASES[i].distance);
		assert_int_equal(nearest_distance(CASES[i].b, CASES[i].a), CASES[i].distance);
	}
}

static void a_name_that_is_too_long_is_far_from_all(void **state)
{
	char name[NEAREST_NAME_MAX + 2];

	(void)state;
	memset(name, 'x', sizeof name);
	name[NEAREST_NAME_MAX + 1] = '\0';
	assert_true(nearest_distance(name, "x") == SIZE_MAX);
	assert_true(nearest_distance("x", name) == SIZE_MAX);
	name[NEAREST_NAME_MAX] = '\0';
	assert_int_equal(nearest_distance(name, "x"), NEAREST_NAME_MAX - 1);
	assert_int_equal(nearest_distance(name, name), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_edit_counts_one_and_a_swap_of_neighbours_too),
	    cmocka_unit_test(a_name_that_is_too_long_is_far_from_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
