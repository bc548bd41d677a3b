/* fuzz_pgoutput.c - any stream of pgoutput messages: refused, or records in valid JSON.
 *
 * Input: messages, each behind its length (2 bytes, big-endian); the last one may be cut short. */
#include <stdlib.h>

#include "check.h"
#include "producer/bytes.h"
#include "tests/unit/producer/path.h"

static void on_record(const struct path *path, const struct path_record *record)
{
	(void)path;
	check_that((record->op == 'p') == (record->key->length == 0), "a record has a key");
	check_that((record->op == '\0') == (record->value->length == 0), "a tombstone is empty");
	if (record->key->length > 0) {
		check_json(record->key);
	}
	if (record->header->length > 0) {
		check_json(record->header);
	}
	if (record->value->length > 0) {
		check_json(record->value);
	}
}

static bool take(struct path *path, const char *bytes, size_t length)
{
	struct fault fault = {0};
	char *copy = check_copy(bytes, length);
	bool ok = path_take(path, copy, length, &fault);

	check_that(ok == (fault.kind == FAULT_NONE), "a refusal says why");
	free(copy);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct path path; /* large */
	struct bytes in = bytes_of(data, size);
	bool ok = true;

	if (path.on_record == NULL) {
		check_that(path_init(&path), "the shipped mapping is read");
		path.on_record = on_record;
	}
	while (ok && bytes_left(&in) >= 2) {
		size_t length = bytes_u16(&in);
		size_t left = bytes_left(&in);

		length = length < left ? length : left;
		ok = take(&path, bytes_take(&in, length), length);
	}
	path_restart(&path);
	return 0;
}
