/* test_uuid.c - text, order, versions 4 and 5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/uuid.h"

static void text_goes_in_any_case_and_comes_out_in_lower(void **state)
{
	struct uuid uuid;
	char text[UUID_TEXT_SIZE];

	(void)state;
	assert_true(uuid_parse("6BA7B810-9dad-11D1-80b4-00c04FD430c8", &uuid));
	uuid_format(&uuid, text);
	assert_string_equal(text, "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
	assert_int_equal(uuid.bytes[0], 0x6b);
	assert_int_equal(uuid.bytes[15], 0xc8);
}

static void other_texts_are_refused(void **state)
{
	static const char *const BAD[] = {
	    "",
	    "6ba7b810",
	    "6ba7b8109dad11d180b400c04fd430c8",
	    "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}",
	    "6ba7b810-9dad-11d1-80b4-00c04fd430c",
	    "6ba7b810-9dad-11d1-80b4-00c04fd430c8a",
	    "6ba7b810-9dad-11d1-80b4-00c04fd430cg",
	    "6ba7b810x9dad-11d1-80b4-00c04fd430c8",
	    "6ba7b8-109dad-11d1-80b4-00c04fd430c8",
	    " ba7b810-9dad-11d1-80b4-00c04fd430c8",
	    "-ba7b810-9dad-11d1-80b4-00c04fd430c8",
	};
	struct uuid uuid;

	(void)state;
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		assert_false(uuid_parse(BAD[i], &uuid));
	}
}

static void order_is_that_of_the_bytes(void **state)
{
	struct uuid low;
	struct uuid high;

	(void)state;
	assert_true(uuid_parse("7fffffff-ffff-ffff-ffff-ffffffffffff", &low));
	assert_true(uuid_parse("80000000-0000-0000-0000-000000000000", &high));
	assert_true(uuid_compare(&low, &high) < 0);
	assert_true(uuid_compare(&high, &low) > 0);
	assert_int_equal(uuid_compare(&low, &low), 0);
}

static void a_random_one_says_version_4_and_never_comes_twice(void **state)
{
	struct uuid one = uuid_random();
	struct uuid two = uuid_random();

	(void)state;
	assert_int_equal(one.bytes[6] >> 4, 4);
	assert_int_equal(one.bytes[8] >> 6, 2);
	assert_int_not_equal(uuid_compare(&one, &two), 0);
}

/* Vectors of Python's uuid module and RFC 9562 A.4. */
static void a_named_one_is_that_of_every_other_implementation(void **state)
{
	struct uuid dns;
	struct uuid named;
	char text[UUID_TEXT_SIZE];

	(void)state;
	assert_true(uuid_parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8", &dns));
	named = uuid_named(&dns, "www.example.com");
	uuid_format(&named, text);
	assert_string_equal(text, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
	named = uuid_named(&dns, "python.org");
	uuid_format(&named, text);
	assert_string_equal(text, "886313e1-3b8a-5372-9b90-0c9aee199e5d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_goes_in_any_case_and_comes_out_in_lower),
	    cmocka_unit_test(other_texts_are_refused),
	    cmocka_unit_test(order_is_that_of_the_bytes),
	    cmocka_unit_test(a_random_one_says_version_4_and_never_comes_twice),
	    cmocka_unit_test(a_named_one_is_that_of_every_other_implementation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
