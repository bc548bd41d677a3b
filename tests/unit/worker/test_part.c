/* test_part.c - where an assigned partition goes on, and when somebody has reset it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/part.h"

/* A partition whose log holds the offsets low to high - 1. */
static struct part part_of(int64_t low, int64_t high)
{
	return (struct part){
	    .low_watermark = low, .high_watermark = high, .replay_to = -7, .start = -7};
}

static const struct part_progress UNKNOWN = {.done = -1, .committed = -1, .replay_to = -1};

static struct part_progress known(int64_t done, int64_t committed, int64_t replay_to)
{
	return (struct part_progress){
	    .is_known = true, .done = done, .committed = committed, .replay_to = replay_to};
}

static struct part decide(struct part part, int64_t committed, struct part_progress progress)
{
	part_decide(&part, committed, &progress);
	return part;
}

static void a_fresh_partition_is_read_from_the_logs_start(void **state)
{
	struct part part = decide(part_of(0, 100), -1, UNKNOWN);

	(void)state;
	assert_int_equal(part.start, 0);
	assert_int_equal(part.replay_to, -1);
	part = decide(part_of(40, 100), -1, UNKNOWN);
	assert_int_equal(part.start, 40);
	part = decide(part_of(0, 0), -1, UNKNOWN);
	assert_int_equal(part.start, 0);
	assert_int_equal(part.replay_to, -1);
}

static void what_was_committed_is_where_it_goes_on(void **state)
{
	struct part part = decide(part_of(0, 100), 60, known(60, 60, -1));

	(void)state;
	assert_int_equal(part.start, 60);
	assert_int_equal(part.replay_to, -1);
	part = decide(part_of(0, 100), 100, known(100, 100, -1));
	assert_int_equal(part.start, 100);
	assert_int_equal(part.replay_to, -1);
}

static void a_crash_between_commit_and_note_is_no_reset(void **state)
{
	struct part part = decide(part_of(0, 100), 70, known(70, 60, -1));

	(void)state;
	assert_int_equal(part.start, 70);
	assert_int_equal(part.replay_to, -1);
}

static void a_crash_between_save_and_commit_is_no_reset(void **state)
{
	struct part part = decide(part_of(0, 100), 60, known(70, 60, -1));

	(void)state;
	assert_int_equal(part.start, 60);
	assert_int_equal(part.replay_to, -1);
}

static void a_crash_before_the_first_note_is_no_reset(void **state)
{
	struct part part = decide(part_of(0, 100), 0, known(0, -1, -1));

	(void)state;
	assert_int_equal(part.start, 0);
	assert_int_equal(part.replay_to, -1);
}

static void a_group_reset_back_is_replayed_up_to_the_high_watermark(void **state)
{
	struct part part = decide(part_of(0, 100), 0, known(60, 60, -1));

	(void)state;
	assert_int_equal(part.start, 0);
	assert_int_equal(part.replay_to, 100);
	assert_true(part.replay_from_start);
	part = decide(part_of(0, 100), 59, known(60, 60, -1));
	assert_int_equal(part.start, 59);
	assert_int_equal(part.replay_to, 100);
	assert_false(part.replay_from_start);
}

static void a_group_that_was_deleted_is_a_reset_too(void **state)
{
	struct part part = decide(part_of(10, 100), -1, known(60, 60, -1));

	(void)state;
	assert_int_equal(part.start, 10);
	assert_int_equal(part.replay_to, 100);
	assert_true(part.replay_from_start);
}

static void a_replay_that_a_crash_cut_short_is_resumed(void **state)
{
	struct part part = decide(part_of(0, 100), 20, known(20, 20, 100));

	(void)state;
	assert_int_equal(part.start, 20);
	assert_int_equal(part.replay_to, 100);
	/* what came since belongs to the fold as well */
	part = decide(part_of(0, 140), 20, known(20, 20, 100));
	assert_int_equal(part.replay_to, 140);
}

