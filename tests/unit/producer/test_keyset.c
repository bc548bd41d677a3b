/* test_keyset.c - the next chunk begins right behind the last row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "frames.h"
#include "producer/keyset.h"

static void pass(struct keyset *keyset, const char *last)
{
	struct uuid id;

	assert_true(uuid_parse(last, &id));
	keyset_pass(keyset, &id);
}

static void the_next_id_is_one_more(void **state)
{
	struct keyset keyset;

	(void)state;
	keyset_start(&keyset, "");
	assert_string_equal(keyset.from, "00000000-0000-0000-0000-000000000000");
	pass(&keyset, "00000000-0000-0000-0000-000000000000");
	assert_string_equal(keyset.from, "00000000-0000-0000-0000-000000000001");
	pass(&keyset, "12345678-ffff-ffff-ffff-ffffffffffff");
	assert_string_equal(keyset.from, "12345679-0000-0000-0000-000000000000");
	assert_false(keyset.ended);
}

static void behind_the_last_id_there_is_nothing(void **state)
{
	struct keyset keyset;

	(void)state;
	keyset_start(&keyset, "");
	pass(&keyset, "ffffffff-ffff-ffff-ffff-ffffffffffff");
	assert_true(keyset.ended);
}

static void only_a_uuid_is_an_id(void **state)
{
	struct pgoutput_value null = frame_value(NULL);
	struct pgoutput_value number = frame_value("42");
	struct pgoutput_value good = frame_value("12345678-ffff-ffff-ffff-ffffffffffff");
	struct uuid id;

	(void)state;
	assert_false(keyset_read_id(&null, &id));
	assert_false(keyset_read_id(&number, &id));
	assert_true(keyset_read_id(&good, &id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_next_id_is_one_more),
	    cmocka_unit_test(behind_the_last_id_there_is_nothing),
	    cmocka_unit_test(only_a_uuid_is_an_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
