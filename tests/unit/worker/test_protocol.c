/* test_protocol.c - what a mapping row does about a record and a listing. */
#include "tests/unit/worker/asks.h"

#define FANOUT POS ":22222222222242228222222222222222"

static struct row tombstone(void)
{
	return (struct row){.is = {.state = ROW_DELETED, .incarnation = 5, .applied_pos = OLDER}};
}

static struct protocol_input record(const char *pos, const char *hash)
{
	return (struct protocol_input){.kind = PROTOCOL_RECORD,
				       .wants_event = hash != NULL,
				       .hash = hash,
				       .category = hash != NULL ? "Green category" : NULL,
				       .pos = pos,
				       .attempt = MINE};
}

static struct protocol_input compared(const char *hash, const char *listed_id, bool matches)
{
	return (struct protocol_input){.kind = PROTOCOL_COMPARED,
				       .wants_event = hash != NULL,
				       .hash = hash,
				       .category = hash != NULL ? "Green category" : NULL,
				       .attempt = MINE,
				       .listed_id = listed_id,
				       .listed_theirs = "",
				       .listed_shows_ours = matches,
				       .listed_key = listed_id != NULL ? "ck1" : NULL,
				       .listed_matches = matches};
}

/* An intent at this position, under our attempt, and then this request. */
static void assert_calls(const struct row *row, struct protocol_input input,
			 enum op_request request, const char *pos)
{
	ask(row, input);
	assert_int_equal(effects.next, PROTOCOL_CALL);
	assert_true(effects.writes);
	assert_string_equal(effects.values.pending_pos, pos);
	assert_memory_equal(&effects.values.attempt, &MINE, sizeof MINE);
	assert_int_equal(effects.op.request, request);
}

/* ---- records: the position guard ---- */

static void an_unknown_assignment_is_created_and_an_unknown_removal_only_noted(void **state)
{
	(void)state;
	assert_calls(NULL, record(POS, "changed"), OP_CREATE, POS);
	assert_int_equal(effects.op.incarnation, 1);
	assert_learns(NULL, record(POS, NULL), POS);
	assert_int_equal(effects.values.state, ROW_DELETED);
}

static void a_newer_record_with_other_content_is_sent(void **state)
{
	struct row row = shown();

	(void)state;
	assert_calls(&row, record(POS, "changed"), OP_UPDATE, POS);
	assert_string_equal(effects.op.event_id, "AAMk=");
	assert_string_equal(effects.values.applied_pos, OLDER);
	assert_false(effects.values.is_dirty);
	assert_false(effects.begins_quarantine);
}

static void a_newer_record_with_the_same_content_costs_no_call(void **state)
{
	struct row row = shown();

	(void)state;
	assert_learns(&row, record(POS, "shown"), POS);
	assert_string_equal(effects.values.event_id, "AAMk=");
	assert_int_equal(effects.values.incarnation, 4);
}

static void a_record_that_was_passed_changes_nothing(void **state)
{
	struct row applied = shown();
	struct row under_way = pending(NEWER);

	(void)state;
	assert_nothing(&applied, record(OLDER, "changed"));
	applied.is.applied_pos = NEWER;
	assert_nothing(&applied, record(POS, "changed"));
	assert_nothing(&applied, record(POS, NULL));
	assert_nothing(&under_way, record(POS, "changed"));
}

static void records_of_one_commit_are_told_apart_by_their_place_in_it(void **state)
{
	struct row row = shown();

	(void)state;
	row.is.applied_pos = POS;
	assert_calls(&row, record(FANOUT, "changed"), OP_UPDATE, FANOUT);
	row.is.applied_pos = FANOUT;
	assert_nothing(&row, record(POS, "changed"));
}

static void the_position_under_way_is_done_again_because_we_may_have_died_behind_it(void **state)
{
	struct row row = pending(POS);

	(void)state;
	assert_calls(&row, record(POS, "shown"), OP_UPDATE, POS);
	row.is.applied_pos = POS;
	assert_calls(&row, record(POS, "shown"), OP_UPDATE, POS);
}

static void an_intent_that_finds_an_unfinished_one_makes_the_row_dirty(void **state)
{
	struct row row = pending(POS);

	(void)state;
	assert_calls(&row, record(NEWER, "changed"), OP_UPDATE, NEWER);
	assert_true(effects.values.is_dirty);
	assert_true(effects.begins_quarantine);
}

