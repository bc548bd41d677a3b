/* test_base64.c - RFC 4648 vectors, both alphabets, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base64.h"

/* RFC 4648 section 10: the prefixes of "foobar". */
static const char *const CODED[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};

static void the_vectors_of_the_rfc_hold_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof CODED / sizeof *CODED; i++) {
		struct buf out;

		buf_init(&out, 100);
		base64_encode(&out, "foobar", i);
		assert_string_equal(buf_string(&out), CODED[i]);
		buf_reset(&out);
		assert_true(base64_decode(&out, CODED[i]));
		assert_int_equal(out.length, i);
		assert_memory_equal(out.data, "foobar", i);
		buf_close(&out);
	}
}

static void every_length_of_every_byte_comes_back(void **state)
{
	unsigned char bytes[256];

	(void)state;
	for (int i = 0; i < 256; i++) {
		bytes[i] = (unsigned char)(255 - i);
	}
	for (size_t length = 0; length <= sizeof bytes; length++) {
		struct buf text;
		struct buf back;

		buf_init(&text, 1000);
		buf_init(&back, 1000);
		base64_encode(&text, bytes, length);
		assert_true(base64_decode(&back, buf_string(&text)));
		assert_int_equal(back.length, length);
		assert_memory_equal(back.data, bytes, length);
		buf_reset(&text);
		buf_reset(&back);
		base64url_encode(&text, bytes, length);
		assert_null(strpbrk(buf_string(&text), "+/="));
		assert_true(base64url_decode(&back, buf_string(&text)));
		assert_int_equal(back.length, length);
		assert_memory_equal(back.data, bytes, length);
		buf_close(&text);
		buf_close(&back);
	}
}

static void the_two_alphabets_do_not_mix(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	base64_encode(&out, "\xFB\xFF\xFE", 3);
	assert_string_equal(buf_string(&out), "+//+");
	buf_reset(&out);
	base64url_encode(&out, "\xFB\xFF\xFE", 3);
	assert_string_equal(buf_string(&out), "-__-");
	assert_false(base64_decode(&out, "-__-"));
	assert_false(base64url_decode(&out, "+//+"));
	buf_close(&out);
}

static void what_is_not_strictly_base64_is_refused(void **state)
{
	static const char *const BAD[] = {"Z",	     "Zg",    "Zg=",	  "Zg===",     "=Zg=",
					  "====",    "Z===",  "Zm8=Zm8=", "Zm9v\n",    " Zm9v",
					  "Zm 9v==", "Zm9v!", "Zg==Zg==", "Zm\xC3\xA4"};
	static const char *const BAD_URL[] = {"Z", "Zg==", "Zm8=", "Zm9vZ", "Zm9v\n", "Zm.v"};
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		assert_false(base64_decode(&out, BAD[i]));
	}
	for (size_t i = 0; i < sizeof BAD_URL / sizeof *BAD_URL; i++) {
		assert_false(base64url_decode(&out, BAD_URL[i]));
	}
	assert_int_equal(out.length, 0);
	buf_close(&out);
}

static void decoding_past_the_ceiling_is_refused(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 5);
	assert_false(base64_decode(&out, "Zm9vYmFy"));
	buf_close(&out);
}

static void encoding_appends_behind_what_is_there(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	buf_text(&out, "a+b=");
	base64url_encode(&out, "f", 1);
	assert_string_equal(buf_string(&out), "a+b=Zg");
	buf_close(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_vectors_of_the_rfc_hold_both_ways),
	    cmocka_unit_test(every_length_of_every_byte_comes_back),
	    cmocka_unit_test(the_two_alphabets_do_not_mix),
	    cmocka_unit_test(what_is_not_strictly_base64_is_refused),
	    cmocka_unit_test(decoding_past_the_ceiling_is_refused),
	    cmocka_unit_test(encoding_appends_behind_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
