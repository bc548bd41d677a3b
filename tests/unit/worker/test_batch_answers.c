/* test_batch_answers.c - every way in which the answer to a $batch can come, good or bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "worker/batch.h"

#define WALL_MS INT64_C(1763985600000) /* 2025-11-24 12:00:00 UTC */

#define ITEMS 4

/* create, update, delete and find are items 1 to 4, each with an answer of old. */
struct asked {
	struct op ops[ITEMS];
	struct batch batch;
};

static void ask(struct asked *asked)
{
	*asked = (struct asked){0};
	for (int i = 0; i < ITEMS; i++) {
		asked->ops[i] = (struct op){.request = (enum op_request)i};
		asked->batch.items[asked->batch.count++] = (struct batch_item){
		    .op = &asked->ops[i], .answer = {.status = 200, .found = 9}};
	}
}

static const struct op_answer *answer_at(const struct asked *asked, int id)
{
	return &asked->batch.items[id - 1].answer;
}

static void read_body(struct asked *asked, const char *body)
{
	ask(asked);
	batch_read(&asked->batch, body, strlen(body), WALL_MS);
}

#define RESPONSES(items) "{\"responses\":[" items "]}"
#define EVENT(id, status, ck)                                                                      \
	"{\"id\":\"" id "\",\"status\":" status ",\"headers\":{},"                                 \
	"\"body\":{\"id\":\"EV" id "\",\"changeKey\":\"" ck "\"}}"
#define DELETED	    "{\"id\":\"3\",\"status\":204,\"body\":null}"
#define FOUND(list) "{\"id\":\"4\",\"status\":200,\"body\":{\"value\":[" list "]}}"
#define ERROR_OF(id, status, error)                                                                \
	"{\"id\":\"" id "\",\"status\":" status ",\"body\":{\"error\":" error "}}"

static void expect_unknown(const struct asked *asked, int id)
{
	const struct op_answer *answer = answer_at(asked, id);

	if (answer->status != 0) {
		fail_msg("item %d has the outcome %d", id, answer->status);
	}
	assert_string_equal(answer->code, "");
	assert_string_equal(answer->event_id, "");
	assert_int_equal(answer->found, 0);
}

static void expect_all_unknown(const char *body)
{
	struct asked asked;

	read_body(&asked, body);
	for (int id = 1; id <= ITEMS; id++) {
		expect_unknown(&asked, id);
		assert_int_equal(answer_at(&asked, id)->retry_after_ms, -1);
	}
}

static void answers_in_any_order_find_their_request(void **state)
{
	struct asked asked;

	(void)state;
	read_body(&asked, RESPONSES(DELETED "," FOUND("{\"id\":\"X\"},{\"id\":\"Y\"}") "," EVENT(
			      "2", "200", "ck2") "," EVENT("1", "201", "ck1")));
	assert_int_equal(answer_at(&asked, 1)->status, 201);
	assert_string_equal(answer_at(&asked, 1)->event_id, "EV1");
	assert_string_equal(answer_at(&asked, 1)->change_key, "ck1");
	assert_int_equal(answer_at(&asked, 1)->retry_after_ms, -1);
	assert_int_equal(answer_at(&asked, 2)->status, 200);
	assert_string_equal(answer_at(&asked, 2)->event_id, "EV2");
	assert_string_equal(answer_at(&asked, 2)->change_key, "ck2");
	assert_int_equal(answer_at(&asked, 3)->status, 204);
	assert_int_equal(answer_at(&asked, 4)->status, 200);
	assert_int_equal(answer_at(&asked, 4)->found, 2);
	assert_string_equal(answer_at(&asked, 4)->event_id, "X");
}

/* bad input 43 */
static void a_missing_answer_is_an_unknown_outcome(void **state)
{
	struct asked asked;

	(void)state;
	read_body(&asked, RESPONSES(DELETED));
	expect_unknown(&asked, 1);
	expect_unknown(&asked, 2);
	assert_int_equal(answer_at(&asked, 3)->status, 204);
	expect_unknown(&asked, 4);
}

/* bad input 43 */
static void an_answer_given_twice_or_thrice_is_an_unknown_outcome(void **state)
{
	struct asked asked;

	(void)state;
	read_body(&asked, RESPONSES(EVENT("1", "201", "a") "," EVENT("1", "201", "b") "," DELETED));
	expect_unknown(&asked, 1);
	assert_int_equal(answer_at(&asked, 3)->status, 204);
	read_body(&asked, RESPONSES(EVENT("1", "201", "a") "," EVENT("1", "201", "a") "," EVENT(
			      "1", "201", "a")));
	expect_unknown(&asked, 1);
}

