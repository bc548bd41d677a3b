/* test_op.c - every answer that Graph can give to one operation, and what becomes of it. */
#include "tests/unit/worker/ops.h"

/* ---- beginnings ---- */

static void what_is_known_decides_the_first_request(void **state)
{
	struct op op;

	(void)state;
	op = wanted(NULL);
	assert_int_equal(op.request, OP_CREATE);
	assert_string_equal(op.event_id, "");
	op = wanted(ID);
	assert_int_equal(op.request, OP_UPDATE);
	assert_string_equal(op.event_id, ID);
	op = unseen();
	assert_int_equal(op.request, OP_READ);
	op = unwanted(ID);
	assert_int_equal(op.request, OP_DELETE);
	op = unwanted(NULL);
	assert_int_equal(op.request, OP_FIND);
	assert_int_equal(op.end, OP_OPEN);
	assert_int_equal(op.incarnation, 3);
}

static void every_request_has_its_metric_name(void **state)
{
	(void)state;
	assert_string_equal(op_request_name(OP_CREATE), "create");
	assert_string_equal(op_request_name(OP_UPDATE), "update");
	assert_string_equal(op_request_name(OP_DELETE), "delete");
	assert_string_equal(op_request_name(OP_FIND), "find");
	assert_string_equal(op_request_name(OP_READ), "read");
}

static void a_transaction_id_names_connection_assignment_and_incarnation(void **state)
{
	struct uuid a;
	struct uuid b;
	struct uuid id;
	struct uuid again;

	(void)state;
	assert_true(uuid_parse("11111111-1111-4111-8111-111111111111", &a));
	assert_true(uuid_parse("22222222-2222-4222-8222-222222222222", &b));
	id = op_transaction_id(&a, &b, 1);
	again = op_transaction_id(&a, &b, 1);
	assert_int_equal(uuid_compare(&id, &again), 0);
	assert_int_equal(id.bytes[6] >> 4, 5);
	again = op_transaction_id(&a, &b, 2);
	assert_int_not_equal(uuid_compare(&id, &again), 0);
	again = op_transaction_id(&b, &b, 1);
	assert_int_not_equal(uuid_compare(&id, &again), 0);
	again = op_transaction_id(&a, &a, 1);
	assert_int_not_equal(uuid_compare(&id, &again), 0);
}

/* ---- success ---- */

static void a_created_event_is_known_by_its_id_and_change_key(void **state)
{
	struct op op = wanted(NULL);

	(void)state;
	assert_int_equal(give(&op, event_answer(201, ID, "ck1")), OP_GOES_ON);
	assert_int_equal(op.end, OP_SYNCED);
	assert_string_equal(op.event_id, ID);
	assert_string_equal(op.change_key, "ck1");
	assert_int_equal(op.incarnation, 3);
}

/* bad input 45 */
static void an_event_created_without_an_id_is_looked_for(void **state)
{
	struct op op = wanted(NULL);

	(void)state;
	assert_int_equal(give(&op, event_answer(201, "", "")), OP_GOES_ON);
	assert_int_equal(op.end, OP_OPEN);
	assert_int_equal(op.request, OP_FIND);
	assert_int_equal(give(&op, found_answer(1, ID)), OP_GOES_ON);
	assert_int_equal(op.request, OP_UPDATE);
	assert_string_equal(op.event_id, ID);
	assert_true(op.is_unsure);
}

static void an_updated_event_keeps_its_id_and_learns_its_change_key(void **state)
{
	struct op op = wanted(ID);

	(void)state;
	assert_int_equal(give(&op, event_answer(200, "", "ck2")), OP_GOES_ON);
	assert_int_equal(op.end, OP_SYNCED);
	assert_string_equal(op.event_id, ID);
	assert_string_equal(op.change_key, "ck2");
}

static void a_deleted_event_is_removed(void **state)
{
	struct op op = unwanted(ID);

	(void)state;
	assert_int_equal(give(&op, answer_of(204, "")), OP_GOES_ON);
	assert_int_equal(op.end, OP_REMOVED);
}

