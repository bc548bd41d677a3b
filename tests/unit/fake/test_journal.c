/* test_journal.c - the ring remembers the newest, readers lose nothing between two looks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json.h"
#include "tests/fake/journal.h"

static struct journal journal;
static int64_t next;

static int end(void **state)
{
	(void)state;
	journal_clear(&journal);
	return 0;
}

static void add(const char *account, int status)
{
	struct journal_record record = {.account = account,
					.kind = KIND_CREATE,
					.method = "POST",
					.path = (char[]){"/me/events"},
					.status = status};

	journal_add(&journal, &record);
}

/* How many records there are from since on, and where the next look begins. */
static int count(uint64_t since, const char *account)
{
	struct fault fault;
	struct buf out;
	cJSON *document;
	int size;

	buf_init(&out, 64u << 20);
	journal_write(&journal, since, account, &out);
	document = json_parse(buf_string(&out), out.length, out.length, &fault);
	assert_non_null(document);
	size = cJSON_GetArraySize(json_array(document, "requests"));
	assert_true(json_integer(document, "next", &next));
	cJSON_Delete(document);
	buf_close(&out);
	return size;
}

static void each_record_is_read_once(void **state)
{
	(void)state;
	assert_int_equal(count(0, NULL), 0);
	add("a", 201);
	add("b", 201);
	assert_int_equal(count((uint64_t)next, NULL), 2);
	assert_int_equal(count((uint64_t)next, NULL), 0);
	add("a", 429);
	assert_int_equal(count((uint64_t)next, "A"), 1);
	assert_int_equal(count(0, "b"), 1);
}

static void beyond_the_end_next_is_where_the_end_is(void **state)
{
	(void)state;
	add("a", 201);
	assert_int_equal(count(UINT64_C(1) << 52, NULL), 0);
	add("a", 201);
	assert_int_equal(count((uint64_t)next, NULL), 1);
}

static void clearing_does_not_hide_what_comes_after(void **state)
{
	(void)state;
	add("a", 201);
	count(0, NULL);
	journal_clear(&journal);
	assert_int_equal(count(0, NULL), 0);
	add("a", 201);
	assert_int_equal(count((uint64_t)next, NULL), 1);
	assert_int_equal(journal.counts[KIND_CREATE][201], 1);
}

static void the_ring_forgets_the_oldest(void **state)
{
	uint64_t first = journal.last_seq + 1;

	(void)state;
	for (int i = 0; i < JOURNAL_MAX + 10; i++) {
		add(i < 10 ? "old" : "new", 201);
	}
	assert_int_equal(count(first, "old"), 0);
	assert_int_equal(count(first, "new"), JOURNAL_PAGE_MAX);
	assert_int_equal(count((uint64_t)next, "new"), JOURNAL_MAX - JOURNAL_PAGE_MAX);
	journal_mark_lost(&journal, first);
	journal_mark_lost(&journal, 0);
	assert_false(journal.ring[(first - 1) % JOURNAL_MAX].lost);
	assert_int_equal(journal.counts[KIND_CREATE][201], JOURNAL_MAX + 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(each_record_is_read_once, end),
	    cmocka_unit_test_teardown(beyond_the_end_next_is_where_the_end_is, end),
	    cmocka_unit_test_teardown(clearing_does_not_hide_what_comes_after, end),
	    cmocka_unit_test_teardown(the_ring_forgets_the_oldest, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