/* bad input 43 */
static void answers_that_were_never_asked_for_are_ignored(void **state)
{
	static const char *const IDS[] = {"\"0\"",  "\"5\"",  "\"-1\"", "\"21\"",
					  "\"1x\"", "\" 1\"", "\"01\"", "\"+1\"",
					  "\"\"",   "1",      "null",	"{}"};

	(void)state;
	for (size_t i = 0; i < sizeof IDS / sizeof *IDS; i++) {
		char body[200];

		snprintf(body, sizeof body,
			 "{\"responses\":[{\"id\":%s,\"status\":201,\"body\":{\"id\":\"E\"}}]}",
			 IDS[i]);
		expect_all_unknown(body);
	}
	expect_all_unknown("{\"responses\":[{\"status\":201},null,7,\"x\",[]]}");
}

static void a_body_that_is_no_answer_leaves_every_outcome_unknown(void **state)
{
	(void)state;
	expect_all_unknown("");
	expect_all_unknown("<html><body>Service Unavailable</body></html>");
	expect_all_unknown("{\"responses\":[" EVENT("1", "201", "ck")); /* cut short */
	expect_all_unknown(RESPONSES(EVENT("1", "201", "ck")) "<html>");
	expect_all_unknown("{}");
	expect_all_unknown("[]");
	expect_all_unknown("null");
	expect_all_unknown("{\"responses\":{}}");
	expect_all_unknown("{\"Responses\":[" EVENT("1", "201", "ck") "]}");
	expect_all_unknown("{\"error\":{\"code\":\"UnknownError\"}}");
}

static void a_status_that_is_none_is_an_unknown_outcome(void **state)
{
	static const char *const STATUSES[] = {"\"201\"", "null", "0",	"99",	"600",
					       "201.5",	  "-1",	  "{}", "1e400"};

	(void)state;
	for (size_t i = 0; i < sizeof STATUSES / sizeof *STATUSES; i++) {
		char body[200];

		snprintf(body, sizeof body,
			 "{\"responses\":[{\"id\":\"1\",\"status\":%s,\"body\":{\"id\":\"E\"}}]}",
			 STATUSES[i]);
		expect_all_unknown(body);
	}
	expect_all_unknown("{\"responses\":[{\"id\":\"1\",\"body\":{\"id\":\"E\"}}]}");
}

static void a_look_up_that_was_not_answered_by_a_list_is_never_an_empty_one(void **state)
{
	static const char *const BODIES[] = {"null",
					     "{}",
					     "{\"value\":null}",
					     "\"x\"",
					     "{\"value\":{}}",
					     "{\"value\":[{}]}",
					     "{\"value\":[{\"id\":\"\"}]}",
					     "{\"value\":[null]}"};

	(void)state;
	for (size_t i = 0; i < sizeof BODIES / sizeof *BODIES; i++) {
		char body[200];

		snprintf(body, sizeof body,
			 "{\"responses\":[{\"id\":\"4\",\"status\":200,\"body\":%s}]}", BODIES[i]);
		expect_all_unknown(body);
	}
	expect_all_unknown("{\"responses\":[{\"id\":\"4\",\"status\":200}]}");
}

static void a_look_up_answered_by_an_empty_list_found_nothing(void **state)
{
	struct asked asked;

	(void)state;
	read_body(&asked, RESPONSES(FOUND("")));
	assert_int_equal(answer_at(&asked, 4)->status, 200);
	assert_int_equal(answer_at(&asked, 4)->found, 0);
}

static void a_success_without_a_readable_body_is_still_a_success(void **state)
{
	static const char *const BODIES[] = {"null", "\"PGh0bWw+\"", "[]", "{\"id\":5}"};

	(void)state;
	for (size_t i = 0; i < sizeof BODIES / sizeof *BODIES; i++) {
		struct asked asked;
		char body[200];

		snprintf(body, sizeof body,
			 "{\"responses\":[{\"id\":\"1\",\"status\":201,\"body\":%s}]}", BODIES[i]);
		read_body(&asked, body);
		assert_int_equal(answer_at(&asked, 1)->status, 201);
		assert_string_equal(answer_at(&asked, 1)->event_id, "");
	}
}