static void a_dirty_row_is_written_whatever_it_shows_and_stays_dirty(void **state)
{
	struct row row = shown();

	(void)state;
	row.is.is_dirty = true;
	row.is_settleable = true; /* only a listing proves it */
	assert_calls(&row, record(POS, "shown"), OP_UPDATE, POS);
	assert_true(effects.values.is_dirty);
	assert_false(effects.begins_quarantine);
}

static void
a_removal_deletes_the_known_event_and_looks_where_an_intent_may_have_made_one(void **state)
{
	struct row known = shown();
	struct row unknown = pending(POS);
	struct row none = tombstone();

	(void)state;
	assert_calls(&known, record(POS, NULL), OP_DELETE, POS);
	unknown.is.event_id = NULL;
	assert_calls(&unknown, record(NEWER, NULL), OP_FIND, NEWER);
	assert_learns(&none, record(POS, NULL), POS);
	assert_int_equal(effects.values.incarnation, 5);
}

static void a_tombstone_is_created_anew_under_its_next_incarnation(void **state)
{
	struct row row = tombstone();

	(void)state;
	assert_calls(&row, record(POS, "changed"), OP_CREATE, POS);
	assert_int_equal(effects.op.incarnation, 5);
}

static void what_a_sync_has_seen_teaches_a_settled_row_its_position_and_no_more(void **state)
{
	struct row row = shown();
	struct protocol_input seen = record(POS, "as it was");

	(void)state;
	seen.was_synced = true;
	assert_learns(&row, seen, POS);
	assert_string_equal(effects.values.hash, "shown");
	assert_nothing(NULL, seen);
	row.is.applied_pos = NEWER;
	assert_nothing(&row, seen);
	row = shown();
	row.is.state = ROW_FAILED;
	assert_nothing(&row, seen);
	row = shown();
	row.is.is_dirty = true;
	assert_nothing(&row, seen);
	row = pending(OLDER);
	assert_nothing(&row, seen);
}

static void behind_a_record_that_names_no_transaction_nothing_is_taken_for_synced(void **state)
{
	struct row row = shown();
	struct protocol_input unnamed = record(POS, "older");
	struct protocol_input seen = record(NEWER, "newest");

	(void)state;
	unnamed.is_unnamed = true;
	seen.was_synced = true;
	assert_calls(&row, unnamed, OP_UPDATE, POS);
	assert_true(effects.values.is_behind);
	row.is.is_behind = true;
	row.is.applied_pos = POS;
	assert_calls(&row, seen, OP_UPDATE, NEWER);
	assert_true(effects.values.is_behind);
	assert_learns(&row, compared("shown", "AAMk=", true), POS);
	assert_false(effects.values.is_behind);
}

/* ---- a complete listing ---- */

static void an_event_that_its_row_knows_unchanged_is_right(void **state)
{
	struct row row = shown();

	(void)state;
	assert_nothing(&row, compared("shown", "AAMk=", true));
	assert_nothing(&row, compared("shown", "AAMk=", false)); /* nobody touched it since */
}

static void
an_event_that_is_not_in_the_mailbox_is_created_under_an_unspent_incarnation(void **state)
{
	struct row row = shown();
	struct row deleted = tombstone();

	(void)state;
	assert_calls(NULL, compared("x", NULL, false), OP_CREATE, CHANGE_POS_FLOOR);
	assert_int_equal(effects.op.incarnation, 1);
	assert_calls(&row, compared("shown", NULL, false), OP_CREATE, OLDER);
	assert_int_equal(effects.op.incarnation, 5);
	assert_calls(&deleted, compared("x", NULL, false), OP_CREATE, OLDER);
	assert_int_equal(effects.op.incarnation, 5);
}

static void an_event_that_no_row_knows_is_adopted(void **state)
{
	struct row deleted = tombstone();

	(void)state;
	assert_learns(NULL, compared("x", "AAMk=", true), CHANGE_POS_FLOOR);
	assert_string_equal(effects.values.event_id, "AAMk=");
	assert_string_equal(effects.values.change_key, "ck1");
	assert_string_equal(effects.values.hash, "x");
	assert_learns(&deleted, compared("x", "AAMk=", true), OLDER);
	assert_int_equal(effects.values.state, ROW_SYNCED);
	assert_calls(NULL, compared("x", "AAMk=", false), OP_UPDATE, CHANGE_POS_FLOOR);
	assert_string_equal(effects.op.event_id, "AAMk=");
}

