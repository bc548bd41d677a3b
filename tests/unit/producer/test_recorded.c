/* test_recorded.c - a stream that PostgreSQL sent: whole, cut short anywhere, and with any one byte
 * of it changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "path.h"
#include "recording.h"

static struct recording recording;
static struct path path; /* large */
static int records[128]; /* by their op */

static void count_record(const struct path *from, const struct path_record *record)
{
	(void)from;
	records[(unsigned char)record->op]++;
}

static void take_all(void)
{
	struct fault fault;

	memset(records, 0, sizeof records);
	path_restart(&path);
	path.on_record = count_record;
	for (size_t i = 0; i < recording.count; i++) {
		const struct recording_message *message = &recording.messages[i];

		assert_true(path_take(&path, message->bytes, message->length, &fault));
	}
}

static void every_message_decodes_and_rows_are_as_many_as_were_changed(void **state)
{
	(void)state;
	take_all();
	assert_int_equal(path.counts['I'], recording.inserts);
	assert_int_equal(path.counts['U'], recording.updates);
	assert_int_equal(path.counts['D'], recording.deletes);
	assert_int_equal(path.counts['T'], recording.truncates);
	assert_int_equal(path.counts['B'], path.counts['C']);
}

/* Of project_assignments and calendar_sync_requests: 6 inserts, 3 + 2 + 1 updates that keep the
 * person and 2 that don't, 3 deletes; of projects 2 inserts and 2 updates. */
static void its_records_are_those_of_the_work_that_was_recorded(void **state)
{
	(void)state;
	take_all();
	assert_int_equal(records['c'], 6 + 2);
	assert_int_equal(records['u'], 6);
	assert_int_equal(records['d'], 3 + 2);
	assert_int_equal(records['\0'], 3 + 2);
	assert_int_equal(records['p'], 2 + 2);
}

static void note_values(const struct pgoutput_tuple *tuple, bool seen[128])
{
	for (int i = 0; i < tuple->count; i++) {
		seen[(unsigned char)tuple->values[i].kind] = true;
	}
}

static void the_recording_has_every_message_and_every_kind_of_value(void **state)
{
	const char wanted[] = "BCORYIUDTMKOntu";
	bool seen[128] = {false};
	struct fault fault;

	(void)state;
	for (size_t i = 0; i < recording.count; i++) {
		const struct pgoutput_message *message = &path.message;

		assert_true(pgoutput_decode(recording.messages[i].bytes,
					    recording.messages[i].length, &path.message, &fault));
		seen[(unsigned char)message->kind] = true;
		seen[(unsigned char)message->old_kind] = true;
		note_values(&message->old_tuple, seen);
		note_values(&message->new_tuple, seen);
	}
	for (const char *at = wanted; *at != '\0'; at++) {
		assert_true(seen[(unsigned char)*at]);
	}
}

static void assert_holds_nothing(const struct pgoutput_message *message)
{
	assert_int_equal(message->old_kind, '\0');
	assert_int_equal(message->old_tuple.count + message->new_tuple.count, 0);
	assert_int_equal(message->column_count + message->truncated_count, 0);
	assert_string_equal(message->schema, "");
	assert_string_equal(message->table, "");
	assert_string_equal(message->prefix, "");
	assert_int_equal(message->content_length, 0);
}

static void a_message_cut_short_anywhere_is_refused_and_yields_nothing(void **state)
{
	struct fault fault;

	(void)state;
	for (size_t i = 0; i < recording.count; i++) {
		const struct recording_message *message = &recording.messages[i];

		for (size_t length = 0; length < message->length; length++) {
			char *cut = malloc(length > 0 ? length : 1);

			assert_non_null(cut);
			memcpy(cut, message->bytes, length);
			assert_false(pgoutput_decode(cut, length, &path.message, &fault));
			assert_holds_nothing(&path.message);
			free(cut);
		}
	}
}

static void assert_inside(const struct recording_message *message, const char *text, size_t length)
{
	const char *end = message->bytes + message->length;

	assert_true(length == 0 ||
		    (text > message->bytes && text < end && length <= (size_t)(end - text)));
}

static void assert_values_inside(const struct recording_message *message,
				 const struct pgoutput_tuple *tuple)
{
	for (int i = 0; i < tuple->count; i++) {
		const struct pgoutput_value *value = &tuple->values[i];

		assert_true(value->kind == 'n' || value->kind == 'u' || value->kind == 't');
		assert_inside(message, value->text, value->length);
	}
}

static void mark_texts(const struct recording_message *message, const struct pgoutput_tuple *tuple,
		       bool *is_text)
{
	for (int i = 0; i < tuple->count; i++) {
		for (uint32_t at = 0; at < tuple->values[i].length; at++) {
			is_text[tuple->values[i].text - message->bytes + at] = true;
		}
	}
}

/* Which bytes are text of values: the decoder passes over them, so one change stands for all. */
static bool *texts_of(const struct recording_message *message)
{
	bool *is_text = calloc(message->length, sizeof *is_text);
	struct fault fault;

	assert_non_null(is_text);
	assert_true(pgoutput_decode(message->bytes, message->length, &path.message, &fault));
	mark_texts(message, &path.message.old_tuple, is_text);
	mark_texts(message, &path.message.new_tuple, is_text);
	return is_text;
}

static void decode_changed(const struct recording_message *message, size_t at, int change)
{
	char was = message->bytes[at];
	struct fault fault;

	message->bytes[at] = (char)(was ^ change);
	if (!pgoutput_decode(message->bytes, message->length, &path.message, &fault)) {
		assert_holds_nothing(&path.message);
	}
	assert_values_inside(message, &path.message.old_tuple);
	assert_values_inside(message, &path.message.new_tuple);
	assert_inside(message, path.message.content, path.message.content_length);
	message->bytes[at] = was;
}

static void a_message_with_any_byte_changed_is_refused_or_holds_only_what_it_was_sent(void **state)
{
	(void)state;
	for (size_t i = 0; i < recording.count; i++) {
		const struct recording_message *message = &recording.messages[i];
		bool *is_text = texts_of(message);

		for (size_t at = 0; at < message->length; at++) {
			for (int change = is_text[at] ? 255 : 1; change < 256; change++) {
				decode_changed(message, at, change);
			}
		}
		free(is_text);
	}
}

static int load(void **state)
{
	(void)state;
	recording_load(&recording);
	return path_init(&path) ? 0 : 1;
}

static int unload(void **state)
{
	(void)state;
	path_close(&path);
	recording_close(&recording);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_message_decodes_and_rows_are_as_many_as_were_changed),
	    cmocka_unit_test(its_records_are_those_of_the_work_that_was_recorded),
	    cmocka_unit_test(the_recording_has_every_message_and_every_kind_of_value),
	    cmocka_unit_test(a_message_cut_short_anywhere_is_refused_and_yields_nothing),
	    cmocka_unit_test(
		a_message_with_any_byte_changed_is_refused_or_holds_only_what_it_was_sent),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