static void the_innermost_error_code_counts(void **state)
{
	struct asked asked;

	(void)state;
	read_body(
	    &asked,
	    RESPONSES(
		ERROR_OF("1", "400", "{\"code\":\"ErrorPlain\",\"message\":\"m\"}") "," ERROR_OF(
		    "2", "404",
		    "{\"code\":\"ResourceNotFound\",\"innerError\":{\"code\":"
		    "\"Middle\",\"innererror\":{\"code\":\"ErrorDeep\"}}}") "," ERROR_OF("3", "500",
											 "{\"code\""
											 ":\"Kept\""
											 ",\"innerE"
											 "rror\":{"
											 "\"date\":"
											 "1,"
											 "\"code\":"
											 "\"\"}"
											 "}")));
	assert_int_equal(answer_at(&asked, 1)->status, 400);
	assert_string_equal(answer_at(&asked, 1)->code, "ErrorPlain");
	assert_string_equal(answer_at(&asked, 2)->code, "ErrorDeep");
	assert_int_equal(answer_at(&asked, 2)->status, 404);
	assert_string_equal(answer_at(&asked, 3)->code, "Kept");
}

static void an_error_without_words_keeps_its_status(void **state)
{
	struct asked asked;

	(void)state;
	read_body(&asked, RESPONSES("{\"id\":\"1\",\"status\":404},"
				    "{\"id\":\"2\",\"status\":409,\"body\":\"<html>\"}"));
	assert_int_equal(answer_at(&asked, 1)->status, 404);
	assert_string_equal(answer_at(&asked, 1)->code, "");
	assert_int_equal(answer_at(&asked, 2)->status, 409);
	assert_string_equal(answer_at(&asked, 2)->code, "");
}

static void a_duplicate_names_the_event_that_is_there(void **state)
{
	struct asked asked;

	(void)state;
	read_body(&asked, RESPONSES(ERROR_OF("1", "400",
					     "{\"code\":\"ErrorDuplicateTransactionId\","
					     "\"@event.existingEventId\":\"AAMk/old=\"}")));
	assert_string_equal(answer_at(&asked, 1)->code, "ErrorDuplicateTransactionId");
	assert_string_equal(answer_at(&asked, 1)->event_id, "AAMk/old=");
}

static void an_error_never_names_an_event_by_its_body(void **state)
{
	struct asked asked;

	(void)state;
	read_body(&asked, RESPONSES("{\"id\":\"1\",\"status\":500,\"body\":{\"id\":\"EV\"}}"));
	assert_int_equal(answer_at(&asked, 1)->status, 500);
	assert_string_equal(answer_at(&asked, 1)->event_id, "");
}

static void retry_after_stands_in_the_items_own_headers(void **state)
{
	struct asked asked;

	(void)state;
	read_body(&asked,
		  RESPONSES("{\"id\":\"1\",\"status\":429,\"headers\":{\"Retry-After\":\"10\"}},"
			    "{\"id\":\"2\",\"status\":429,\"headers\":{\"retry-after\":\"2.128\"}},"
			    "{\"id\":\"3\",\"status\":503,\"headers\":{\"RETRY-AFTER\":"
			    "\"Mon, 24 Nov 2025 12:00:30 GMT\"}},"
			    "{\"id\":\"4\",\"status\":429,\"headers\":{\"Content-Type\":\"x\"}}"));
	assert_int_equal(answer_at(&asked, 1)->status, 429);
	assert_int_equal(answer_at(&asked, 1)->retry_after_ms, 10000);
	assert_int_equal(answer_at(&asked, 2)->retry_after_ms, 2128);
	assert_int_equal(answer_at(&asked, 3)->retry_after_ms, 30000);
	assert_int_equal(answer_at(&asked, 4)->retry_after_ms, -1);
}

/* bad input 44 */
static void a_retry_after_that_can_not_be_read_is_none(void **state)
{
	static const char *const HEADERS[] = {"null", "[]", "{\"Retry-After\":null}",
					      "{\"Retry-After\":{}}", "{\"Retry-After\":\"soon\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof HEADERS / sizeof *HEADERS; i++) {
		struct asked asked;
		char body[200];

		snprintf(body, sizeof body,
			 "{\"responses\":[{\"id\":\"1\",\"status\":429,\"headers\":%s}]}",
			 HEADERS[i]);
		read_body(&asked, body);
		assert_int_equal(answer_at(&asked, 1)->status, 429);
		assert_int_equal(answer_at(&asked, 1)->retry_after_ms, -1);
	}
}

