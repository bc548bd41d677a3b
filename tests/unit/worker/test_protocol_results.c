/* test_protocol_results.c - what a mapping row does about an answer and a result. */
#include "tests/unit/worker/asks.h"

static struct op ended(enum op_end end)
{
	struct op op;

	op_init(&op, end == OP_SYNCED, "AAMk=", 4);
	snprintf(op.change_key, sizeof op.change_key, "ck2");
	op.end = end;
	return op;
}

static struct protocol_input result_of(const struct op *op)
{
	return (struct protocol_input){.kind = PROTOCOL_ENDED,
				       .wants_event = op->end == OP_SYNCED,
				       .hash = op->end == OP_SYNCED ? "new" : NULL,
				       .category = op->end == OP_SYNCED ? "Blue category" : NULL,
				       .pos = POS,
				       .attempt = MINE,
				       .op = op};
}

static struct row mine(void)
{
	struct row row = pending(POS);

	row.is.attempt = MINE;
	return row;
}

static void an_answer_goes_on_with_the_operation_or_ends_it(void **state)
{
	struct op op;
	struct op_answer done = {.status = 200, .retry_after_ms = -1};
	struct op_answer busy = {.status = 429, .retry_after_ms = 9000};
	struct protocol_input input = {.kind = PROTOCOL_ANSWER, .op = &op, .answer = &done};

	(void)state;
	op_init(&op, true, "AAMk=", 1);
	op_see_categories(&op, true, "", "ck1");
	assert_int_equal(ask(NULL, input)->next, PROTOCOL_STORE);
	assert_int_equal(effects.op.end, OP_SYNCED);
	input.answer = &busy;
	assert_int_equal(ask(NULL, input)->next, PROTOCOL_CALL);
	assert_int_equal(effects.scope, OP_THROTTLED);
	assert_false(effects.writes);
}

static void a_result_is_stored_in_the_row_that_still_carries_our_attempt(void **state)
{
	struct row row = mine();
	struct op synced = ended(OP_SYNCED);
	struct op removed = ended(OP_REMOVED);

	(void)state;
	assert_learns(&row, result_of(&synced), POS);
	assert_string_equal(effects.values.hash, "new");
	assert_string_equal(effects.values.change_key, "ck2");
	assert_int_equal(effects.values.incarnation, 4);
	row.is.is_dirty = true;
	assert_learns(&row, result_of(&removed), POS);
	assert_int_equal(effects.values.state, ROW_DELETED);
	assert_null(effects.values.event_id);
	assert_int_equal(effects.values.incarnation, 5);
	assert_true(effects.values.is_dirty);
}

static void a_rejected_operation_leaves_a_failed_row_that_says_why(void **state)
{
	struct row row = mine();
	struct op op = ended(OP_REJECTED);

	(void)state;
	snprintf(op.error, sizeof op.error, "Microsoft answered 400");
	assert_learns(&row, result_of(&op), POS);
	assert_int_equal(effects.values.state, ROW_FAILED);
	assert_string_equal(effects.values.error, "Microsoft answered 400");
}

static void
a_result_of_an_attempt_that_was_overtaken_is_not_stored_and_makes_the_row_dirty(void **state)
{
	struct row other = pending(NEWER);
	struct row later = shown();
	struct op op = ended(OP_SYNCED);

	(void)state;
	ask(&other, result_of(&op));
	assert_int_equal(effects.next, PROTOCOL_AGAIN);
	assert_true(effects.writes && effects.values.is_dirty && effects.begins_quarantine);
	assert_string_equal(effects.values.pending_pos, NEWER);
	later.is.applied_pos = NEWER;
	ask(&later, result_of(&op));
	assert_int_equal(effects.next, PROTOCOL_AGAIN);
	assert_true(effects.values.is_dirty);
	ask(NULL, result_of(&op));
	assert_int_equal(effects.next, PROTOCOL_AGAIN);
	assert_false(effects.writes);
}

static void a_result_whose_write_landed_without_an_answer_is_stored_already(void **state)
{
	struct row row = mine();
	struct op synced = ended(OP_SYNCED);
	struct op removed = ended(OP_REMOVED);
	struct row stored;

	(void)state;
	ask(&row, result_of(&synced));
	stored = (struct row){.is = effects.values};
	assert_nothing(&stored, result_of(&synced));
	stored.is.event_id = "AAMk-other=";
	assert_int_equal(ask(&stored, result_of(&synced))->next, PROTOCOL_AGAIN);
	row = mine();
	ask(&row, result_of(&removed));
	stored = (struct row){.is = effects.values};
	assert_nothing(&stored, result_of(&removed));
}

