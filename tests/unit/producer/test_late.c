/* test_late.c - which records came late, and so which keys have to be told again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "producer/late.h"

#define USER "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
#define KEY(digit)                                                                                 \
	"{\"user_id\":\"" USER "\",\"id\":\"2222222" digit "-2222-4222-8222-222222222222\"}"

/* A partition that is read: each record at its position. */
struct partition {
	struct late late;
	bool any;
	struct pos newest;
};

static int begin(void **state)
{
	struct partition *partition = calloc(1, sizeof *partition);

	*state = partition;
	if (partition == NULL) {
		return 1;
	}
	late_init(&partition->late, LATE_KEYS_MAX);
	return 0;
}

static int end(void **state)
{
	struct partition *partition = *state;

	late_clear(&partition->late);
	free(partition);
	return 0;
}

static void take(struct partition *partition, const char *key, uint64_t lsn)
{
	struct pos pos = {.epoch = 1, .commit_lsn = lsn, .ordinal = 1};

	late_take(&partition->late, key, strlen(key), &pos,
		  partition->any ? &partition->newest : NULL);
	if (!partition->any || pos_compare(&pos, &partition->newest) > 0) {
		partition->any = true;
		partition->newest = pos;
	}
}

static void records_in_order_are_not_late(void **state)
{
	struct partition *partition = *state;

	take(partition, KEY("1"), 1);
	take(partition, KEY("2"), 2);
	take(partition, KEY("1"), 2); /* the same position twice is no older state */
	assert_int_equal(late_count(&partition->late), 0);
}

static void a_record_behind_a_newer_one_is_late_whatever_its_key(void **state)
{
	struct partition *partition = *state;
	char text[SCOPE_TEXT_SIZE];

	take(partition, KEY("1"), 5);
	take(partition, KEY("2"), 4);
	assert_int_equal(late_count(&partition->late), 1);
	scope_format(&partition->late.keys->scope, text);
	assert_string_equal(text, "key " USER " 22222222-2222-4222-8222-222222222222");
}

static void a_key_that_was_told_since_is_not_late_any_more(void **state)
{
	struct partition *partition = *state;

	take(partition, KEY("1"), 5);
	take(partition, KEY("1"), 3);
	take(partition, KEY("2"), 4);
	take(partition, KEY("1"), 6);
	assert_int_equal(late_count(&partition->late), 1);
	take(partition, KEY("1"), 5);
	assert_int_equal(late_count(&partition->late), 2);
}

static void a_key_with_a_schema_around_it_is_read(void **state)
{
	struct partition *partition = *state;

	take(partition, KEY("1"), 5);
	take(partition, "{\"schema\":{},\"payload\":" KEY("3") "}", 4);
	assert_int_equal(late_count(&partition->late), 1);
}

static void a_record_of_somebody_else_is_nobodys_key(void **state)
{
	struct partition *partition = *state;

	take(partition, KEY("1"), 5);
	take(partition, "", 4);
	take(partition, "{}", 4);
	take(partition, "{\"user_id\":\"x\",\"id\":\"y\"}", 4);
	assert_int_equal(late_count(&partition->late), 0);
}

static void too_many_are_not_kept_one_by_one(void **state)
{
	struct partition *partition = *state;

	take(partition, KEY("1"), 5);
	for (int i = 0; i <= LATE_KEYS_MAX; i++) {
		char key[120];

		snprintf(key, sizeof key,
			 "{\"user_id\":\"" USER "\",\"id\":\"%08x-2222-4222-8222-222222222222\"}",
			 (unsigned)i);
		assert_false(partition->late.overflowed);
		take(partition, key, 4);
	}
	assert_true(partition->late.overflowed);
	assert_int_equal(late_count(&partition->late), LATE_KEYS_MAX);
}

static void what_did_not_fit_is_not_forgotten_when_the_rest_was_told(void **state)
{
	struct partition *partition = *state;

	late_clear(&partition->late);
	late_init(&partition->late, 1);
	assert_true(late_is_empty(&partition->late));
	take(partition, KEY("1"), 5);
	take(partition, KEY("2"), 4);
	take(partition, KEY("3"), 4);
	take(partition, KEY("2"), 6);
	assert_int_equal(late_count(&partition->late), 0);
	assert_false(late_is_empty(&partition->late));
}

static void take_old(struct partition *partition, const char *key, uint32_t epoch, bool is_removal)
{
	struct pos pos = {.epoch = epoch, .commit_lsn = 1, .ordinal = 1};

	late_take_old(&partition->late, key, strlen(key), &pos, is_removal, 2);
}

static void a_key_without_a_record_of_the_epoch_has_vanished_unless_it_was_removed(void **state)
{
	struct partition *partition = *state;

	take_old(partition, KEY("1"), 1, false);
	take_old(partition, KEY("2"), 1, false);
	take_old(partition, KEY("3"), 1, false);
	take_old(partition, KEY("2"), 1, true);
	take_old(partition, KEY("3"), 2, false);
	assert_int_equal(late_count(&partition->late), 1);
	take_old(partition, KEY("1"), 2, false);
	assert_int_equal(late_count(&partition->late), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(records_in_order_are_not_late),
	    TEST(a_record_behind_a_newer_one_is_late_whatever_its_key),
	    TEST(a_key_that_was_told_since_is_not_late_any_more),
	    TEST(a_key_with_a_schema_around_it_is_read),
	    TEST(a_record_of_somebody_else_is_nobodys_key),
	    TEST(a_key_without_a_record_of_the_epoch_has_vanished_unless_it_was_removed),
	    TEST(too_many_are_not_kept_one_by_one),
	    TEST(what_did_not_fit_is_not_forgotten_when_the_rest_was_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
