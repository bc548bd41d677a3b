/* test_plan.c - the position guard: what a record asks of the calendar, given its row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "worker/plan.h"

#define OLDER  "00000001:00000000000000AA:00000001"
#define POS    "00000001:00000000000000BB:00000001"
#define NEWER  "00000001:00000000000000CC:00000001"
#define FANOUT POS ":22222222222242228222222222222222"

static char event_id[] = "AAMk=";

static struct outlook_event event_with(const char *hash)
{
	struct outlook_event event = {.verdict = OUTLOOK_EVENT};

	snprintf(event.hash, sizeof event.hash, "%s", hash);
	return event;
}

static const struct outlook_event SHOWN = {.verdict = OUTLOOK_EVENT, .hash = "shown"};
static const struct outlook_event CHANGED = {.verdict = OUTLOOK_EVENT, .hash = "changed"};
static const struct outlook_event GONE = {.verdict = OUTLOOK_GONE};

/* A row whose event shows "shown". */
static struct row row_at(const char *applied, const char *pending)
{
	struct row row = {.state = ROW_SYNCED, .event_id = event_id, .hash = "shown"};

	snprintf(row.applied_pos, sizeof row.applied_pos, "%s", applied);
	snprintf(row.pending_pos, sizeof row.pending_pos, "%s", pending);
	return row;
}

static void an_unknown_assignment_is_created_and_an_unknown_removal_only_noted(void **state)
{
	(void)state;
	assert_int_equal(plan_record(NULL, POS, &CHANGED), PLAN_SEND);
	assert_int_equal(plan_record(NULL, POS, &GONE), PLAN_RECORD);
}

static void a_newer_record_with_other_content_is_sent(void **state)
{
	struct row row = row_at(OLDER, "");

	(void)state;
	assert_int_equal(plan_record(&row, POS, &CHANGED), PLAN_SEND);
}

static void a_newer_record_with_the_same_content_costs_no_call(void **state)
{
	struct row row = row_at(OLDER, "");
	struct outlook_event same = event_with("shown");

	(void)state;
	assert_int_equal(plan_record(&row, POS, &SHOWN), PLAN_RECORD);
	assert_int_equal(plan_record(&row, POS, &same), PLAN_RECORD);
}

static void a_record_older_than_what_is_applied_changes_nothing(void **state)
{
	struct row row = row_at(NEWER, "");

	(void)state;
	assert_int_equal(plan_record(&row, POS, &CHANGED), PLAN_SKIP);
	assert_int_equal(plan_record(&row, POS, &GONE), PLAN_SKIP);
}

static void a_record_older_than_what_is_under_way_changes_nothing(void **state)
{
	struct row row = row_at(OLDER, NEWER);

	(void)state;
	assert_int_equal(plan_record(&row, POS, &CHANGED), PLAN_SKIP);
	row = row_at("", NEWER);
	assert_int_equal(plan_record(&row, POS, &GONE), PLAN_SKIP);
}

static void the_applied_record_itself_changes_nothing(void **state)
{
	struct row row = row_at(POS, "");

	(void)state;
	assert_int_equal(plan_record(&row, POS, &CHANGED), PLAN_SKIP);
}

static void the_record_under_way_is_done_again(void **state)
{
	struct row row = row_at(OLDER, POS);

	(void)state;
	assert_int_equal(plan_record(&row, POS, &SHOWN), PLAN_SEND);
	assert_int_equal(plan_record(&row, POS, &GONE), PLAN_SEND);
}

static void the_applied_record_is_done_again_where_it_is_under_way_again(void **state)
{
	struct row row = row_at(POS, POS);

	(void)state;
	assert_int_equal(plan_record(&row, POS, &SHOWN), PLAN_SEND);
}

static void an_unfinished_intent_or_a_dirty_row_is_never_trusted_by_its_hash(void **state)
{
	struct row row = row_at(OLDER, OLDER);

	(void)state;
	assert_int_equal(plan_record(&row, POS, &SHOWN), PLAN_SEND);
	row = row_at(OLDER, "");
	row.is_dirty = true;
	assert_int_equal(plan_record(&row, POS, &SHOWN), PLAN_SEND);
	row.event_id = NULL;
	assert_int_equal(plan_record(&row, POS, &GONE), PLAN_SEND);
}