/* ---- looking ---- */

static void a_removal_that_finds_nothing_is_done(void **state)
{
	struct op op = unwanted(NULL);

	(void)state;
	assert_int_equal(give(&op, found_answer(0, "")), OP_GOES_ON);
	assert_int_equal(op.end, OP_REMOVED);
}

static void a_removal_deletes_what_it_finds(void **state)
{
	struct op op = unwanted(NULL);

	(void)state;
	assert_int_equal(give(&op, found_answer(1, ID)), OP_GOES_ON);
	assert_int_equal(op.end, OP_OPEN);
	assert_int_equal(op.request, OP_DELETE);
	assert_string_equal(op.event_id, ID);
}

static void a_patched_event_that_is_gone_is_looked_for_and_adopted(void **state)
{
	struct op op = wanted(ID);

	(void)state;
	assert_int_equal(give(&op, answer_of(404, "ErrorItemNotFound")), OP_GOES_ON);
	assert_int_equal(op.request, OP_FIND);
	assert_int_equal(give(&op, found_answer(2, OTHER)), OP_GOES_ON);
	assert_int_equal(op.request, OP_UPDATE);
	assert_string_equal(op.event_id, OTHER);
	assert_int_equal(op.incarnation, 3);
}

/* bad input 47 */
static void a_patched_event_that_is_nowhere_is_made_anew_as_the_next_incarnation(void **state)
{
	static const int GONE[] = {404, 410};

	(void)state;
	for (size_t i = 0; i < sizeof GONE / sizeof *GONE; i++) {
		struct op op = wanted(ID);

		assert_int_equal(give(&op, answer_of(GONE[i], "ErrorItemNotFound")), OP_GOES_ON);
		assert_int_equal(give(&op, found_answer(0, "")), OP_GOES_ON);
		assert_int_equal(op.request, OP_CREATE);
		assert_string_equal(op.event_id, "");
		assert_int_equal(op.incarnation, 4);
		assert_int_equal(give(&op, event_answer(201, OTHER, "ck")), OP_GOES_ON);
		assert_int_equal(op.end, OP_SYNCED);
		assert_int_equal(op.incarnation, 4);
	}
}

static void an_event_without_an_id_that_is_not_found_is_made_again_as_the_same(void **state)
{
	struct op op = wanted(NULL);

	(void)state;
	give(&op, event_answer(201, "", ""));
	assert_int_equal(give(&op, found_answer(0, "")), OP_GOES_ON);
	assert_int_equal(op.request, OP_CREATE);
	assert_int_equal(op.incarnation, 3);
}

static void an_event_found_again_and_again_under_an_id_that_is_denied_is_an_error(void **state)
{
	struct op op = wanted(ID);
	int rounds = 0;

	(void)state;
	while (op.end == OP_OPEN && rounds < 100) {
		give(&op, answer_of(404, "ErrorItemNotFound"));
		if (op.end == OP_OPEN) {
			give(&op, found_answer(1, ID));
		}
		rounds++;
	}
	assert_int_equal(op.end, OP_REJECTED);
	assert_int_equal(rounds, OP_TRIES_MAX);
}

static void creations_that_never_say_an_id_and_are_never_found_are_an_error(void **state)
{
	struct op op = wanted(NULL);
	int rounds = 0;

	(void)state;
	while (op.end == OP_OPEN && rounds < 100) {
		give(&op, event_answer(201, "", ""));
		if (op.end == OP_OPEN) {
			give(&op, found_answer(0, ""));
		}
		rounds++;
	}
	assert_int_equal(op.end, OP_REJECTED);
	assert_int_equal(rounds, OP_TRIES_MAX);
}

/* ---- duplicates ---- */

static void a_duplicate_that_names_its_event_is_adopted_and_brought_up_to_date(void **state)
{
	static const int STATUSES[] = {400, 409};

	(void)state;
	for (size_t i = 0; i < sizeof STATUSES / sizeof *STATUSES; i++) {
		struct op op = wanted(NULL);

		assert_int_equal(give(&op, duplicate_answer(STATUSES[i], ID)), OP_GOES_ON);
		assert_int_equal(op.end, OP_OPEN);
		assert_int_equal(op.request, OP_READ);
		assert_string_equal(op.event_id, ID);
		assert_int_equal(op.incarnation, 3);
	}
}