static void an_event_that_a_person_edited_is_corrected_or_noted(void **state)
{
	struct row row = shown();

	(void)state;
	row.is.change_key = "ck0";
	assert_calls(&row, compared("shown", "AAMk=", false), OP_UPDATE, OLDER);
	assert_learns(&row, compared("shown", "AAMk=", true), OLDER);
	assert_string_equal(effects.values.change_key, "ck1");
}

static void a_row_that_knows_another_event_or_failed_is_not_believed(void **state)
{
	struct row row = shown();

	(void)state;
	row.is.event_id = "AAMk-other=";
	assert_learns(&row, compared("shown", "AAMk=", true), OLDER);
	row = shown();
	row.is.state = ROW_FAILED;
	assert_learns(&row, compared("shown", "AAMk=", true), OLDER);
	assert_int_equal(effects.values.state, ROW_SYNCED);
	row = shown();
	row.is.hash = "other";
	row.is.change_key = "ck-other";
	assert_learns(&row, compared("shown", "AAMk=", true), OLDER);
}

/* The listing shows neither zone of an all-day event. */
static void an_event_as_we_wrote_it_is_written_again_where_something_else_is_wanted(void **state)
{
	struct row row = shown();

	(void)state;
	assert_calls(&row, compared("in another zone", "AAMk=", true), OP_UPDATE, OLDER);
	row.is.hash = NULL; /* of which we don't know what we wrote */
	assert_learns(&row, compared("in another zone", "AAMk=", true), OLDER);
}

static void an_event_that_is_not_wanted_is_removed_whatever_its_row_says(void **state)
{
	struct row row = shown();
	struct row deleted = tombstone();

	(void)state;
	assert_calls(&row, compared(NULL, "AAMk=", false), OP_DELETE, OLDER);
	assert_calls(&deleted, compared(NULL, "AAMk=", false), OP_DELETE, OLDER);
	assert_calls(NULL, compared(NULL, "AAMk=", false), OP_DELETE, CHANGE_POS_FLOOR);
}

static void nothing_wanted_and_nothing_there_is_right_unless_the_row_names_an_event(void **state)
{
	struct row row = shown();
	struct row deleted = tombstone();

	(void)state;
	assert_nothing(NULL, compared(NULL, NULL, false));
	assert_nothing(&deleted, compared(NULL, NULL, false));
	assert_learns(&row, compared(NULL, NULL, false), OLDER);
	assert_int_equal(effects.values.state, ROW_DELETED);
	assert_null(effects.values.event_id);
	assert_int_equal(effects.values.incarnation, 5);
}

static void a_fold_teaches_its_position_so_that_late_records_stay_old(void **state)
{
	struct row row = shown();
	struct protocol_input fold = compared("shown", "AAMk=", true);

	(void)state;
	fold.pos = POS;
	assert_learns(&row, fold, POS);
	assert_learns(NULL, fold, POS);
	fold.pos = OLDER;
	assert_nothing(&row, fold);
	row.is.applied_pos = NEWER;
	fold = compared("x", "AAMk=", false);
	fold.pos = POS;
	assert_calls(&row, fold, OP_UPDATE, NEWER);
}

static void only_a_listing_behind_the_quarantine_settles_a_dirty_row(void **state)
{
	struct row row = shown();

	(void)state;
	row.is.is_dirty = true;
	assert_learns(&row, compared("shown", "AAMk=", true), OLDER);
	assert_true(effects.values.is_dirty);
	row.is_settleable = true;
	assert_learns(&row, compared("shown", "AAMk=", true), OLDER);
	assert_false(effects.values.is_dirty);
	assert_calls(&row, compared("shown", "AAMk=", false), OP_UPDATE, OLDER);
	assert_false(effects.values.is_dirty);
	row = tombstone();
	row.is.is_dirty = true;
	row.is_settleable = true;
	assert_learns(&row, compared(NULL, NULL, false), OLDER);
	assert_false(effects.values.is_dirty);
}