/* ---- categories ---- */

static struct op_answer read_seen(enum op_request request, const char *item)
{
	static struct hostmap map;
	struct outlook_event event = {.category = "Green category"};
	struct op op = {.request = request, .wants_event = true};
	struct batch batch = {.map = &map, .count = 1};
	struct fault fault;
	char body[8192];

	assert_true(hostmap_load(&map, NULL, &fault));
	batch.items[0] = (struct batch_item){.op = &op, .event = &event, .written = "Once ours"};
	snprintf(body, sizeof body, "{\"responses\":[{\"id\":\"1\",\"status\":200,\"body\":%s}]}",
		 item);
	batch_read(&batch, body, strlen(body), WALL_MS);
	return batch.items[0].answer;
}

static void an_answer_tells_ours_from_the_persons_own(void **state)
{
	static const char RIGHT[] =
	    "{\"id\":\"E\",\"changeKey\":\"ck\",\"categories\":[\"Mine\",\"Green category\"]}";
	struct op_answer answer = read_seen(OP_UPDATE, RIGHT);

	(void)state;
	assert_true(answer.tells_categories);
	assert_true(answer.shows_ours);
	assert_string_equal(answer.theirs, "\x1fMine\x1f");
	answer = read_seen(OP_READ, "{\"id\":\"E\",\"categories\":[\"Once ours\",\"Mine\"]}");
	assert_true(answer.tells_categories);
	assert_false(answer.shows_ours);
	assert_string_equal(answer.theirs, "\x1fMine\x1f");
	answer = read_seen(OP_FIND, "{\"value\":[{\"id\":\"E\",\"categories\":[]}]}");
	assert_true(answer.tells_categories);
	assert_false(answer.shows_ours);
	assert_true(category_list_is_empty(answer.theirs));
}

static void an_answer_without_categories_tells_none(void **state)
{
	struct op_answer answer = read_seen(OP_UPDATE, "{\"id\":\"E\",\"changeKey\":\"ck\"}");

	(void)state;
	assert_int_equal(answer.status, 200);
	assert_false(answer.tells_categories);
	answer = read_seen(OP_READ, "{\"id\":\"E\",\"changeKey\":\"ck\"}");
	assert_int_equal(answer.status, 0); /* a failed read is never an empty result */
}

static void more_categories_than_fit_fill_the_answer(void **state)
{
	char item[4096] = "{\"id\":\"E\",\"categories\":[\"";
	struct op_answer answer;
	size_t length = strlen(item);

	(void)state;
	memset(item + length, 'x', 3000);
	snprintf(item + length + 3000, sizeof item - length - 3000, "\"]}");
	answer = read_seen(OP_READ, item);
	assert_int_equal(strlen(answer.theirs), CATEGORY_LIST_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_in_any_order_find_their_request),
	    cmocka_unit_test(a_missing_answer_is_an_unknown_outcome),
	    cmocka_unit_test(an_answer_tells_ours_from_the_persons_own),
	    cmocka_unit_test(an_answer_without_categories_tells_none),
	    cmocka_unit_test(more_categories_than_fit_fill_the_answer),
	    cmocka_unit_test(an_answer_given_twice_or_thrice_is_an_unknown_outcome),
	    cmocka_unit_test(answers_that_were_never_asked_for_are_ignored),
	    cmocka_unit_test(a_body_that_is_no_answer_leaves_every_outcome_unknown),
	    cmocka_unit_test(a_status_that_is_none_is_an_unknown_outcome),
	    cmocka_unit_test(a_look_up_that_was_not_answered_by_a_list_is_never_an_empty_one),
	    cmocka_unit_test(a_look_up_answered_by_an_empty_list_found_nothing),
	    cmocka_unit_test(a_success_without_a_readable_body_is_still_a_success),
	    cmocka_unit_test(the_innermost_error_code_counts),
	    cmocka_unit_test(an_error_without_words_keeps_its_status),
	    cmocka_unit_test(a_duplicate_names_the_event_that_is_there),
	    cmocka_unit_test(an_error_never_names_an_event_by_its_body),
	    cmocka_unit_test(retry_after_stands_in_the_items_own_headers),
	    cmocka_unit_test(a_retry_after_that_can_not_be_read_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
