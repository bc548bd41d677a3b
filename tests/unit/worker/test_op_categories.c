/* test_op_categories.c - how an update leaves the person's own categories where they are. */
#include "tests/unit/worker/ops.h"

#define MINE  "\x1fMine\x1f"
#define YOURS "\x1fMine\x1fHolidays\x1f"

static struct op_answer seen_answer(bool shows_ours, const char *theirs, const char *change_key)
{
	struct op_answer answer = event_answer(200, ID, change_key);

	answer.tells_categories = true;
	answer.shows_ours = shows_ours;
	snprintf(answer.theirs, sizeof answer.theirs, "%s", theirs);
	return answer;
}

static void an_update_where_ours_is_there_says_nothing_about_categories(void **state)
{
	struct op op = unseen();

	(void)state;
	op_see_categories(&op, true, MINE, "ck1");
	assert_int_equal(op.request, OP_UPDATE);
	assert_true(op.keeps_categories);
	assert_string_equal(op.match, "");
	assert_int_equal(give(&op, seen_answer(true, MINE, "ck2")), OP_GOES_ON);
	assert_int_equal(op.end, OP_SYNCED);
	assert_true(op.shows_ours);
	assert_true(op.shares_categories);
}

static void an_update_that_changes_ours_holds_only_for_the_event_as_it_was_seen(void **state)
{
	struct op op = unseen();

	(void)state;
	op_see_categories(&op, false, "", "ck1");
	assert_false(op.keeps_categories);
	assert_string_equal(op.match, "ck1");
	assert_string_equal(op.theirs, "");
	assert_int_equal(give(&op, event_answer(200, ID, "ck2")), OP_GOES_ON);
	assert_int_equal(op.end, OP_SYNCED);
	assert_true(op.shows_ours);
	assert_false(op.shares_categories);
}

static void what_has_changed_since_is_read_and_written_with_what_is_there(void **state)
{
	struct op op = unseen();

	(void)state;
	op_see_categories(&op, false, "", "ck1");
	assert_int_equal(give(&op, answer_of(412, "ErrorIrresolvableConflict")), OP_GOES_ON);
	assert_int_equal(op.request, OP_READ);
	assert_false(op.is_unsure);
	assert_int_equal(give(&op, seen_answer(false, YOURS, "ck9")), OP_GOES_ON);
	assert_int_equal(op.request, OP_UPDATE);
	assert_string_equal(op.theirs, YOURS);
	assert_string_equal(op.match, "ck9");
	assert_int_equal(give(&op, seen_answer(true, YOURS, "ck10")), OP_GOES_ON);
	assert_int_equal(op.end, OP_SYNCED);
	assert_string_equal(op.change_key, "ck10");
	assert_true(op.shares_categories);
}

static void an_event_that_changes_all_the_time_is_written_as_it_was_read_last(void **state)
{
	struct op op = unseen();
	int reads = 0;

	(void)state;
	while (op.end == OP_OPEN && op.tries < OP_TRIES_MAX) {
		if (op.request == OP_READ) {
			give(&op, seen_answer(false, MINE, "ck"));
			reads++;
		} else if (op.match[0] != '\0') {
			give(&op, answer_of(412, "ErrorIrresolvableConflict"));
		} else {
			give(&op, seen_answer(true, MINE, "ck2"));
		}
	}
	assert_int_equal(op.end, OP_SYNCED);
	assert_int_equal(reads, OP_MATCHES_MAX + 1);
}

static void ours_that_was_taken_away_by_hand_is_put_back(void **state)
{
	struct op op = wanted(ID);

	(void)state;
	assert_int_equal(give(&op, seen_answer(false, MINE, "ck2")), OP_GOES_ON);
	assert_int_equal(op.end, OP_OPEN);
	assert_int_equal(op.request, OP_UPDATE);
	assert_false(op.keeps_categories);
	assert_string_equal(op.theirs, MINE);
	assert_string_equal(op.match, "ck2");
	assert_int_equal(give(&op, seen_answer(false, MINE, "ck3")), OP_GOES_ON);
	assert_int_equal(op.end, OP_SYNCED); /* Graph insists: no second time */
	assert_false(op.shows_ours);
}

static void more_categories_than_can_be_carried_stay_as_they_are(void **state)
{
	static char many[CATEGORY_LIST_SIZE + 1];
	struct op op = unseen();

	(void)state;
	memset(many, 'x', sizeof many - 1);
	assert_int_equal(give(&op, seen_answer(false, many, "ck2")), OP_GOES_ON);
	assert_int_equal(op.request, OP_UPDATE);
	assert_true(op.keeps_categories);
	assert_int_equal(give(&op, seen_answer(false, many, "ck3")), OP_GOES_ON);
	assert_int_equal(op.end, OP_SYNCED);
	assert_false(op.shows_ours);
}

static void an_event_that_is_gone_when_it_is_read_is_looked_for(void **state)
{
	struct op op = unseen();

	(void)state;
	assert_int_equal(give(&op, answer_of(404, "ErrorItemNotFound")), OP_GOES_ON);
	assert_int_equal(op.request, OP_FIND);
	assert_int_equal(give(&op, found_answer(0, "")), OP_GOES_ON);
	assert_int_equal(op.request, OP_CREATE);
	assert_int_equal(op.incarnation, 4);
}

static void a_read_that_tells_no_categories_is_no_read(void **state)
{
	(void)state;
	for (struct op op = unseen(); op.end == OP_OPEN;) {
		give(&op, event_answer(200, ID, "ck"));
		assert_int_equal(op.request, OP_READ);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_update_where_ours_is_there_says_nothing_about_categories),
	    cmocka_unit_test(an_update_that_changes_ours_holds_only_for_the_event_as_it_was_seen),
	    cmocka_unit_test(what_has_changed_since_is_read_and_written_with_what_is_there),
	    cmocka_unit_test(an_event_that_changes_all_the_time_is_written_as_it_was_read_last),
	    cmocka_unit_test(ours_that_was_taken_away_by_hand_is_put_back),
	    cmocka_unit_test(more_categories_than_can_be_carried_stay_as_they_are),
	    cmocka_unit_test(an_event_that_is_gone_when_it_is_read_is_looked_for),
	    cmocka_unit_test(a_read_that_tells_no_categories_is_no_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
