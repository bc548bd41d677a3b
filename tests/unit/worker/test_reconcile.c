/* test_reconcile.c - a wish, a row and a listed event: what is to be done, and when we ask first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/reconcile.h"

static struct hostmap map;
static struct outlook_event wish;
static const struct outlook_event NO_WISH = {.verdict = OUTLOOK_GONE};

static char event_id[] = "AAMk=";
static char other_id[] = "AAMk-other=";
static char change_key[] = "ck1";
static char old_key[] = "ck0";
static char subject[] = "Acme";
static char old_subject[] = "Acme Ltd";
static char body[OUTLOOK_BODY_MAX_BYTES + 1];
static char categories[200];

static int make_wish(void **state)
{
	struct assignment source = {.client_name = "Acme",
				    .status = "confirmed",
				    .notes = "boots",
				    .start_day = 20780,
				    .end_day = 20784};
	struct change *change = change_new(&source);
	struct fault fault;
	bool ok = change != NULL && hostmap_load(&map, NULL, &fault) &&
		  outlook_event_make(&wish, change, &map, "UTC");

	(void)state;
	free(change);
	if (!ok) {
		return -1;
	}
	snprintf(body, sizeof body, "%s", wish.body);
	snprintf(categories, sizeof categories, "\x1f%s\x1f", wish.look->category);
	return 0;
}

static int close_wish(void **state)
{
	(void)state;
	outlook_event_close(&wish);
	return 0;
}

/* The event exactly as it is wished. */
static struct listed shown(void)
{
	struct listed listed = {.has_assignment = true,
				.id = event_id,
				.change_key = change_key,
				.subject = subject,
				.body = body,
				.is_midnight = true,
				.is_all_day = true,
				.categories = categories};

	snprintf(listed.start, sizeof listed.start, "%s", wish.start);
	snprintf(listed.end, sizeof listed.end, "%s", wish.end);
	snprintf(listed.show_as, sizeof listed.show_as, "%s", wish.look->show_as);
	return listed;
}

/* The row that knows that event as it is. */
static struct row knowing(void)
{
	struct row row = {.state = ROW_SYNCED, .event_id = event_id, .change_key = change_key};

	snprintf(row.hash, sizeof row.hash, "%s", wish.hash);
	return row;
}

static struct row tombstone(void)
{
	return (struct row){.state = ROW_DELETED};
}

static enum finding find(const struct row *row, const struct listed *listed)
{
	return reconcile_wanted(&wish, row, listed);
}

/* ---- an event is wanted ---- */

static void an_event_that_its_row_knows_unchanged_is_right(void **state)
{
	struct listed listed = shown();
	struct row row = knowing();

	(void)state;
	assert_int_equal(find(&row, &listed), FINDING_RIGHT);
}

static void an_event_that_is_not_in_the_mailbox_is_created_whatever_its_row_says(void **state)
{
	struct row row = knowing();
	struct row deleted = tombstone();

	(void)state;
	assert_int_equal(find(NULL, NULL), FINDING_CREATE);
	assert_int_equal(find(&row, NULL), FINDING_CREATE);
	assert_int_equal(find(&deleted, NULL), FINDING_CREATE);
}

static void an_event_that_no_row_knows_is_adopted(void **state)
{
	struct listed listed = shown();
	struct row deleted = tombstone();

	(void)state;
	assert_int_equal(find(NULL, &listed), FINDING_RECORD);
	assert_int_equal(find(&deleted, &listed), FINDING_RECORD);
	listed.subject = old_subject;
	assert_int_equal(find(NULL, &listed), FINDING_UPDATE);
	assert_int_equal(find(&deleted, &listed), FINDING_UPDATE);
}

static void an_event_that_a_person_edited_is_corrected(void **state)
{
	struct listed listed = shown();
	struct row row = knowing();

	(void)state;
	row.change_key = old_key;
	listed.subject = old_subject;
	assert_int_equal(find(&row, &listed), FINDING_UPDATE);
}

static void an_event_that_changed_only_where_we_do_not_look_is_noted(void **state)
{
	struct listed listed = shown();
	struct row row = knowing();

	(void)state;
	row.change_key = old_key;
	assert_int_equal(find(&row, &listed), FINDING_RECORD);
	row.change_key = NULL;
	assert_int_equal(find(&row, &listed), FINDING_RECORD);
}

static void a_wish_that_changed_since_is_sent(void **state)
{
	struct listed listed = shown();
	struct row row = knowing();

	(void)state;
	row.hash[0] ^= 1;
	listed.subject = old_subject;
	assert_int_equal(find(&row, &listed), FINDING_UPDATE);
}

static void a_row_that_knows_another_event_or_failed_is_not_believed(void **state)
{
	struct listed listed = shown();
	struct row row = knowing();

	(void)state;
	row.event_id = other_id;
	assert_int_equal(find(&row, &listed), FINDING_RECORD);
	row = knowing();
	row.event_id = NULL;
	assert_int_equal(find(&row, &listed), FINDING_RECORD);
	row = knowing();
	row.state = ROW_FAILED;
	assert_int_equal(find(&row, &listed), FINDING_RECORD);
	row = knowing();
	row.hash[0] ^= 1;
	assert_int_equal(find(&row, &listed), FINDING_RECORD);
}

static void a_dirty_or_unfinished_row_is_compared_by_content(void **state)
{
	struct listed listed = shown();
	struct row dirty = knowing();
	struct row pending = knowing();

	(void)state;
	dirty.is_dirty = true;
	snprintf(pending.pending_pos, sizeof pending.pending_pos, "%s", CHANGE_POS_FLOOR);
	assert_int_not_equal(find(&dirty, &listed), FINDING_RIGHT);
	assert_int_not_equal(find(&pending, &listed), FINDING_RIGHT);
	listed.subject = old_subject;
	assert_int_equal(find(&dirty, &listed), FINDING_UPDATE);
	assert_int_equal(find(&pending, &listed), FINDING_UPDATE);
}