static void a_result_behind_an_unanswered_request_is_stored_in_a_dirty_row(void **state)
{
	struct row row = mine();
	struct op op = ended(OP_SYNCED);

	(void)state;
	ask(&row, result_of(&op));
	assert_false(effects.values.is_dirty);
	assert_false(effects.begins_quarantine);
	op.is_unsure = true;
	ask(&row, result_of(&op));
	assert_int_equal(effects.next, PROTOCOL_DONE);
	assert_null(effects.values.pending_pos);
	assert_true(effects.values.is_dirty);
	assert_true(effects.begins_quarantine);
}

static void an_event_that_nobody_has_seen_leaves_its_transaction_id_to_the_next(void **state)
{
	struct row row = mine();
	struct op op;

	(void)state;
	row.is.event_id = NULL;
	op_init(&op, false, NULL, 4);
	op.end = OP_REMOVED;
	ask(&row, result_of(&op));
	assert_int_equal(effects.values.state, ROW_DELETED);
	assert_int_equal(effects.values.incarnation, 4);
	snprintf(op.event_id, sizeof op.event_id, "AAMk-found=");
	assert_int_equal(ask(&row, result_of(&op))->values.incarnation, 5);
	op.event_id[0] = '\0';
	op.is_known_gone = true;
	assert_int_equal(ask(&row, result_of(&op))->values.incarnation, 5);
}

static void an_intent_to_make_an_event_anew_forgets_the_one_that_is_gone(void **state)
{
	struct row row = shown();
	struct protocol_input input = {.kind = PROTOCOL_COMPARED,
				       .wants_event = true,
				       .hash = "shown",
				       .attempt = MINE,
				       .respects_deletion = true};
	struct row released;

	(void)state;
	row.is.is_dirty = true;
	row.is_settleable = true;
	ask(&row, input);
	assert_int_equal(effects.next, PROTOCOL_CALL);
	assert_int_equal(effects.op.request, OP_CREATE);
	assert_int_equal(effects.op.incarnation, 5);
	assert_null(effects.values.event_id);
	assert_int_equal(effects.values.incarnation, 5);
	released = (struct row){.is = effects.values};
	released.is.pending_pos = NULL;
	ask(&released, input);
	assert_int_equal(effects.next, PROTOCOL_CALL);
	assert_int_equal(effects.op.incarnation, 5);
}

static void an_intent_is_taken_back_only_where_nothing_can_have_happened(void **state)
{
	struct row row = mine();
	struct row other = pending(POS);
	struct op op = ended(OP_OPEN);
	struct protocol_input input = {.kind = PROTOCOL_RELEASED, .attempt = MINE, .op = &op};

	(void)state;
	ask(&row, input);
	assert_true(effects.writes);
	assert_null(effects.values.pending_pos);
	assert_string_equal(effects.values.applied_pos, OLDER);
	assert_nothing(&other, input);
	op.is_unsure = true;
	assert_nothing(&row, input);
}

static void what_is_left_to_a_sync_is_noted_where_the_log_knew_it_gone(void **state)
{
	struct row row = shown();
	struct protocol_input input = {.kind = PROTOCOL_PARKED, .pos = POS};

	(void)state;
	assert_int_equal(ask(&row, input)->values.state, ROW_DELETED);
	assert_true(effects.writes);
	assert_string_equal(effects.values.event_id, "AAMk=");
	assert_string_equal(effects.values.applied_pos, OLDER);
	assert_nothing(NULL, input);
	row.is.applied_pos = NEWER;
	assert_nothing(&row, input);
	row = shown();
	row.is.event_id = NULL;
	assert_nothing(&row, input);
	row = shown();
	input.wants_event = true;
	assert_nothing(&row, input);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_answer_goes_on_with_the_operation_or_ends_it),
	    cmocka_unit_test(a_result_is_stored_in_the_row_that_still_carries_our_attempt),
	    cmocka_unit_test(a_rejected_operation_leaves_a_failed_row_that_says_why),
	    cmocka_unit_test(
		a_result_of_an_attempt_that_was_overtaken_is_not_stored_and_makes_the_row_dirty),
	    cmocka_unit_test(a_result_whose_write_landed_without_an_answer_is_stored_already),
	    cmocka_unit_test(a_result_behind_an_unanswered_request_is_stored_in_a_dirty_row),
	    cmocka_unit_test(an_event_that_nobody_has_seen_leaves_its_transaction_id_to_the_next),
	    cmocka_unit_test(an_intent_to_make_an_event_anew_forgets_the_one_that_is_gone),
	    cmocka_unit_test(an_intent_is_taken_back_only_where_nothing_can_have_happened),
	    cmocka_unit_test(what_is_left_to_a_sync_is_noted_where_the_log_knew_it_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
