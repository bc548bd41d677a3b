/* test_memory.c - no memory anywhere between a frame and its JSON: a fault, never a wrong record.
 *
 * The linker leads malloc, calloc and realloc of our code here (tests/unit/CMakeLists.txt). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "path.h"
#include "producer/late.h"
#include "recording.h"

#define RECORDS_MAX 256

/* ---- allocations that fail when they are told to ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);

static long countdown; /* the allocation that fails; 0: none */
static long allocations;

static bool is_to_fail(void)
{
	return ++allocations == countdown;
}

void *__wrap_malloc(size_t size)
{
	return is_to_fail() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return is_to_fail() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
	return is_to_fail() ? NULL : __real_realloc(block, size);
}

static void fail_allocation(long number)
{
	allocations = 0;
	countdown = number;
}

/* ---- the recorded stream, and what it becomes ---- */

static struct recording recording;
static struct path path; /* large */
static char *expected[RECORDS_MAX];
static size_t expected_count;
static size_t told;

static char *copy_of(const struct path_record *record)
{
	size_t length = record->key->length + record->header->length + record->value->length;
	char *copy = __real_malloc(length + 2);
	size_t at = 1;

	assert_non_null(copy);
	copy[0] = record->op;
	if (copy[0] == '\0') {
		copy[0] = '0';
	}
	for (int i = 0; i < 3; i++) {
		const struct buf *part[] = {record->key, record->header, record->value};

		memcpy(copy + at, buf_string(part[i]), part[i]->length);
		at += part[i]->length;
	}
	copy[at] = '\0';
	return copy;
}

static void keep_record(const struct path *from, const struct path_record *record)
{
	(void)from;
	assert_true(expected_count < RECORDS_MAX);
	expected[expected_count++] = copy_of(record);
}

static void compare_record(const struct path *from, const struct path_record *record)
{
	char *copy = copy_of(record);

	(void)from;
	assert_true(told < expected_count);
	assert_string_equal(copy, expected[told]);
	free(copy);
	told++;
}

/* False with the fault where the stream stopped. */
static bool take_all(struct fault *fault)
{
	bool ok = true;

	for (size_t i = 0; ok && i < recording.count; i++) {
		ok = path_take(&path, recording.messages[i].bytes, recording.messages[i].length,
			       fault);
	}
	return ok;
}

static void an_allocation_that_fails_is_a_fault_and_what_was_told_before_is_right(void **state)
{
	bool failed = true;
	long number = 0;

	(void)state;
	path.on_record = compare_record;
	while (failed) {
		struct fault fault = {0};
		bool ok;

		path_restart(&path);
		told = 0;
		fail_allocation(++number);
		ok = take_all(&fault);
		failed = allocations >= countdown;
		fail_allocation(0);
		assert_int_equal(ok, !failed);
		assert_int_equal(fault.kind, failed ? FAULT_FATAL : FAULT_NONE);
	}
	assert_int_equal(told, expected_count);
	assert_true(number > (long)expected_count);
}

static void take_late_keys(struct late *late, int count)
{
	const struct pos newest = {.epoch = 1, .commit_lsn = 2};
	const struct pos pos = {.epoch = 1, .commit_lsn = 1};

	for (int i = 0; i < count; i++) {
		char key[120];
		int length = snprintf(key, sizeof key,
				      "{\"user_id\":\"22222222-2222-4222-8222-222222222222\","
				      "\"id\":\"%08x-2222-4222-8222-222222222222\"}",
				      (unsigned)i);

		late_take(late, key, (size_t)length, &pos, &newest);
	}
}

static void a_late_key_that_finds_no_memory_is_as_one_that_does_not_fit(void **state)
{
	const int count = 400;
	bool failed = true;
	long number = 0;

	(void)state;
	while (failed) {
		struct late late;

		late_init(&late, LATE_KEYS_MAX);
		fail_allocation(++number);
		take_late_keys(&late, count);
		failed = allocations >= countdown;
		fail_allocation(0);
		assert_int_equal(late.overflowed, failed);
		assert_int_equal(late_count(&late), failed ? count - 1 : count);
		late_clear(&late);
	}
	assert_true(number > count);
}

static int load(void **state)
{
	struct fault fault;

	(void)state;
	recording_load(&recording);
	if (!path_init(&path)) {
		return 1;
	}
	path.on_record = keep_record;
	return take_all(&fault) ? 0 : 1;
}

static int unload(void **state)
{
	(void)state;
	path_close(&path);
	recording_close(&recording);
	for (size_t i = 0; i < expected_count; i++) {
		free(expected[i]);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_allocation_that_fails_is_a_fault_and_what_was_told_before_is_right),
	    cmocka_unit_test(a_late_key_that_finds_no_memory_is_as_one_that_does_not_fit),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
