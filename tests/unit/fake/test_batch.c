/* test_batch.c - which batches Graph takes, and which it refuses whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json.h"
#include "tests/fake/batch.h"

#define HEADERS "\"headers\":{\"content-type\":\"application/json\",\"PREFER\":\"p\"}"

static cJSON *document;

static bool reads(const char *requests, struct batch *batch)
{
	struct problem problem;
	struct fault fault;
	struct buf text;

	buf_init(&text, 65536);
	buf_format(&text, "{\"requests\":[%s]}", requests);
	cJSON_Delete(document);
	document = json_parse(buf_string(&text), text.length, text.length, &fault);
	buf_close(&text);
	assert_non_null(document);
	return batch_read(document, batch, &problem);
}

static int forget(void **state)
{
	(void)state;
	cJSON_Delete(document);
	document = NULL;
	return 0;
}

#define GET(id) "{\"id\":\"" id "\",\"method\":\"GET\",\"url\":\"/me\"}"
#define AFTER(id, on)                                                                              \
	"{\"id\":\"" id "\",\"method\":\"GET\",\"url\":\"/me\",\"dependsOn\":[" on "]}"

static void an_item_is_read_with_its_headers(void **state)
{
	struct batch batch;

	(void)state;
	assert_true(reads("{\"id\":\"1\",\"method\":\"POST\",\"url\":\"/me/events\"," HEADERS
			  ",\"body\":{}}",
			  &batch));
	assert_int_equal(batch.count, 1);
	assert_string_equal(batch.items[0].content_type, "application/json");
	assert_string_equal(batch.items[0].prefer, "p");
	assert_false(batch.is_ordered);
}

static void the_three_shapes_are_taken(void **state)
{
	struct batch batch;

	(void)state;
	assert_true(reads(GET("1") "," GET("2") "," GET("3"), &batch) && !batch.is_ordered);
	assert_true(reads(GET("1") "," AFTER("2", "\"1\"") "," AFTER("3", "\"2\""), &batch));
	assert_true(batch.is_ordered && batch.items[2].depends_on == 1);
	assert_true(reads(GET("1") "," AFTER("2", "\"1\"") "," AFTER("3", "\"1\""), &batch));
	assert_true(batch.is_ordered && batch.items[2].depends_on == 0);
}

static void other_shapes_are_refused(void **state)
{
	struct batch batch;

	(void)state;
	assert_false(reads(GET("1") "," GET("2") "," AFTER("3", "\"1\""), &batch));
	assert_false(reads(GET("1") "," GET("2") "," AFTER("3", "\"1\",\"2\""), &batch));
	assert_false(reads(AFTER("1", "\"1\"") "," GET("2"), &batch));
	assert_false(reads(AFTER("1", "\"2\"") "," GET("2"), &batch));
	assert_false(reads(GET("1") "," AFTER("2", "1"), &batch));
}

static void what_an_item_needs_must_be_there(void **state)
{
	static const char *const WRONG[] = {
	    "",
	    "1",
	    GET(""),
	    "{\"id\":1,\"method\":\"GET\",\"url\":\"/me\"}",
	    "{\"id\":\"1\",\"method\":\"get\",\"url\":\"/me\"}",
	    "{\"id\":\"1\",\"method\":\"GET\"}",
	    "{\"id\":\"1\",\"method\":\"GET\",\"url\":\"https://x/me\"}",
	    GET("a") "," GET("A"),
	    "{\"id\":\"1\",\"method\":\"POST\",\"url\":\"/me/events\"," HEADERS "}",
	    "{\"id\":\"1\",\"method\":\"POST\",\"url\":\"/me/events\",\"body\":{}}",
	    "{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/me\",\"depends_on\":[]}",
	    "{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/me\",\"headers\":{\"Prefer\":1}}",
	    "{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/me\",\"headers\":[\"Prefer\"]}"};

	(void)state;
	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
		struct batch batch;

		assert_false(reads(WRONG[i], &batch));
	}
}

static void twenty_items_are_the_most(void **state)
{
	struct batch batch;
	struct buf text;

	(void)state;
	buf_init(&text, 65536);
	for (int i = 0; i < 20; i++) {
		buf_format(&text, "%s{\"id\":\"%d\",\"method\":\"GET\",\"url\":\"/me\"}",
			   i > 0 ? "," : "", i);
	}
	assert_true(reads(buf_string(&text), &batch));
	buf_text(&text, "," GET("x"));
	assert_false(reads(buf_string(&text), &batch));
	buf_close(&text);
}

static void shuffling_keeps_every_item_once(void **state)
{
	size_t order[BATCH_ITEMS_MAX];
	unsigned seen = 0;

	(void)state;
	batch_shuffle(order, BATCH_ITEMS_MAX);
	for (size_t i = 0; i < BATCH_ITEMS_MAX; i++) {
		seen |= 1u << order[i];
	}
	assert_int_equal(seen, (1u << BATCH_ITEMS_MAX) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_item_is_read_with_its_headers),
	    cmocka_unit_test(the_three_shapes_are_taken),
	    cmocka_unit_test(other_shapes_are_refused),
	    cmocka_unit_test(what_an_item_needs_must_be_there),
	    cmocka_unit_test(twenty_items_are_the_most),
	    cmocka_unit_test(shuffling_keeps_every_item_once),
	};

	return cmocka_run_group_tests(tests, NULL, forget);
}