static void an_unfinished_intent_is_doubted_by_a_listing_too(void **state)
{
	struct row row = pending(POS);

	(void)state;
	row.is_settleable = true; /* of an older doubt */
	row.is.is_dirty = true;
	assert_learns(&row, compared("shown", "AAMk=", true), POS);
	assert_true(effects.values.is_dirty);
	assert_true(effects.begins_quarantine);
	assert_calls(&row, compared("x", "AAMk=", false), OP_UPDATE, POS);
	assert_true(effects.values.is_dirty);
	assert_true(effects.begins_quarantine);
}

/* ---- the person's hand ---- */

static struct protocol_input respecting(struct protocol_input input)
{
	input.respects_deletion = true;
	return input;
}

static void an_event_the_person_deleted_stays_away_where_that_is_respected(void **state)
{
	struct row row = shown();

	(void)state;
	assert_learns(&row, respecting(compared("shown", NULL, false)), OLDER);
	assert_int_equal(effects.values.state, ROW_HIDDEN);
	assert_null(effects.values.event_id);
	row = (struct row){.is = {.state = ROW_HIDDEN, .incarnation = 5, .applied_pos = OLDER}};
	assert_nothing(&row, respecting(compared("changed", NULL, false)));
	assert_learns(&row, respecting(record(POS, "changed")), POS);
	assert_int_equal(effects.values.state, ROW_HIDDEN);
	assert_learns(&row, respecting(record(POS, NULL)), POS);
	assert_int_equal(effects.values.state, ROW_DELETED);
	assert_calls(&row, record(POS, "changed"), OP_CREATE, POS);
	assert_calls(&row, compared("changed", NULL, false), OP_CREATE, OLDER);
	assert_learns(&row, respecting(compared("x", "AAMk=", true)), OLDER);
	assert_int_equal(effects.values.state, ROW_SYNCED);
}

static void only_an_event_that_was_certainly_there_can_have_been_deleted_by_the_person(void **state)
{
	struct row row = shown();

	(void)state;
	assert_true(ask(&row, respecting(record(POS, "x")))->op.respects_deletion);
	assert_false(ask(&row, record(POS, "x"))->op.respects_deletion);
	row.is.is_dirty = true; /* a late removal of ours may have done it */
	assert_false(ask(&row, respecting(record(POS, "x")))->op.respects_deletion);
	assert_calls(&row, respecting(compared("shown", NULL, false)), OP_CREATE, OLDER);
	row = pending(OLDER);
	assert_calls(&row, respecting(compared("shown", NULL, false)), OP_CREATE, OLDER);
	assert_calls(NULL, respecting(compared("x", NULL, false)), OP_CREATE, CHANGE_POS_FLOOR);
}

/* ---- categories ---- */

static struct protocol_input recategorised(void)
{
	struct protocol_input input = record(POS, "changed");

	input.category = "Blue category";
	return input;
}

static void an_update_says_of_categories_what_the_row_knows_it_may(void **state)
{
	struct row row = shown();

	(void)state;
	assert_calls(&row, record(POS, "changed"), OP_UPDATE, POS);
	assert_true(effects.op.keeps_categories);
	assert_calls(&row, recategorised(), OP_UPDATE, POS);
	assert_false(effects.op.keeps_categories);
	assert_string_equal(effects.op.match, "ck1");
	row.is.shares_categories = true;
	assert_calls(&row, record(POS, "changed"), OP_UPDATE, POS);
	assert_true(effects.op.keeps_categories);
	assert_calls(&row, recategorised(), OP_READ, POS);
	row.is.category = NULL;
	row.is.shares_categories = false;
	assert_calls(&row, record(POS, "changed"), OP_READ, POS);
}

static void behind_something_under_way_no_row_knows_what_the_event_carries(void **state)
{
	struct row row = pending(OLDER);

	(void)state;
	assert_calls(&row, record(POS, "changed"), OP_UPDATE, POS);
	assert_false(effects.op.keeps_categories);
	assert_string_equal(effects.op.match, "ck1");
	row.is.change_key = NULL;
	assert_calls(&row, record(POS, "changed"), OP_READ, POS);
}

