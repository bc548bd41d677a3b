/* test_pos.c - positions as text, and that both compare alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/pos.h"

static const char *const ASCENDING[] = {
    "00000000:0000000000000000:00000000",
    "00000001:00000000016b3748:00000000",
    "00000001:00000000016b3748:00000000:00000000000000000000000000000000",
    "00000001:00000000016b3748:00000000:0123456789abcdef0123456789abcdef",
    "00000001:00000000016b3748:00000000:f123456789abcdef0123456789abcdef",
    "00000001:00000000016b3748:00000001",
    "00000001:00000000016b3748:ffffffff",
    "00000001:8000000000000000:00000000",
    "00000001:ffffffffffffffff:00000000",
    "00000002:0000000000000001:00000000",
    "80000000:0000000000000000:00000000",
    "ffffffff:ffffffffffffffff:ffffffff:ffffffffffffffffffffffffffffffff",
};
#define ASCENDING_COUNT (sizeof ASCENDING / sizeof *ASCENDING)

static void what_is_read_is_written_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < ASCENDING_COUNT; i++) {
		struct pos pos;
		char text[POS_TEXT_SIZE];

		assert_true(pos_parse(ASCENDING[i], strlen(ASCENDING[i]), &pos));
		pos_format(&pos, text);
		assert_string_equal(text, ASCENDING[i]);
	}
}

static void the_parts_stand_where_the_format_says(void **state)
{
	const char *text = "00000001:00000000016b3748:0000000a:0123456789abcdef0123456789abcdef";
	struct pos pos;

	(void)state;
	assert_true(pos_parse(text, strlen(text), &pos));
	assert_int_equal(pos.epoch, 1);
	assert_true(pos.commit_lsn == 0x16b3748);
	assert_int_equal(pos.ordinal, 10);
	assert_true(pos.has_id);
	assert_int_equal(pos.id.bytes[0], 0x01);
	assert_int_equal(pos.id.bytes[15], 0xef);
}

static int sign(int number)
{
	return (number > 0) - (number < 0);
}

static void positions_and_their_texts_compare_alike(void **state)
{
	(void)state;
	for (size_t i = 0; i < ASCENDING_COUNT; i++) {
		for (size_t j = 0; j < ASCENDING_COUNT; j++) {
			struct pos a;
			struct pos b;

			assert_true(pos_parse(ASCENDING[i], strlen(ASCENDING[i]), &a));
			assert_true(pos_parse(ASCENDING[j], strlen(ASCENDING[j]), &b));
			assert_int_equal(sign(pos_compare(&a, &b)), (i > j) - (i < j));
			assert_int_equal(sign(strcmp(ASCENDING[i], ASCENDING[j])),
					 (i > j) - (i < j));
		}
	}
}

static void other_texts_are_refused(void **state)
{
	static const char *const BAD[] = {
	    "",
	    "1:2:3",
	    "00000001:00000000016B3748:00000000",
	    "00000001:00000000016b3748:0000000",
	    "00000001:00000000016b3748:000000000",
	    "00000001 00000000016b3748:00000000",
	    "00000001:00000000016b3748 00000000",
	    "+0000001:00000000016b3748:00000000",
	    "0x000001:00000000016b3748:00000000",
	    "00000001:00000000016b3748:0000000g",
	    "00000001:00000000016b3748:00000000:",
	    "00000001:00000000016b3748:00000000-0123456789abcdef0123456789abcdef",
	    "00000001:00000000016b3748:00000000:0123456789abcdef0123456789abcdeg",
	    "00000001:00000000016b3748:00000000:0123456789ABCDEF0123456789ABCDEF",
	};
	struct pos pos;

	(void)state;
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		assert_false(pos_parse(BAD[i], strlen(BAD[i]), &pos));
	}
}

static void the_text_need_not_end_with_a_nul(void **state)
{
	struct pos pos;
	char *text = malloc(34); /* the sanitizer watches its end */

	(void)state;
	memcpy(text, ASCENDING[1], 34);
	assert_true(pos_parse(text, 34, &pos));
	assert_false(pos_parse(text, 33, &pos));
	text[33] = '\0';
	assert_false(pos_parse(text, 34, &pos));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_read_is_written_the_same),
	    cmocka_unit_test(the_parts_stand_where_the_format_says),
	    cmocka_unit_test(positions_and_their_texts_compare_alike),
	    cmocka_unit_test(other_texts_are_refused),
	    cmocka_unit_test(the_text_need_not_end_with_a_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