/* Folding up to an offset that the new log does not have would wait for ever. */
static void a_topic_made_anew_during_a_replay_ends_it(void **state)
{
	struct part part = decide(part_of(0, 90), 20, known(20, 20, 100));

	(void)state;
	assert_true(part.was_skipped);
	assert_int_equal(part.start, 0);
	assert_int_equal(part.replay_to, -1);
	/* a crash before that was committed, and anew once more */
	part = decide(part_of(0, 40), 60, known(0, 60, 90));
	assert_true(part.was_skipped);
	assert_int_equal(part.start, 0);
	assert_int_equal(part.replay_to, -1);
}

static void a_group_reset_forward_has_skipped_records(void **state)
{
	struct part part = decide(part_of(0, 100), 80, known(60, 60, -1));

	(void)state;
	assert_true(part.was_skipped);
	assert_int_equal(part.start, 80);
	assert_int_equal(part.replay_to, -1);
	part = decide(part_of(0, 100), 61, known(60, 40, -1));
	assert_true(part.was_skipped);
	/* also out of a replay: the tables know more than what is left of the log */
	part = decide(part_of(0, 100), 80, known(20, 20, 100));
	assert_true(part.was_skipped);
	assert_int_equal(part.replay_to, -1);
}

static void offsets_set_before_anything_was_done_have_skipped_records(void **state)
{
	struct part part = decide(part_of(0, 100), 100, UNKNOWN);

	(void)state;
	assert_true(part.was_skipped);
	assert_int_equal(part.start, 100);
	part = decide(part_of(40, 100), 40, UNKNOWN);
	assert_false(part.was_skipped);
}

static void records_that_retention_took_unread_are_skipped(void **state)
{
	struct part part = decide(part_of(80, 100), 60, known(60, 60, -1));

	(void)state;
	assert_true(part.was_skipped);
	assert_int_equal(part.start, 80);
}

/* done is saved, then Kafka commits, then that is noted: any crash leaves one of these. */
static void no_crash_is_taken_for_a_reset_in_either_direction(void **state)
{
	(void)state;
	for (int64_t saved = 0; saved <= 100; saved++) {
		for (int64_t in_kafka = 0; in_kafka <= saved; in_kafka++) {
			for (int64_t noted = -1; noted <= in_kafka; noted++) {
				struct part part =
				    decide(part_of(0, 100), in_kafka, known(saved, noted, -1));

				assert_false(part.was_skipped);
				assert_false(part.is_log_new);
				assert_int_equal(part.replay_to, -1);
				assert_int_equal(part.start, in_kafka);
			}
		}
	}
}

static void a_replay_with_nothing_left_to_fold_is_none(void **state)
{
	struct part part = decide(part_of(100, 100), 0, known(60, 60, -1));

	(void)state;
	assert_int_equal(part.start, 100);
	assert_int_equal(part.replay_to, -1);
	part = decide(part_of(0, 100), 100, known(100, 100, 100));
	assert_int_equal(part.start, 100);
	assert_int_equal(part.replay_to, -1);
}

static void of_a_topic_made_anew_the_tables_tell_and_it_is_read_from_its_start(void **state)
{
	struct part part = decide(part_of(0, 30), 60, known(60, 60, -1));

	(void)state;
	assert_true(part.is_log_new);
	assert_true(part.was_skipped);
	assert_int_equal(part.start, 0);
	assert_int_equal(part.replay_to, -1);
	/* also where the group's offset is one that the new log happens to have */
	part = decide(part_of(0, 30), 20, known(60, 20, -1));
	assert_true(part.was_skipped);
	assert_int_equal(part.start, 0);
	/* where no commit was ever noted */
	part = decide(part_of(0, 30), -1, known(60, -1, -1));
	assert_true(part.was_skipped);
	/* and where it is filled later */
	part = decide(part_of(0, 0), 60, known(60, 60, -1));
	assert_true(part.was_skipped);
	assert_int_equal(part.start, 0);
}

static void a_topic_made_anew_and_longer_by_now_is_a_reset(void **state)
{
	struct part part = decide(part_of(0, 90), -1, known(60, 60, -1));

	(void)state;
	assert_int_equal(part.start, 0);
	assert_int_equal(part.replay_to, 90);
}