static void what_a_listing_shows_of_categories_needs_no_reading(void **state)
{
	struct row row = shown();
	struct protocol_input input = compared("x", "AAMk=", false);

	(void)state;
	input.listed_theirs = "\x1fMine\x1f";
	assert_calls(&row, input, OP_UPDATE, OLDER);
	assert_string_equal(effects.op.match, "ck1");
	assert_string_equal(effects.op.theirs, "\x1fMine\x1f");
	input.listed_shows_ours = true;
	assert_calls(&row, input, OP_UPDATE, OLDER);
	assert_true(effects.op.keeps_categories);
}

static void a_row_learns_from_a_listing_that_the_person_has_added_categories(void **state)
{
	struct row row = shown();
	struct protocol_input input = compared("shown", "AAMk=", true);

	(void)state;
	input.listed_key = "ck2";
	input.listed_theirs = "\x1fMine\x1f";
	assert_learns(&row, input, OLDER);
	assert_true(effects.values.shares_categories);
	assert_string_equal(effects.values.category, "Green category");
	row.is.category = NULL; /* of before there was that column */
	assert_learns(&row, compared("shown", "AAMk=", true), OLDER);
	assert_string_equal(effects.values.category, "Green category");
	assert_false(effects.values.shares_categories);
	row.is.category = "Green category";
	assert_nothing(&row, compared("shown", "AAMk=", true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_unknown_assignment_is_created_and_an_unknown_removal_only_noted),
	    cmocka_unit_test(a_newer_record_with_other_content_is_sent),
	    cmocka_unit_test(a_newer_record_with_the_same_content_costs_no_call),
	    cmocka_unit_test(a_record_that_was_passed_changes_nothing),
	    cmocka_unit_test(records_of_one_commit_are_told_apart_by_their_place_in_it),
	    cmocka_unit_test(
		the_position_under_way_is_done_again_because_we_may_have_died_behind_it),
	    cmocka_unit_test(an_intent_that_finds_an_unfinished_one_makes_the_row_dirty),
	    cmocka_unit_test(a_dirty_row_is_written_whatever_it_shows_and_stays_dirty),
	    cmocka_unit_test(
		a_removal_deletes_the_known_event_and_looks_where_an_intent_may_have_made_one),
	    cmocka_unit_test(a_tombstone_is_created_anew_under_its_next_incarnation),
	    cmocka_unit_test(what_a_sync_has_seen_teaches_a_settled_row_its_position_and_no_more),
	    cmocka_unit_test(behind_a_record_that_names_no_transaction_nothing_is_taken_for_synced),
	    cmocka_unit_test(an_event_that_its_row_knows_unchanged_is_right),
	    cmocka_unit_test(
		an_event_that_is_not_in_the_mailbox_is_created_under_an_unspent_incarnation),
	    cmocka_unit_test(an_event_that_no_row_knows_is_adopted),
	    cmocka_unit_test(an_event_that_a_person_edited_is_corrected_or_noted),
	    cmocka_unit_test(a_row_that_knows_another_event_or_failed_is_not_believed),
	    cmocka_unit_test(
		an_event_as_we_wrote_it_is_written_again_where_something_else_is_wanted),
	    cmocka_unit_test(an_event_that_is_not_wanted_is_removed_whatever_its_row_says),
	    cmocka_unit_test(
		nothing_wanted_and_nothing_there_is_right_unless_the_row_names_an_event),
	    cmocka_unit_test(a_fold_teaches_its_position_so_that_late_records_stay_old),
	    cmocka_unit_test(only_a_listing_behind_the_quarantine_settles_a_dirty_row),
	    cmocka_unit_test(an_unfinished_intent_is_doubted_by_a_listing_too),
	    cmocka_unit_test(an_update_says_of_categories_what_the_row_knows_it_may),
	    cmocka_unit_test(behind_something_under_way_no_row_knows_what_the_event_carries),
	    cmocka_unit_test(what_a_listing_shows_of_categories_needs_no_reading),
	    cmocka_unit_test(a_row_learns_from_a_listing_that_the_person_has_added_categories),
	    cmocka_unit_test(an_event_the_person_deleted_stays_away_where_that_is_respected),
	    cmocka_unit_test(
		only_an_event_that_was_certainly_there_can_have_been_deleted_by_the_person),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