static void a_duplicate_without_a_name_is_looked_for(void **state)
{
	struct op op = wanted(NULL);

	(void)state;
	assert_int_equal(give(&op, duplicate_answer(400, "")), OP_GOES_ON);
	assert_int_equal(op.request, OP_FIND);
	assert_int_equal(give(&op, found_answer(1, ID)), OP_GOES_ON);
	assert_int_equal(op.request, OP_UPDATE);
	assert_string_equal(op.event_id, ID);
}

static void a_duplicate_that_is_nowhere_has_spent_its_transaction_id(void **state)
{
	struct op op = wanted(NULL);

	(void)state;
	give(&op, duplicate_answer(409, ""));
	assert_int_equal(give(&op, found_answer(0, "")), OP_GOES_ON);
	assert_int_equal(op.request, OP_CREATE);
	assert_int_equal(op.incarnation, 4);
}

static void a_duplicate_whose_named_event_is_gone_becomes_the_next_incarnation(void **state)
{
	struct op op = wanted(NULL);

	(void)state;
	give(&op, duplicate_answer(400, ID));
	give(&op, answer_of(404, "ErrorItemNotFound"));
	assert_int_equal(op.request, OP_FIND);
	give(&op, found_answer(0, ""));
	assert_int_equal(op.request, OP_CREATE);
	assert_int_equal(op.incarnation, 4);
}

/* ---- removal ---- */

static void deleting_what_is_gone_is_success(void **state)
{
	struct op op = unwanted(ID);

	(void)state;
	assert_int_equal(give(&op, answer_of(404, "ErrorItemNotFound")), OP_GOES_ON);
	assert_int_equal(op.end, OP_REMOVED);
	op = unwanted(ID);
	assert_int_equal(give(&op, answer_of(410, "")), OP_GOES_ON);
	assert_int_equal(op.end, OP_REMOVED);
}

static void a_mailbox_in_trouble_is_never_an_event_gone(void **state)
{
	static const char *const CODES[] = {"MailboxNotEnabledForRESTAPI",
					    "MailboxNotSupportedForRESTAPI",
					    "ErrorNonExistentMailbox", "ErrorMailboxMoveInProgress",
					    "ErrorMailboxStoreUnavailable"};

	(void)state;
	for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++) {
		for (enum op_request request = 0; request < OP_REQUESTS; request++) {
			struct op op = at_request(request);

			assert_int_equal(give(&op, answer_of(404, CODES[i])), OP_MAILBOX);
			assert_int_equal(op.end, OP_OPEN);
			assert_int_equal(op.request, request);
			assert_false(op.is_unsure);
		}
	}
}

static void a_malformed_id_is_looked_for_by_its_mark(void **state)
{
	struct op op = wanted("bad");

	(void)state;
	assert_int_equal(give(&op, answer_of(400, "ErrorInvalidIdMalformed")), OP_GOES_ON);
	assert_int_equal(op.request, OP_FIND);
	op = unwanted("bad");
	assert_int_equal(give(&op, answer_of(400, "ErrorInvalidIdMalformed")), OP_GOES_ON);
	assert_int_equal(op.request, OP_FIND);
	give(&op, found_answer(1, ID));
	assert_int_equal(op.request, OP_DELETE);
	assert_string_equal(op.event_id, ID);
}

/* ---- scopes ---- */

static void expect_scope(int status, const char *code, enum op_scope scope, bool is_unsure)
{
	for (enum op_request request = 0; request < OP_REQUESTS; request++) {
		struct op op = at_request(request);

		for (int i = 0; i < 3 * OP_TRIES_MAX; i++) {
			assert_int_equal(give(&op, answer_of(status, code)), scope);
		}
		assert_int_equal(op.end, OP_OPEN);
		assert_int_equal(op.request, request);
		assert_int_equal(op.is_unsure,
				 is_unsure && request != OP_FIND && request != OP_READ);
	}
}