static void a_dirty_row_does_not_make_an_old_record_new(void **state)
{
	struct row row = row_at(POS, "");

	(void)state;
	row.is_dirty = true;
	assert_int_equal(plan_record(&row, POS, &CHANGED), PLAN_SKIP);
	assert_int_equal(plan_record(&row, OLDER, &CHANGED), PLAN_SKIP);
}

static void a_failed_or_deleted_row_shows_nothing_whatever_its_hash(void **state)
{
	struct row row = row_at(OLDER, "");

	(void)state;
	row.state = ROW_FAILED;
	assert_int_equal(plan_record(&row, POS, &SHOWN), PLAN_SEND);
	row.state = ROW_DELETED;
	assert_int_equal(plan_record(&row, POS, &SHOWN), PLAN_SEND);
	row.state = ROW_SYNCED;
	row.event_id = NULL;
	assert_int_equal(plan_record(&row, POS, &SHOWN), PLAN_SEND);
}

static void what_is_gone_is_removed_if_there_is_an_event(void **state)
{
	struct row row = row_at(OLDER, "");
	struct outlook_event no_dates = {.verdict = OUTLOOK_DATES_MISSING};

	(void)state;
	assert_int_equal(plan_record(&row, POS, &GONE), PLAN_SEND);
	assert_int_equal(plan_record(&row, POS, &no_dates), PLAN_SEND);
	row.event_id = NULL;
	row.state = ROW_DELETED;
	assert_int_equal(plan_record(&row, POS, &GONE), PLAN_RECORD);
	assert_int_equal(plan_record(&row, POS, &no_dates), PLAN_RECORD);
}

static void a_fan_out_stands_behind_the_row_message_of_its_position(void **state)
{
	struct row row = row_at(POS, "");

	(void)state;
	assert_int_equal(plan_record(&row, FANOUT, &CHANGED), PLAN_SEND);
	row = row_at(FANOUT, "");
	assert_int_equal(plan_record(&row, POS, &CHANGED), PLAN_SKIP);
	assert_int_equal(plan_record(&row, FANOUT, &CHANGED), PLAN_SKIP);
}

static void a_new_epoch_is_newer_whatever_its_log_position(void **state)
{
	struct row row = row_at("00000001:FFFFFFFFFFFFFFFF:FFFFFFFF", "");

	(void)state;
	assert_int_equal(plan_record(&row, "00000002:0000000000000001:00000001", &CHANGED),
			 PLAN_SEND);
}

static void a_row_that_only_the_tables_made_gives_way_to_any_record(void **state)
{
	struct row row = row_at(CHANGE_POS_FLOOR, "");

	(void)state;
	assert_int_equal(plan_record(&row, OLDER, &CHANGED), PLAN_SEND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_unknown_assignment_is_created_and_an_unknown_removal_only_noted),
	    cmocka_unit_test(a_newer_record_with_other_content_is_sent),
	    cmocka_unit_test(a_newer_record_with_the_same_content_costs_no_call),
	    cmocka_unit_test(a_record_older_than_what_is_applied_changes_nothing),
	    cmocka_unit_test(a_record_older_than_what_is_under_way_changes_nothing),
	    cmocka_unit_test(the_applied_record_itself_changes_nothing),
	    cmocka_unit_test(the_record_under_way_is_done_again),
	    cmocka_unit_test(the_applied_record_is_done_again_where_it_is_under_way_again),
	    cmocka_unit_test(an_unfinished_intent_or_a_dirty_row_is_never_trusted_by_its_hash),
	    cmocka_unit_test(a_dirty_row_does_not_make_an_old_record_new),
	    cmocka_unit_test(a_failed_or_deleted_row_shows_nothing_whatever_its_hash),
	    cmocka_unit_test(what_is_gone_is_removed_if_there_is_an_event),
	    cmocka_unit_test(a_fan_out_stands_behind_the_row_message_of_its_position),
	    cmocka_unit_test(a_new_epoch_is_newer_whatever_its_log_position),
	    cmocka_unit_test(a_row_that_only_the_tables_made_gives_way_to_any_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