/* ---- no event is wanted ---- */

static void an_event_that_is_not_wanted_is_removed_whatever_its_row_says(void **state)
{
	struct listed listed = shown();
	struct row row = knowing();
	struct row deleted = tombstone();

	(void)state;
	assert_int_equal(reconcile_wanted(&NO_WISH, &row, &listed), FINDING_REMOVE);
	assert_int_equal(reconcile_wanted(&NO_WISH, &deleted, &listed), FINDING_REMOVE);
	assert_int_equal(reconcile_wanted(&NO_WISH, NULL, &listed), FINDING_REMOVE);
}

static void nothing_wanted_and_nothing_there_is_right(void **state)
{
	struct row deleted = tombstone();

	(void)state;
	assert_int_equal(reconcile_wanted(&NO_WISH, NULL, NULL), FINDING_RIGHT);
	assert_int_equal(reconcile_wanted(&NO_WISH, &deleted, NULL), FINDING_RIGHT);
}

static void a_row_that_still_names_an_event_learns_that_it_is_gone(void **state)
{
	struct row row = knowing();
	struct row dirty = tombstone();
	struct row pending = tombstone();

	(void)state;
	dirty.is_dirty = true;
	snprintf(pending.pending_pos, sizeof pending.pending_pos, "%s", CHANGE_POS_FLOOR);
	assert_int_equal(reconcile_wanted(&NO_WISH, &row, NULL), FINDING_RECORD);
	assert_int_equal(reconcile_wanted(&NO_WISH, &dirty, NULL), FINDING_RECORD);
	assert_int_equal(reconcile_wanted(&NO_WISH, &pending, NULL), FINDING_RECORD);
}

static void every_reason_for_no_event_removes_it(void **state)
{
	struct listed listed = shown();

	(void)state;
	for (enum outlook_verdict verdict = OUTLOOK_GONE; verdict < OUTLOOK_VERDICTS; verdict++) {
		struct outlook_event event = {.verdict = verdict};

		assert_int_equal(reconcile_wanted(&event, NULL, &listed), FINDING_REMOVE);
	}
}

/* ---- which event is an assignment's ---- */

static void the_event_that_the_row_knows_goes_before_the_first_one(void **state)
{
	struct uuid assignment = {{1}};
	struct listed events[4] = {
	    {.has_assignment = false, .assignment = {{1}}, .id = (char[]){"none"}},
	    {.has_assignment = true, .assignment = {{2}}, .id = (char[]){"foreign"}},
	    {.has_assignment = true, .assignment = {{1}}, .id = other_id},
	    {.has_assignment = true, .assignment = {{1}}, .id = event_id}};
	struct listing listing = {.events = events, .count = 4};
	struct row row = knowing();

	(void)state;
	assert_ptr_equal(reconcile_find(&listing, &assignment, &row), &events[3]);
	assert_ptr_equal(reconcile_find(&listing, &assignment, NULL), &events[2]);
	row.event_id = NULL;
	assert_ptr_equal(reconcile_find(&listing, &assignment, &row), &events[2]);
	row.event_id = (char[]){"gone"};
	assert_ptr_equal(reconcile_find(&listing, &assignment, &row), &events[2]);
	assignment.bytes[0] = 3;
	assert_null(reconcile_find(&listing, &assignment, NULL));
}

/* ---- the brake ---- */

static void a_few_orphans_go_without_asking(void **state)
{
	(void)state;
	assert_false(reconcile_needs_word(0, 0));
	assert_false(reconcile_needs_word(1, 1));
	assert_false(reconcile_needs_word(RECONCILE_BRAKE_COUNT, RECONCILE_BRAKE_COUNT));
}

static void more_than_a_share_of_a_calendar_needs_a_persons_word(void **state)
{
	size_t many = RECONCILE_BRAKE_COUNT + 1;

	(void)state;
	assert_true(reconcile_needs_word(many, many));
	assert_true(reconcile_needs_word(many, 2 * many - 1));
	assert_false(reconcile_needs_word(many, 2 * many));
	assert_false(reconcile_needs_word(500, 1000));
	assert_true(reconcile_needs_word(501, 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_event_that_its_row_knows_unchanged_is_right),
	    cmocka_unit_test(an_event_that_is_not_in_the_mailbox_is_created_whatever_its_row_says),
	    cmocka_unit_test(an_event_that_no_row_knows_is_adopted),
	    cmocka_unit_test(an_event_that_a_person_edited_is_corrected),
	    cmocka_unit_test(an_event_that_changed_only_where_we_do_not_look_is_noted),
	    cmocka_unit_test(a_wish_that_changed_since_is_sent),
	    cmocka_unit_test(a_row_that_knows_another_event_or_failed_is_not_believed),
	    cmocka_unit_test(a_dirty_or_unfinished_row_is_compared_by_content),
	    cmocka_unit_test(an_event_that_is_not_wanted_is_removed_whatever_its_row_says),
	    cmocka_unit_test(nothing_wanted_and_nothing_there_is_right),
	    cmocka_unit_test(a_row_that_still_names_an_event_learns_that_it_is_gone),
	    cmocka_unit_test(every_reason_for_no_event_removes_it),
	    cmocka_unit_test(the_event_that_the_row_knows_goes_before_the_first_one),
	    cmocka_unit_test(a_few_orphans_go_without_asking),
	    cmocka_unit_test(more_than_a_share_of_a_calendar_needs_a_persons_word),
	};

	return cmocka_run_group_tests(tests, make_wish, close_wish);
}