static void a_refused_token_is_no_fault_of_the_operation(void **state)
{
	(void)state;
	expect_scope(401, "InvalidAuthenticationToken", OP_AUTH, false);
}

/* bad input 47 */
static void a_forbidden_or_full_mailbox_parks_its_user(void **state)
{
	(void)state;
	expect_scope(403, "ErrorAccessDenied", OP_MAILBOX, false);
	expect_scope(507, "", OP_MAILBOX, false);
	expect_scope(400, "ErrorQuotaExceeded", OP_MAILBOX, false);
}

static void throttling_waits_as_long_as_it_takes_and_is_never_a_dead_letter(void **state)
{
	(void)state;
	expect_scope(429, "ApplicationThrottled", OP_THROTTLED, false);
	expect_scope(429, "UnknownError", OP_THROTTLED, false);
	expect_scope(509, "", OP_THROTTLED, false);
}

static void a_gateway_that_gives_up_may_have_passed_the_request_on(void **state)
{
	(void)state;
	expect_scope(503, "", OP_THROTTLED, true);
	expect_scope(504, "", OP_THROTTLED, true);
}

static void a_lost_answer_or_a_servers_error_is_tried_again_as_long_as_it_takes(void **state)
{
	(void)state;
	expect_scope(0, "", OP_LATER, true);
	expect_scope(302, "", OP_LATER, true);
	expect_scope(408, "", OP_LATER, true);
	expect_scope(500, "ErrorInternalServerError", OP_LATER, true);
	expect_scope(502, "", OP_LATER, true);
}

static void what_was_not_even_tried_leaves_no_doubt(void **state)
{
	(void)state;
	expect_scope(424, "", OP_LATER, false);
}

static void a_lost_creation_is_repeated_with_the_same_transaction_id(void **state)
{
	struct op op = wanted(NULL);

	(void)state;
	assert_int_equal(give(&op, answer_of(0, "")), OP_LATER);
	assert_int_equal(op.request, OP_CREATE);
	assert_int_equal(op.incarnation, 3);
	assert_int_equal(give(&op, event_answer(201, ID, "ck")), OP_GOES_ON);
	assert_int_equal(op.end, OP_SYNCED);
	assert_true(op.is_unsure);
}

/* ---- conflicts and rejections ---- */

static void expect_bounded(struct op op, int status, const char *code)
{
	for (int i = 1; i < OP_TRIES_MAX; i++) {
		assert_int_equal(give(&op, answer_of(status, code)), OP_LATER);
		assert_int_equal(op.end, OP_OPEN);
	}
	assert_int_equal(give(&op, answer_of(status, code)), OP_GOES_ON);
	assert_int_equal(op.end, OP_REJECTED);
	assert_non_null(strstr(op.error, code));
}

static void conflicts_are_tried_again_but_not_for_ever(void **state)
{
	(void)state;
	for (enum op_request request = 0; request < OP_REQUESTS; request++) {
		expect_bounded(at_request(request), 409, "ErrorConcurrentItemSave");
		expect_bounded(at_request(request), 412, "ErrorIrresolvableConflict");
	}
}

static void a_calendar_that_is_not_there_is_tried_again_but_not_for_ever(void **state)
{
	(void)state;
	expect_bounded(wanted(NULL), 404, "ErrorItemNotFound");
	expect_bounded(unwanted(NULL), 404, "ErrorItemNotFound");
}

static void throttling_between_conflicts_does_not_count(void **state)
{
	struct op op = wanted(ID);

	(void)state;
	for (int i = 1; i < OP_TRIES_MAX; i++) {
		assert_int_equal(give(&op, answer_of(409, "")), OP_LATER);
		assert_int_equal(give(&op, answer_of(429, "")), OP_THROTTLED);
		assert_int_equal(give(&op, answer_of(0, "")), OP_LATER);
	}
	assert_int_equal(op.end, OP_OPEN);
	assert_int_equal(give(&op, answer_of(409, "")), OP_GOES_ON);
	assert_int_equal(op.end, OP_REJECTED);
}

