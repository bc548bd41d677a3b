/* test_skew.c - a clock that is off is told from one that is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/skew.h"

#define DATE	"Tue, 15 Nov 1994 12:45:26 GMT"
#define DATE_MS INT64_C(784903526000)
#define HOUR_MS INT64_C(3600000)

/* bad input 60 */
static void a_clock_that_is_off_by_a_minute_or_more_is_told_how_far(void **state)
{
	static const struct {
		int64_t ahead_ms;
		const char *words;
	} CASES[] = {{60000, "0 h 1 min ahead"},
		     {-60000, "0 h 1 min behind"},
		     {3 * HOUR_MS + 120000, "3 h 2 min ahead"},
		     {-30 * HOUR_MS, "30 h 0 min behind"}};
	char words[SKEW_WORDS_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		assert_true(skew_is_off(DATE, DATE_MS + CASES[i].ahead_ms, words));
		assert_string_equal(words, CASES[i].words);
	}
	assert_false(skew_is_off(DATE, DATE_MS + 59999, words));
	assert_false(skew_is_off(DATE, DATE_MS - 59000, words));
}

static void an_answer_without_a_date_tells_nothing(void **state)
{
	char words[SKEW_WORDS_SIZE];

	(void)state;
	assert_false(skew_is_off(NULL, 0, words));
	assert_false(skew_is_off("", DATE_MS, words));
	assert_false(skew_is_off("yesterday", DATE_MS, words));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_clock_that_is_off_by_a_minute_or_more_is_told_how_far),
	    cmocka_unit_test(an_answer_without_a_date_tells_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
