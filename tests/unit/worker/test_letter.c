/* test_letter.c - a dead letter is read back, or refused with its reason; who may replay it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/letter.h"

#define USER "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
#define ID   "22222222-2222-4222-8222-222222222222"
#define KEY  "{\"user_id\":\"" USER "\",\"id\":\"" ID "\"}"

static const char *const TOPICS[] = {"ami.public.project_assignments",
				     "ami.public.calendar_sync_requests"};

static struct letter_bytes bytes_of(const char *text)
{
	return (struct letter_bytes){text, text != NULL ? strlen(text) : 0};
}

static struct letter_source good(void)
{
	return (struct letter_source){.headers = {[LETTER_TOPIC] = bytes_of(TOPICS[0]),
						  [LETTER_PARTITION] = bytes_of("3"),
						  [LETTER_OFFSET] = bytes_of("41"),
						  [LETTER_STAGE] = bytes_of("graph"),
						  [LETTER_REASON] = bytes_of("Microsoft said no")},
				      .key = bytes_of(KEY)};
}

static struct letter_source with_header(enum letter_header header, const char *text)
{
	struct letter_source source = good();

	source.headers[header] = bytes_of(text);
	return source;
}

static struct letter_source with_key(const char *text)
{
	struct letter_source source = good();

	source.key = bytes_of(text);
	return source;
}

static struct letter letter_of(struct letter_source source)
{
	struct letter letter;
	struct fault fault = {0};

	if (!letter_read(&letter, &source, &fault)) {
		fail_msg("%s", fault.what);
	}
	return letter;
}

static void expect_refused(struct letter_source source, const char *reason)
{
	struct letter letter;
	struct fault fault = {0};

	assert_false(letter_read(&letter, &source, &fault));
	assert_int_equal(fault.kind, FAULT_INPUT);
	assert_string_equal(fault.what, reason);
}

static void a_letter_tells_where_it_came_from_and_whose_it_is(void **state)
{
	struct letter letter = letter_of(good());

	(void)state;
	assert_string_equal(letter.topic, TOPICS[0]);
	assert_int_equal(letter.partition, 3);
	assert_int_equal(letter.offset, 41);
	assert_string_equal(letter.stage, "graph");
	assert_string_equal(letter.reason, "Microsoft said no");
	assert_string_equal(letter.user, USER);
	assert_string_equal(letter.id, ID);
}

static void a_missing_header_is_named(void **state)
{
	(void)state;
	expect_refused(with_header(LETTER_TOPIC, NULL), "no header __connect.errors.topic");
	expect_refused(with_header(LETTER_PARTITION, NULL), "no header __connect.errors.partition");
	expect_refused(with_header(LETTER_OFFSET, NULL), "no header __connect.errors.offset");
	expect_refused(with_header(LETTER_STAGE, NULL), "no header __connect.errors.stage");
	expect_refused(with_header(LETTER_REASON, NULL),
		       "no header __connect.errors.exception.message");
}

static void a_partition_or_offset_that_is_no_number_is_refused(void **state)
{
	static const char *const BAD[] = {"", "x", "-1x", "-2", "1 ", " 1", "0x10", "1.0", "+1"};

	(void)state;
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		expect_refused(with_header(LETTER_PARTITION, BAD[i]),
			       "malformed header __connect.errors.partition");
		expect_refused(with_header(LETTER_OFFSET, BAD[i]),
			       "malformed header __connect.errors.offset");
	}
}

static void a_number_beyond_what_kafka_has_is_refused_and_the_last_one_is_not(void **state)
{
	(void)state;
	assert_int_equal(letter_of(with_header(LETTER_PARTITION, "2147483647")).partition,
			 INT32_MAX);
	expect_refused(with_header(LETTER_PARTITION, "2147483648"),
		       "malformed header __connect.errors.partition");
	expect_refused(with_header(LETTER_PARTITION, "-1"),
		       "malformed header __connect.errors.partition");
	assert_true(letter_of(with_header(LETTER_OFFSET, "9223372036854775807")).offset ==
		    INT64_MAX);
	expect_refused(with_header(LETTER_OFFSET, "9223372036854775808"),
		       "malformed header __connect.errors.offset");
	expect_refused(with_header(LETTER_OFFSET, "99999999999999999999999999999999999999"),
		       "malformed header __connect.errors.offset");
}

static void a_letter_of_a_folded_log_has_no_offset(void **state)
{
	(void)state;
	assert_int_equal(letter_of(with_header(LETTER_OFFSET, "-1")).offset, -1);
}

static void a_topic_that_kafka_could_not_have_is_refused(void **state)
{
	char topic[LETTER_TOPIC_SIZE + 1];

	(void)state;
	memset(topic, 't', sizeof topic);
	topic[LETTER_TOPIC_SIZE] = '\0';
	expect_refused(with_header(LETTER_TOPIC, topic), "malformed header __connect.errors.topic");
	topic[LETTER_TOPIC_SIZE - 1] = '\0';
	assert_string_equal(letter_of(with_header(LETTER_TOPIC, topic)).topic, topic);
	expect_refused(with_header(LETTER_TOPIC, ""), "malformed header __connect.errors.topic");
}

static void a_text_is_cut_and_holds_nothing_that_a_terminal_obeys(void **state)
{
	char reason[1000];
	struct letter letter;

	(void)state;
	assert_string_equal(letter_of(with_header(LETTER_REASON, "a\033[2J\n\tb\xc2\x9b")).reason,
			    "a?[2J??b??");
	memset(reason, 'r', sizeof reason);
	reason[sizeof reason - 1] = '\0';
	letter = letter_of(with_header(LETTER_REASON, reason));
	assert_int_equal(strlen(letter.reason), LETTER_REASON_SIZE - 1);
	letter = letter_of(with_header(LETTER_STAGE, reason));
	assert_int_equal(strlen(letter.stage), sizeof letter.stage - 1);
}

static void a_key_that_nobody_can_read_names_no_user(void **state)
{
	static const char *const BAD[] = {
	    NULL, "", "\xff{", "null", "[1]", "{}", "{\"user_id\":\"you\"}", "{\"user_id\":1}"};

	(void)state;
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		struct letter letter = letter_of(with_key(BAD[i]));

		assert_string_equal(letter.user, "");
		assert_string_equal(letter.id, "");
		assert_int_equal(letter_decide(&letter, TOPICS), LETTER_NOBODYS);
	}
}

static void a_user_is_enough_and_may_stand_beside_a_schema(void **state)
{
	struct letter letter = letter_of(
	    with_key("{\"schema\":{},\"payload\":{\"user_id\":\"" USER "\",\"id\":null}}"));

	(void)state;
	assert_string_equal(letter.user, USER);
	assert_string_equal(letter.id, "");
	assert_int_equal(letter_decide(&letter, TOPICS), LETTER_COMPARES);
}

static void only_letters_of_our_own_topics_are_replayed(void **state)
{
	struct letter letter = letter_of(with_header(LETTER_TOPIC, TOPICS[1]));

	(void)state;
	assert_int_equal(letter_decide(&letter, TOPICS), LETTER_COMPARES);
	letter = letter_of(with_header(LETTER_TOPIC, "ami.public.project_assignments2"));
	assert_int_equal(letter_decide(&letter, TOPICS), LETTER_FOREIGN);
	letter = letter_of(with_header(LETTER_TOPIC, "ami.public.project_assignment"));
	assert_int_equal(letter_decide(&letter, TOPICS), LETTER_FOREIGN);
	letter = letter_of(with_header(LETTER_TOPIC, "payments"));
	assert_int_equal(letter_decide(&letter, TOPICS), LETTER_FOREIGN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_letter_tells_where_it_came_from_and_whose_it_is),
	    cmocka_unit_test(a_missing_header_is_named),
	    cmocka_unit_test(a_partition_or_offset_that_is_no_number_is_refused),
	    cmocka_unit_test(a_number_beyond_what_kafka_has_is_refused_and_the_last_one_is_not),
	    cmocka_unit_test(a_letter_of_a_folded_log_has_no_offset),
	    cmocka_unit_test(a_topic_that_kafka_could_not_have_is_refused),
	    cmocka_unit_test(a_text_is_cut_and_holds_nothing_that_a_terminal_obeys),
	    cmocka_unit_test(a_key_that_nobody_can_read_names_no_user),
	    cmocka_unit_test(a_user_is_enough_and_may_stand_beside_a_schema),
	    cmocka_unit_test(only_letters_of_our_own_topics_are_replayed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
