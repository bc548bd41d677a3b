/* test_seal.c - sealed text opens only with its key, in its row and column, unaltered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base64.h"
#include "common/seal.h"

#define KEY_A	"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
#define KEY_B	"YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY="
#define RING_A	"a:" KEY_A "\n"
#define RING_BA "# newest first\r\n\nb:" KEY_B "\r\n" RING_A

static const struct seal_place PLACE = {"calendar_connections",
					"6ba7b810-9dad-11d1-80b4-00c04fd430c8", "refresh_token"};

static struct seal_keys *ring(const char *text)
{
	struct fault fault = {0};
	struct seal_keys *keys = seal_keys_new(text, &fault);

	if (keys == NULL) {
		fail_msg("%s", fault.what);
	}
	return keys;
}

/* The sealed form of plain, allocated. */
static char *sealed(const char *text, const char *plain)
{
	struct seal_keys *keys = ring(text);
	struct buf out;
	struct fault fault;
	char *result;

	buf_init(&out, 65536);
	assert_true(seal_close(keys, &PLACE, plain, &out, &fault));
	result = buf_steal(&out);
	seal_keys_free(keys);
	return result;
}

static void assert_opens(const char *text, const char *sealed_text, const char *plain)
{
	struct seal_keys *keys = ring(text);
	struct fault fault;
	struct buf out;

	buf_init(&out, 65536);
	assert_true(seal_open(keys, &PLACE, sealed_text, &out, &fault));
	assert_string_equal(buf_string(&out), plain);
	buf_close(&out);
	seal_keys_free(keys);
}

static void assert_stays_shut(const char *text, const struct seal_place *place,
			      const char *sealed_text)
{
	struct seal_keys *keys = ring(text);
	struct fault fault = {0};
	struct buf out;

	buf_init(&out, 65536);
	assert_false(seal_open(keys, place, sealed_text, &out, &fault));
	assert_int_equal(fault.kind, FAULT_AUTH); /* that user's trouble, not the program's */
	assert_int_equal(out.length, 0);
	buf_close(&out);
	seal_keys_free(keys);
}

static void what_was_sealed_opens(void **state)
{
	static const char *const PLAIN[] = {"", "t", "a token with \xC3\xA4 and ~!"};

	(void)state;
	for (size_t i = 0; i < sizeof PLAIN / sizeof *PLAIN; i++) {
		char *text = sealed(RING_A, PLAIN[i]);

		assert_int_equal(strncmp(text, "v1:a:", 5), 0);
		assert_opens(RING_A, text, PLAIN[i]);
		free(text);
	}
}

static void sealing_twice_gives_two_texts(void **state)
{
	char *one = sealed(RING_A, "token");
	char *two = sealed(RING_A, "token");

	(void)state;
	assert_string_not_equal(one, two);
	assert_null(strstr(one, "token"));
	free(one);
	free(two);
}

static void the_longest_token_passes_and_a_longer_one_is_refused(void **state)
{
	struct seal_keys *keys = ring(RING_A);
	char *plain = malloc(32770);
	struct fault fault = {0};
	struct buf out;
	char *text;

	(void)state;
	memset(plain, 'x', 32769);
	plain[32769] = '\0';
	buf_init(&out, 65536);
	assert_false(seal_close(keys, &PLACE, plain, &out, &fault));
	assert_int_equal(fault.kind, FAULT_INPUT);
	buf_close(&out);
	seal_keys_free(keys);
	plain[32768] = '\0';
	text = sealed(RING_A, plain);
	assert_opens(RING_A, text, plain);
	free(text);
	free(plain);
}

static void after_a_rotation_old_texts_open_and_new_ones_use_the_new_key(void **state)
{
	char *old = sealed(RING_A, "token");
	char *new = sealed(RING_BA, "token");

	(void)state;
	assert_opens(RING_BA, old, "token");
	assert_int_equal(strncmp(new, "v1:b:", 5), 0);
	assert_opens(RING_BA, new, "token");
	assert_stays_shut(RING_A, &PLACE, new);
	free(old);
	free(new);
}

/* What seal_renew makes of sealed text with a keyring, allocated; NULL: it failed. */
static char *renewed(const char *text, const struct seal_place *place, const char *sealed_text,
		     struct fault *fault)
{
	struct seal_keys *keys = ring(text);
	struct buf out;
	char *result = NULL;

	*fault = (struct fault){0};
	buf_init(&out, 65536);
	if (seal_renew(keys, place, sealed_text, &out, fault)) {
		result = buf_steal(&out);
	} else {
		assert_int_equal(out.length, 0);
	}
	buf_close(&out);
	seal_keys_free(keys);
	return result;
}

static void what_is_renewed_is_the_same_under_the_first_key(void **state)
{
	struct fault fault;
	char *old = sealed(RING_A, "token");
	char *new = renewed(RING_BA, &PLACE, old, &fault);
	char *again = renewed(RING_BA, &PLACE, new, &fault);

	(void)state;
	assert_int_equal(strncmp(new, "v1:b:", 5), 0);
	assert_opens("b:" KEY_B, new, "token");
	assert_string_equal(again, new);
	free(old);
	free(new);
	free(again);
}