static void an_offset_outside_the_log_begins_at_the_logs_start(void **state)
{
	struct part part = decide(part_of(50, 100), 20, known(20, 20, -1));

	(void)state;
	assert_int_equal(part.start, 50);
	assert_int_equal(part.replay_to, -1);
	part = decide(part_of(50, 100), 120, UNKNOWN);
	assert_false(part.was_skipped);
	assert_int_equal(part.start, 50);
	part = decide(part_of(50, 100), 50, UNKNOWN);
	assert_int_equal(part.start, 50);
	part = decide(part_of(50, 100), 100, UNKNOWN);
	assert_int_equal(part.start, 100);
}

static void sync_requests_are_never_replayed(void **state)
{
	struct part part = part_of(0, 100);

	(void)state;
	part.is_requests = true;
	part = decide(part, 0, known(60, 60, -1));
	assert_int_equal(part.start, 0);
	assert_int_equal(part.replay_to, -1);
	/* nor are they missed: the rows in PostgreSQL are what counts */
	part.is_requests = true;
	part = decide(part, 100, known(60, 60, -1));
	assert_int_equal(part.start, 100);
	assert_false(part.was_skipped);
}

/* astubbs/parallel-consumer 826: the highest offset seen was committed while revoked. */
static void what_was_only_delivered_is_never_committed(void **state)
{
	struct part part = {.start = 5, .state = PART_READING};

	(void)state;
	assert_true(ledger_init(&part.ledger, 5));
	for (int64_t offset = 5; offset < 50; offset++) {
		assert_true(ledger_deliver(&part.ledger, offset, 0));
	}
	part.position = 50;
	assert_int_equal(part_committable(&part), 5);
	assert_true(ledger_mark_done(&part.ledger, 49));
	assert_int_equal(part_committable(&part), 5);
	part.state = PART_RELEASED;
	assert_int_equal(part_committable(&part), 5);
	ledger_close(&part.ledger);
}

static void only_a_partition_that_is_read_commits_beyond_its_start(void **state)
{
	struct part part = {.start = 5, .state = PART_READING};

	(void)state;
	assert_true(ledger_init(&part.ledger, 5));
	assert_true(ledger_deliver(&part.ledger, 5, 0));
	assert_true(ledger_deliver(&part.ledger, 6, 0));
	assert_int_equal(part_committable(&part), 5);
	assert_true(ledger_mark_done(&part.ledger, 5));
	assert_int_equal(part_committable(&part), 6);
	for (enum part_state at = 0; at < PART_STATES; at++) {
		part.state = at;
		assert_int_equal(part_committable(&part), at == PART_READING ? 6 : 5);
	}
	ledger_close(&part.ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_fresh_partition_is_read_from_the_logs_start),
	    cmocka_unit_test(what_was_committed_is_where_it_goes_on),
	    cmocka_unit_test(a_crash_between_commit_and_note_is_no_reset),
	    cmocka_unit_test(a_crash_between_save_and_commit_is_no_reset),
	    cmocka_unit_test(a_crash_before_the_first_note_is_no_reset),
	    cmocka_unit_test(a_group_reset_back_is_replayed_up_to_the_high_watermark),
	    cmocka_unit_test(a_group_that_was_deleted_is_a_reset_too),
	    cmocka_unit_test(a_replay_that_a_crash_cut_short_is_resumed),
	    cmocka_unit_test(a_topic_made_anew_during_a_replay_ends_it),
	    cmocka_unit_test(a_group_reset_forward_has_skipped_records),
	    cmocka_unit_test(offsets_set_before_anything_was_done_have_skipped_records),
	    cmocka_unit_test(records_that_retention_took_unread_are_skipped),
	    cmocka_unit_test(no_crash_is_taken_for_a_reset_in_either_direction),
	    cmocka_unit_test(a_replay_with_nothing_left_to_fold_is_none),
	    cmocka_unit_test(of_a_topic_made_anew_the_tables_tell_and_it_is_read_from_its_start),
	    cmocka_unit_test(a_topic_made_anew_and_longer_by_now_is_a_reset),
	    cmocka_unit_test(an_offset_outside_the_log_begins_at_the_logs_start),
	    cmocka_unit_test(sync_requests_are_never_replayed),
	    cmocka_unit_test(what_was_only_delivered_is_never_committed),
	    cmocka_unit_test(only_a_partition_that_is_read_commits_beyond_its_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
