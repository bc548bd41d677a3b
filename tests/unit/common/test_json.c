/* test_json.c - JSON that cJSON alone would let through is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json.h"

static cJSON *parse(const char *text, struct fault *fault)
{
	return json_parse(text, strlen(text), 4096, fault);
}

static void assert_refused(const char *bytes, size_t length)
{
	struct fault fault = {0};
	char *copy = malloc(length + 1); /* not NUL-terminated: the sanitizer watches its end */
	char *exact = malloc(length > 0 ? length : 1);
	cJSON *document;

	memcpy(exact, bytes, length);
	document = json_parse(exact, length, 4096, &fault);
	if (document != NULL) {
		memcpy(copy, bytes, length);
		copy[length] = '\0';
		fail_msg("'%s' was accepted", copy);
	}
	assert_int_equal(fault.kind, FAULT_INPUT);
	free(exact);
	free(copy);
}

static void documents_are_read_with_space_around_them(void **state)
{
	struct fault fault;
	cJSON *document = parse(" \n{\"a\":{\"b\":[1,\"x\",null]}}\r\n\t ", &fault);

	(void)state;
	assert_non_null(document);
	assert_non_null(json_array(json_object(document, "a"), "b"));
	cJSON_Delete(document);
	document = parse("12", &fault);
	assert_non_null(document);
	cJSON_Delete(document);
}

static void what_is_not_json_is_refused(void **state)
{
	static const char *const BAD[] = {
	    "",
	    " ",
	    "{",
	    "{\"a\":1",
	    "{\"a\" 1}",
	    "{a:1}",
	    "{'a':1}",
	    "[1,]",
	    "{\"a\":1,}",
	    "nul",
	    "\"abc",
	    "\"\\x\"",
	    "\"\\u12\"",
	    "\"\\uD800\"",
	    "\"\\uDC00\\uD800\"",
	    "{} {}",
	    "{}x",
	    "[1] 2",
	    "\"a\"\"b\"",
	    "\"\\",
	    "<html>",
	    "[1 2]",
	    "\"\\u0000\"",
	    "\"a\\u0000b\"",
	    "{\"\\u0000\":1}",
	    "\"\xFF\"",
	    "\"\xC0\x80\"",
	    "\"\xED\xA0\x80\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		assert_refused(BAD[i], strlen(BAD[i]));
	}
	assert_refused("{}\0", 3);
	assert_refused("\"a\0b\"", 5);
}

static void an_escaped_backslash_before_u0000_is_no_nul(void **state)
{
	struct fault fault;
	cJSON *document = parse("{\"a\":\"\\\\u0000\"}", &fault);

	(void)state;
	assert_string_equal(json_text(document, "a"), "\\u0000");
	cJSON_Delete(document);
}

static void a_document_above_the_ceiling_is_refused(void **state)
{
	struct fault fault;
	cJSON *document = json_parse("[1,2]", 5, 5, &fault);

	(void)state;
	assert_non_null(document);
	cJSON_Delete(document);
	assert_null(json_parse("[1,2]", 5, 4, &fault));
	assert_int_equal(fault.kind, FAULT_INPUT);
}

static void nesting_deeper_than_64_is_refused(void **state)
{
	char text[200];
	struct fault fault;
	cJSON *document;

	(void)state;
	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	document = json_parse(text, 128, 4096, &fault);
	assert_non_null(document);
	cJSON_Delete(document);
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	assert_refused(text, 130);
	memset(text, '[', 200);
	assert_refused(text, 200);
}

static void brackets_inside_texts_do_not_nest(void **state)
{
	char text[200];
	struct fault fault;
	cJSON *document;

	(void)state;
	memset(text, '[', sizeof text);
	text[0] = text[199] = '"';
	document = json_parse(text, 200, 4096, &fault);
	assert_non_null(document);
	cJSON_Delete(document);
}

static void members_are_found_by_exact_name_and_kind(void **state)
{
	struct fault fault;
	cJSON *document = parse("{\"Name\":\"x\",\"list\":[1],\"map\":{},\"yes\":true,\"no\":false,"
				"\"one\":1,\"null\":null,\"text\":\"true\"}",
				&fault);

	(void)state;
	assert_null(json_member(document, "name"));
	assert_string_equal(json_text(document, "Name"), "x");
	assert_null(json_text(document, "one"));
	assert_null(json_text(document, "null"));
	assert_null(json_object(document, "list"));
	assert_null(json_array(document, "map"));
	assert_true(json_is_true(document, "yes"));
	assert_false(json_is_true(document, "no"));
	assert_false(json_is_true(document, "text"));
	assert_false(json_is_true(document, "absent"));
	assert_null(json_member(NULL, "a"));
	assert_null(json_text(json_member(document, "list"), "a"));
	assert_null(json_text(json_member(document, "Name"), "a"));
	cJSON_Delete(document);
}