static void what_graph_will_never_accept_is_rejected_at_once_and_says_why(void **state)
{
	(void)state;
	for (enum op_request request = 0; request < OP_REQUESTS; request++) {
		struct op op = at_request(request);

		assert_int_equal(give(&op, answer_of(400, "ErrorPropertyValidationFailure")),
				 OP_GOES_ON);
		assert_int_equal(op.end, OP_REJECTED);
		assert_non_null(strstr(op.error, "400"));
		assert_non_null(strstr(op.error, "ErrorPropertyValidationFailure"));
		assert_non_null(strstr(op.error, op_request_name(request)));
	}
}

static void a_malformed_id_of_no_event_of_ours_is_a_rejection(void **state)
{
	struct op op = wanted(NULL);

	(void)state;
	assert_int_equal(give(&op, answer_of(400, "ErrorInvalidIdMalformed")), OP_GOES_ON);
	assert_int_equal(op.end, OP_REJECTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_known_decides_the_first_request),
	    cmocka_unit_test(every_request_has_its_metric_name),
	    cmocka_unit_test(a_transaction_id_names_connection_assignment_and_incarnation),
	    cmocka_unit_test(a_created_event_is_known_by_its_id_and_change_key),
	    cmocka_unit_test(an_event_created_without_an_id_is_looked_for),
	    cmocka_unit_test(an_updated_event_keeps_its_id_and_learns_its_change_key),
	    cmocka_unit_test(a_deleted_event_is_removed),
	    cmocka_unit_test(a_removal_that_finds_nothing_is_done),
	    cmocka_unit_test(a_removal_deletes_what_it_finds),
	    cmocka_unit_test(a_patched_event_that_is_gone_is_looked_for_and_adopted),
	    cmocka_unit_test(a_patched_event_that_is_nowhere_is_made_anew_as_the_next_incarnation),
	    cmocka_unit_test(an_event_without_an_id_that_is_not_found_is_made_again_as_the_same),
	    cmocka_unit_test(an_event_found_again_and_again_under_an_id_that_is_denied_is_an_error),
	    cmocka_unit_test(creations_that_never_say_an_id_and_are_never_found_are_an_error),
	    cmocka_unit_test(a_duplicate_that_names_its_event_is_adopted_and_brought_up_to_date),
	    cmocka_unit_test(a_duplicate_without_a_name_is_looked_for),
	    cmocka_unit_test(a_duplicate_that_is_nowhere_has_spent_its_transaction_id),
	    cmocka_unit_test(a_duplicate_whose_named_event_is_gone_becomes_the_next_incarnation),
	    cmocka_unit_test(deleting_what_is_gone_is_success),
	    cmocka_unit_test(a_mailbox_in_trouble_is_never_an_event_gone),
	    cmocka_unit_test(a_malformed_id_is_looked_for_by_its_mark),
	    cmocka_unit_test(a_refused_token_is_no_fault_of_the_operation),
	    cmocka_unit_test(a_forbidden_or_full_mailbox_parks_its_user),
	    cmocka_unit_test(throttling_waits_as_long_as_it_takes_and_is_never_a_dead_letter),
	    cmocka_unit_test(a_gateway_that_gives_up_may_have_passed_the_request_on),
	    cmocka_unit_test(a_lost_answer_or_a_servers_error_is_tried_again_as_long_as_it_takes),
	    cmocka_unit_test(what_was_not_even_tried_leaves_no_doubt),
	    cmocka_unit_test(a_lost_creation_is_repeated_with_the_same_transaction_id),
	    cmocka_unit_test(conflicts_are_tried_again_but_not_for_ever),
	    cmocka_unit_test(a_calendar_that_is_not_there_is_tried_again_but_not_for_ever),
	    cmocka_unit_test(throttling_between_conflicts_does_not_count),
	    cmocka_unit_test(what_graph_will_never_accept_is_rejected_at_once_and_says_why),
	    cmocka_unit_test(a_malformed_id_of_no_event_of_ours_is_a_rejection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
