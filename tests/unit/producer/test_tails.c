/* test_tails.c - what a resend repeats and what it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "producer/tails.h"

static struct tails tails; /* large */

static struct pos at(uint32_t epoch, uint64_t lsn, uint32_t ordinal)
{
	return (struct pos){.epoch = epoch, .commit_lsn = lsn, .ordinal = ordinal};
}

static int begin(void **state)
{
	(void)state;
	tails = (struct tails){0};
	return 0;
}

static bool has(uint64_t lsn)
{
	struct pos pos = at(1, lsn, 1);

	return tails_has(&tails, TAILS_ASSIGNMENTS, 3, &pos);
}

static void note(uint64_t lsn)
{
	struct pos pos = at(1, lsn, 1);

	tails_note(&tails, TAILS_ASSIGNMENTS, 3, &pos);
}

static void up_to_the_newest_position_everything_is_there(void **state)
{
	struct pos other = at(1, 5, 1);

	(void)state;
	assert_false(has(5));
	note(10);
	note(8); /* a late record does not lower it */
	assert_true(has(10));
	assert_true(has(5));
	assert_false(has(11));
	assert_false(tails_has(&tails, TAILS_ASSIGNMENTS, 4, &other));
	assert_false(tails_has(&tails, TAILS_REQUESTS, 3, &other));
}

static void another_epoch_is_beyond_every_older_one(void **state)
{
	struct pos next = at(2, 1, 0);

	(void)state;
	note(1000);
	assert_false(tails_has(&tails, TAILS_ASSIGNMENTS, 3, &next));
	assert_int_equal(tails_epoch(&tails), 1);
	tails_note(&tails, TAILS_REQUESTS, 0, &next);
	assert_int_equal(tails_epoch(&tails), 2);
}

static void from_a_gap_on_everything_is_sent_again(void **state)
{
	static struct tails fresh;
	struct pos gap = at(1, 7, 1);
	struct pos newest = at(1, 10, 1);

	(void)state;
	tails_note_gap(&tails, TAILS_ASSIGNMENTS, 3, &gap);
	tails_note(&fresh, TAILS_ASSIGNMENTS, 3, &newest);
	tails_renew(&tails, &fresh);
	assert_true(has(6));
	assert_false(has(7));
	assert_false(has(10));
	tails_note_delivered(&tails, TAILS_ASSIGNMENTS, 3, &gap);
	assert_true(has(7));
}

static void where_somebody_else_wrote_is_kept_for_the_next_reading_only(void **state)
{
	static struct tails fresh;

	(void)state;
	tails_note_foreign(&tails, TAILS_ASSIGNMENTS, 3, 70);
	tails_note_foreign(&tails, TAILS_ASSIGNMENTS, 3, 60);
	tails_note_foreign(&tails, TAILS_ASSIGNMENTS, 3, 90);
	tails_start(&fresh, &tails);
	assert_true(fresh.ends[TAILS_ASSIGNMENTS][3].has_foreign);
	assert_int_equal(fresh.ends[TAILS_ASSIGNMENTS][3].foreign_offset, 60);
	assert_false(fresh.ends[TAILS_ASSIGNMENTS][4].has_foreign);
	fresh.ends[TAILS_ASSIGNMENTS][3].next_offset = 100;
	tails_renew(&tails, &fresh);
	assert_false(tails.ends[TAILS_ASSIGNMENTS][3].has_foreign);
	assert_int_equal(tails.ends[TAILS_ASSIGNMENTS][3].next_offset, 100);
}

static void the_newest_transaction_is_of_the_epoch_and_no_snapshot(void **state)
{
	struct pos row = at(2, 50, 4);
	struct pos snapshot = at(2, 90, 0);

	(void)state;
	assert_true(tails_is_empty(&tails, TAILS_ASSIGNMENTS));
	note(1000);
	assert_false(tails_is_empty(&tails, TAILS_ASSIGNMENTS));
	assert_true(tails_is_empty(&tails, TAILS_REQUESTS));
	assert_true(tails_transaction(&tails, 2) == 0);
	tails_note(&tails, TAILS_REQUESTS, 5, &snapshot);
	assert_true(tails_transaction(&tails, 2) == 0);
	tails_note(&tails, TAILS_REQUESTS, 4, &row);
	assert_true(tails_transaction(&tails, 2) == 50);
	assert_true(tails_transaction(&tails, 1) == 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(up_to_the_newest_position_everything_is_there, begin),
	    cmocka_unit_test_setup(another_epoch_is_beyond_every_older_one, begin),
	    cmocka_unit_test_setup(from_a_gap_on_everything_is_sent_again, begin),
	    cmocka_unit_test_setup(where_somebody_else_wrote_is_kept_for_the_next_reading_only,
				   begin),
	    cmocka_unit_test_setup(the_newest_transaction_is_of_the_epoch_and_no_snapshot, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
