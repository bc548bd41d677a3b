/* test_month.c - bars stand on their days, in lanes that never overlap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <utlist.h>

#include "common/civil.h"
#include "tests/fake/month.h"

static const struct month MARCH = {2026, 3};
static struct event events[100];
static struct mailbox mailbox;
static struct month_bar bars[MONTH_BARS_MAX];

/* Events on these days of March 2026 (below 1 and above 31 lie outside), ends inclusive. */
static size_t lay_out(const int days[][2], size_t count, size_t *more)
{
	mailbox = (struct mailbox){0};
	for (size_t i = 0; i < count; i++) {
		events[i] = (struct event){.number = i + 1};
		events[i].draft.start.civil.day = civil_day(2026, 3, 1) + days[i][0] - 1;
		events[i].draft.end.civil.day = civil_day(2026, 3, 1) + days[i][1];
		DL_APPEND(mailbox.calendar, &events[i]);
	}
	return month_layout(MARCH, &mailbox, bars, more);
}

static void bars_are_cut_at_the_months_ends(void **state)
{
	size_t more;

	(void)state;
	assert_int_equal(lay_out((const int[][2]){{-3, 2}, {30, 40}, {-9, 0}, {32, 33}}, 4, &more),
			 2);
	assert_true(bars[0].first == 1 && bars[0].last == 2);
	assert_true(bars[0].begins_before && !bars[0].ends_after);
	assert_true(bars[1].first == 30 && bars[1].last == 31);
	assert_true(!bars[1].begins_before && bars[1].ends_after);
	assert_int_equal(more, 0);
}

static void who_overlaps_gets_a_lane_of_its_own(void **state)
{
	size_t more;

	(void)state;
	assert_int_equal(lay_out((const int[][2]){{1, 5}, {5, 6}, {6, 9}, {2, 3}}, 4, &more), 4);
	assert_int_equal(bars[0].lane, 0); /* 1-5 */
	assert_int_equal(bars[1].lane, 1); /* 2-3 */
	assert_int_equal(bars[2].lane, 1); /* 5-6 */
	assert_int_equal(bars[3].lane, 0); /* 6-9 */
	assert_int_equal(month_lanes(bars, 4), 2);
}

static void what_has_no_place_is_counted(void **state)
{
	int days[100][2];
	size_t more;

	(void)state;
	for (int i = 0; i < 100; i++) {
		days[i][0] = days[i][1] = 7;
	}
	assert_int_equal(lay_out((const int(*)[2])days, 100, &more), MONTH_BARS_MAX);
	assert_int_equal(more, 100 - MONTH_BARS_MAX);
	assert_int_equal(bars[MONTH_BARS_MAX - 1].lane, MONTH_BARS_MAX - 1);
}

static void an_event_without_length_still_has_its_day(void **state)
{
	size_t more;

	(void)state;
	assert_int_equal(lay_out((const int[][2]){{7, 6}}, 1, &more), 1);
	assert_true(bars[0].first == 7 && bars[0].last == 7);
}

static void years_turn(void **state)
{
	struct month before = month_before((struct month){2026, 1});
	struct month after = month_after((struct month){2026, 12});

	(void)state;
	assert_true(before.year == 2025 && before.month == 12);
	assert_true(after.year == 2027 && after.month == 1);
	assert_string_equal(month_name(before), "December");
}

static void the_master_list_decides_the_colour_then_outlooks_names(void **state)
{
	(void)state;
	assert_string_equal(month_colour("Green category", NULL), "#498205");
	assert_string_equal(month_colour("Green category", "preset0"), "#d13438");
	assert_string_equal(month_colour("Anything", "none"), month_colour("Anything", NULL));
	assert_string_equal(month_colour(NULL, NULL), "#69797e");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bars_are_cut_at_the_months_ends),
	    cmocka_unit_test(who_overlaps_gets_a_lane_of_its_own),
	    cmocka_unit_test(what_has_no_place_is_counted),
	    cmocka_unit_test(an_event_without_length_still_has_its_day),
	    cmocka_unit_test(years_turn),
	    cmocka_unit_test(the_master_list_decides_the_colour_then_outlooks_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