static void a_payload_is_found_beside_its_schema_and_nowhere_else(void **state)
{
	static const char *const BARE[] = {"{\"payload\":{\"a\":1}}", "{\"a\":1}", "[1]",
					   "{\"schema\":{},\"payload\":{},\"a\":1}",
					   "{\"schema\":null,\"payload\":{\"a\":1}}"};
	static const char WRAPPED[] = "{\"schema\":{},\"payload\":{\"a\":1}}";
	struct fault fault;
	cJSON *document;

	(void)state;
	for (size_t i = 0; i < sizeof BARE / sizeof *BARE; i++) {
		document = json_parse(BARE[i], strlen(BARE[i]), 100, &fault);
		assert_non_null(document);
		assert_ptr_equal(json_payload(document), document);
		cJSON_Delete(document);
	}
	document = json_parse(WRAPPED, strlen(WRAPPED), 100, &fault);
	assert_non_null(json_member(json_payload(document), "a"));
	cJSON_Delete(document);
	assert_null(json_payload(NULL));
}

static void integers_are_whole_and_exact(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t number;
	} CASES[] = {
	    {"{\"n\":0}", true, 0},	 {"{\"n\":-17}", true, -17},
	    {"{\"n\":1e3}", true, 1000}, {"{\"n\":9007199254740992}", true, 9007199254740992},
	    {"{\"n\":1.5}", false, 0},	 {"{\"n\":9007199254740994}", false, 0},
	    {"{\"n\":1e999}", false, 0}, {"{\"n\":\"1\"}", false, 0},
	    {"{\"m\":1}", false, 0},
	};
	struct fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		cJSON *document = parse(CASES[i].text, &fault);
		int64_t number = 0;

		assert_int_equal(json_integer(document, "n", &number), CASES[i].ok);
		assert_true(number == CASES[i].number);
		cJSON_Delete(document);
	}
}

/* ---- the arena ---- */

static void an_arenas_document_reads_the_same_and_gives_way_to_the_next(void **state)
{
	struct json_arena arena = {0};
	struct fault fault;
	int64_t number;

	(void)state;
	for (int64_t i = 0; i < 3000; i++) {
		char text[64];
		const cJSON *document;

		snprintf(text, sizeof text, "{\"n\":%d,\"t\":\"x\",\"a\":[1,2]}", (int)i);
		document = json_parse_in(&arena, text, strlen(text), 4096, &fault);
		assert_non_null(document);
		assert_true(json_integer(document, "n", &number));
		assert_int_equal(number, i);
		assert_string_equal(json_text(document, "t"), "x");
		assert_null(json_parse_in(&arena, text, strlen(text) - 1, 4096, &fault));
	}
	json_arena_close(&arena);
}

static void a_document_too_large_for_the_arena_is_read_beside_it(void **state)
{
	struct json_arena arena = {0};
	struct fault fault;
	size_t count = 100000;
	size_t length = 0;
	char *text = malloc(2 * count + 2);

	(void)state;
	assert_non_null(text);
	text[length++] = '[';
	for (size_t i = 0; i < count; i++) {
		text[length++] = '1';
		text[length++] = i + 1 < count ? ',' : ']';
	}
	for (int i = 0; i < 2; i++) {
		const cJSON *document = json_parse_in(&arena, text, length, length, &fault);

		assert_int_equal(cJSON_GetArraySize(document), count);
		assert_null(json_parse_in(&arena, text, length - 1, length, &fault));
		assert_non_null(json_parse_in(&arena, "[]", 2, 2, &fault));
	}
	json_arena_close(&arena);
	free(text);
}

static void what_is_allocated_while_no_arena_is_in_use_is_freed_as_ever(void **state)
{
	struct json_arena arena = {0};
	struct fault fault;
	cJSON *before = parse("{\"n\":1}", &fault);

	(void)state;
	assert_non_null(json_parse_in(&arena, "{}", 2, 2, &fault));
	cJSON_Delete(before);
	before = parse("{\"n\":2}", &fault);
	assert_non_null(before);
	json_arena_close(&arena);
	cJSON_Delete(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(documents_are_read_with_space_around_them),
	    cmocka_unit_test(what_is_not_json_is_refused),
	    cmocka_unit_test(an_escaped_backslash_before_u0000_is_no_nul),
	    cmocka_unit_test(a_document_above_the_ceiling_is_refused),
	    cmocka_unit_test(nesting_deeper_than_64_is_refused),
	    cmocka_unit_test(brackets_inside_texts_do_not_nest),
	    cmocka_unit_test(members_are_found_by_exact_name_and_kind),
	    cmocka_unit_test(a_payload_is_found_beside_its_schema_and_nowhere_else),
	    cmocka_unit_test(integers_are_whole_and_exact),
	    cmocka_unit_test(an_arenas_document_reads_the_same_and_gives_way_to_the_next),
	    cmocka_unit_test(a_document_too_large_for_the_arena_is_read_beside_it),
	    cmocka_unit_test(what_is_allocated_while_no_arena_is_in_use_is_freed_as_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