static void what_does_not_open_is_not_renewed(void **state)
{
	struct seal_place elsewhere = {"calendar_connections", PLACE.row_id, "access_token"};
	char *own = sealed("b:" KEY_A, "token"); /* the first key's name, but not the first key */
	char *unknown = sealed("c:" KEY_A, "token");
	char *old = sealed(RING_A, "token");
	struct fault fault;

	(void)state;
	assert_null(renewed(RING_BA, &PLACE, own, &fault));
	assert_int_equal(fault.kind, FAULT_AUTH);
	assert_null(renewed(RING_BA, &PLACE, unknown, &fault));
	assert_int_equal(fault.kind, FAULT_AUTH);
	assert_null(renewed(RING_BA, &elsewhere, old, &fault));
	assert_int_equal(fault.kind, FAULT_AUTH);
	assert_null(renewed(RING_BA, &PLACE, "", &fault));
	assert_int_equal(fault.kind, FAULT_AUTH);
	free(own);
	free(unknown);
	free(old);
}

static void another_key_of_the_same_name_does_not_open_it(void **state)
{
	char *text = sealed(RING_A, "token");

	(void)state;
	assert_stays_shut("a:" KEY_B, &PLACE, text);
	free(text);
}

static void another_row_table_or_column_does_not_open_it(void **state)
{
	char *text = sealed(RING_A, "token");
	struct seal_place row = PLACE;
	struct seal_place table = PLACE;
	struct seal_place column = PLACE;

	(void)state;
	row.row_id = "6ba7b810-9dad-11d1-80b4-00c04fd430c9";
	table.table = "calendar_connection";
	column.column = "access_token";
	assert_stays_shut(RING_A, &row, text);
	assert_stays_shut(RING_A, &table, text);
	assert_stays_shut(RING_A, &column, text);
	free(text);
}

static void a_change_of_any_single_bit_does_not_open_it(void **state)
{
	char *text = sealed(RING_A, "token");
	struct buf raw;
	struct buf altered;

	(void)state;
	buf_init(&raw, 1000);
	buf_init(&altered, 1000);
	assert_true(base64_decode(&raw, text + 5));
	for (size_t bit = 0; bit < raw.length * 8; bit++) {
		raw.data[bit / 8] = (char)(raw.data[bit / 8] ^ 1 << bit % 8);
		buf_reset(&altered);
		buf_text(&altered, "v1:a:");
		base64_encode(&altered, raw.data, raw.length);
		assert_stays_shut(RING_A, &PLACE, buf_string(&altered));
		raw.data[bit / 8] = (char)(raw.data[bit / 8] ^ 1 << bit % 8);
	}
	buf_close(&raw);
	buf_close(&altered);
	free(text);
}

static void a_text_cut_anywhere_does_not_open(void **state)
{
	char *text = sealed(RING_A, "token");

	(void)state;
	for (size_t length = strlen(text); length > 0; length--) {
		text[length - 1] = '\0';
		assert_stays_shut(RING_A, &PLACE, text);
	}
	free(text);
}

static void what_is_not_sealed_text_does_not_open(void **state)
{
	static const char *const BAD[] = {"plain token", "v1:",	  "v1::",      "v1:a",
					  "v1:a:",	 "v2:a:", "v1:c:AAAA", "v1:a:!!!!"};

	(void)state;
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		assert_stays_shut(RING_A, &PLACE, BAD[i]);
	}
}

/* bad input 53 */
static void an_unusable_keyring_is_refused_and_no_key_is_told(void **state)
{
	static const char *const BAD[] = {
	    "",
	    "\n# only a comment\n",
	    KEY_A,
	    ":" KEY_A,
	    "a:",
	    "a:MDEyMw==",
	    "a:" KEY_A "AAAA",
	    "a: " KEY_A,
	    "a:" KEY_A " ",
	    RING_A RING_A,
	    RING_A "a:" KEY_B,
	    "an-id-that-is-much-too-long-to-be-one:" KEY_A,
	};

	(void)state;
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		struct fault fault = {0};

		assert_null(seal_keys_new(BAD[i], &fault));
		assert_int_equal(fault.kind, FAULT_FATAL);
		assert_non_null(strstr(fault.what, "CALRELAY_TOKEN_KEYS"));
		assert_null(strstr(fault.what, "MDEy"));
	}
}

static void more_than_16_keys_are_refused(void **state)
{
	struct fault fault = {0};
	struct seal_keys *keys;
	struct buf text;

	(void)state;
	buf_init(&text, 4096);
	for (int i = 0; i < 16; i++) {
		buf_format(&text, "k%d:" KEY_A "\n", i);
	}
	keys = seal_keys_new(buf_string(&text), &fault);
	assert_non_null(keys);
	seal_keys_free(keys);
	buf_text(&text, "one-more:" KEY_A);
	assert_null(seal_keys_new(buf_string(&text), &fault));
	assert_int_equal(fault.kind, FAULT_FATAL);
	buf_close(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_sealed_opens),
	    cmocka_unit_test(sealing_twice_gives_two_texts),
	    cmocka_unit_test(the_longest_token_passes_and_a_longer_one_is_refused),
	    cmocka_unit_test(after_a_rotation_old_texts_open_and_new_ones_use_the_new_key),
	    cmocka_unit_test(what_is_renewed_is_the_same_under_the_first_key),
	    cmocka_unit_test(what_does_not_open_is_not_renewed),
	    cmocka_unit_test(another_key_of_the_same_name_does_not_open_it),
	    cmocka_unit_test(another_row_table_or_column_does_not_open_it),
	    cmocka_unit_test(a_change_of_any_single_bit_does_not_open_it),
	    cmocka_unit_test(a_text_cut_anywhere_does_not_open),
	    cmocka_unit_test(what_is_not_sealed_text_does_not_open),
	    cmocka_unit_test(an_unusable_keyring_is_refused_and_no_key_is_told),
	    cmocka_unit_test(more_than_16_keys_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
