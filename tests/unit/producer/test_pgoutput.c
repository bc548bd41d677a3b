/* test_pgoutput.c - every message of protocol 1, and none that is cut short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "frames.h"
#include "producer/pgoutput.h"

static struct pgoutput_message message; /* large */

static bool decode(const struct buf *frame)
{
	struct fault fault = {0};
	bool ok = pgoutput_decode(frame->data, frame->length, &message, &fault);

	assert_int_equal(fault.kind, ok ? FAULT_NONE : FAULT_FATAL);
	return ok;
}

static void write_begin(struct buf *out)
{
	buf_char(out, 'B');
	frame_number(out, 0x1e1a6a0, 8);
	frame_number(out, 1000000, 8);
	frame_number(out, 772, 4);
}

static void write_relation(struct buf *out)
{
	buf_char(out, 'R');
	frame_number(out, 16400, 4);
	frame_cstr(out, "public");
	frame_cstr(out, "project_assignments");
	buf_char(out, 'f');
	frame_number(out, 2, 2);
	buf_char(out, 1);
	frame_cstr(out, "id");
	frame_number(out, 2950, 4);
	frame_number(out, 0xffffffff, 4);
	buf_char(out, 0);
	frame_cstr(out, "notes");
	frame_number(out, 25, 4);
	frame_number(out, 0xffffffff, 4);
}

static void write_update(struct buf *out)
{
	buf_char(out, 'U');
	frame_number(out, 16400, 4);
	buf_char(out, 'O');
	frame_tuple(out, 2, (const char *const[]){"a", NULL});
	buf_char(out, 'N');
	frame_tuple(out, 2, (const char *const[]){"a", "<unchanged>"});
}

static void begin_and_commit_carry_positions_and_time(void **state)
{
	struct buf frame;

	(void)state;
	buf_init(&frame, 4096);
	write_begin(&frame);
	assert_true(decode(&frame));
	assert_int_equal(message.kind, PGOUTPUT_BEGIN);
	assert_int_equal(message.commit_lsn, 0x1e1a6a0);
	assert_true(message.commit_time_us == PGOUTPUT_EPOCH_US + 1000000);
	assert_int_equal(message.xid, 772);
	buf_reset(&frame);
	buf_char(&frame, 'C');
	buf_char(&frame, 0);
	frame_number(&frame, 10, 8);
	frame_number(&frame, 20, 8);
	frame_number(&frame, 0, 8);
	assert_true(decode(&frame));
	assert_int_equal(message.end_lsn, 20);
	buf_close(&frame);
}

static void a_relation_names_its_columns(void **state)
{
	struct buf frame;

	(void)state;
	buf_init(&frame, 4096);
	write_relation(&frame);
	assert_true(decode(&frame));
	assert_string_equal(message.table, "project_assignments");
	assert_int_equal(message.identity, 'f');
	assert_int_equal(message.column_count, 2);
	assert_true(message.columns[0].is_key);
	assert_string_equal(message.columns[1].name, "notes");
	assert_int_equal(message.columns[1].modifier, -1);
	buf_close(&frame);
}

static void an_update_has_its_old_row_where_one_was_sent(void **state)
{
	struct buf frame;

	(void)state;
	buf_init(&frame, 4096);
	write_update(&frame);
	assert_true(decode(&frame));
	assert_int_equal(message.old_kind, 'O');
	assert_int_equal(message.old_tuple.values[1].kind, 'n');
	assert_int_equal(message.new_tuple.values[1].kind, 'u');
	assert_int_equal(message.new_tuple.values[0].length, 1);
	buf_reset(&frame);
	buf_char(&frame, 'U');
	frame_number(&frame, 16400, 4);
	buf_char(&frame, 'N');
	frame_tuple(&frame, 1, (const char *const[]){"x"});
	assert_true(decode(&frame));
	assert_int_equal(message.old_kind, '\0');
	buf_close(&frame);
}

static void a_delete_without_an_old_row_is_refused(void **state)
{
	struct buf frame;

	(void)state;
	buf_init(&frame, 4096);
	buf_char(&frame, 'D');
	frame_number(&frame, 16400, 4);
	buf_char(&frame, 'N');
	assert_false(decode(&frame));
	buf_close(&frame);
}

static void other_messages_are_known(void **state)
{
	struct buf frame;

	(void)state;
	buf_init(&frame, 4096);
	buf_char(&frame, 'T');
	frame_number(&frame, 2, 4);
	buf_char(&frame, 1);
	frame_number(&frame, 7, 4);
	frame_number(&frame, 8, 4);
	assert_true(decode(&frame));
	assert_int_equal(message.truncated_count, 2);
	assert_int_equal(message.truncated[1], 8);
	buf_reset(&frame);
	buf_char(&frame, 'Y');
	frame_number(&frame, 20000, 4);
	frame_cstr(&frame, "public");
	frame_cstr(&frame, "mood");
	assert_true(decode(&frame));
	buf_reset(&frame);
	buf_char(&frame, '?');
	assert_false(decode(&frame));
	buf_close(&frame);
}

static void write_logical(struct buf *frame)
{
	buf_char(frame, 'M');
	buf_char(frame, 1);
	frame_number(frame, 9, 8);
	frame_cstr(frame, "prefix");
	frame_number(frame, 3, 4);
	buf_text(frame, "abc");
}

static void a_logical_message_has_its_prefix_and_its_content(void **state)
{
	struct buf frame;

	(void)state;
	buf_init(&frame, 4096);
	write_logical(&frame);
	assert_true(decode(&frame));
	assert_true(message.is_transactional);
	assert_string_equal(message.prefix, "prefix");
	assert_int_equal(message.content_length, 3);
	assert_memory_equal(message.content, "abc", 3);
	frame.data[1] = 0;
	assert_true(decode(&frame));
	assert_false(message.is_transactional);
	buf_close(&frame);
}

/* The bytes live in a block of their own size, so the sanitizer sees every step beyond them. */
static void refuse_every_cut(const struct buf *frame)
{
	for (size_t length = 0; length < frame->length; length++) {
		struct fault fault;
		char *cut = malloc(length + 1);

		assert_non_null(cut);
		memcpy(cut, frame->data, length);
		cut = realloc(cut, length > 0 ? length : 1);
		assert_false(pgoutput_decode(cut, length, &message, &fault));
		free(cut);
	}
}

static void a_message_that_is_cut_short_anywhere_is_refused(void **state)
{
	void (*const writers[])(struct buf *) = {write_begin, write_relation, write_update,
						 write_logical};

	(void)state;
	for (size_t i = 0; i < sizeof writers / sizeof *writers; i++) {
		struct buf frame;

		buf_init(&frame, 4096);
		writers[i](&frame);
		refuse_every_cut(&frame);
		buf_char(&frame, 'x');
		assert_false(decode(&frame));
		buf_close(&frame);
	}
}

static void counts_that_lie_are_refused(void **state)
{
	struct buf frame;

	(void)state;
	buf_init(&frame, 4096);
	buf_char(&frame, 'I');
	frame_number(&frame, 1, 4);
	buf_char(&frame, 'N');
	frame_number(&frame, 0xffff, 2);
	assert_false(decode(&frame));
	buf_reset(&frame);
	buf_char(&frame, 'I');
	frame_number(&frame, 1, 4);
	buf_char(&frame, 'N');
	frame_number(&frame, 1, 2);
	buf_char(&frame, 't');
	frame_number(&frame, 0xfffffff0, 4);
	assert_false(decode(&frame));
	buf_close(&frame);
}

static void what_was_not_sent_did_not_change(void **state)
{
	const struct pgoutput_value a = frame_value("a");
	const struct pgoutput_value b = frame_value("b");
	const struct pgoutput_value null = frame_value(NULL);
	const struct pgoutput_value empty = frame_value("");
	const struct pgoutput_value unchanged = frame_value("<unchanged>");

	(void)state;
	assert_true(pgoutput_same(&a, &a));
	assert_false(pgoutput_same(&a, &b));
	assert_false(pgoutput_same(&null, &empty));
	assert_true(pgoutput_same(&null, &null));
	assert_true(pgoutput_same(&unchanged, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(begin_and_commit_carry_positions_and_time),
	    cmocka_unit_test(a_relation_names_its_columns),
	    cmocka_unit_test(an_update_has_its_old_row_where_one_was_sent),
	    cmocka_unit_test(a_delete_without_an_old_row_is_refused),
	    cmocka_unit_test(other_messages_are_known),
	    cmocka_unit_test(a_logical_message_has_its_prefix_and_its_content),
	    cmocka_unit_test(a_message_that_is_cut_short_anywhere_is_refused),
	    cmocka_unit_test(counts_that_lie_are_refused),
	    cmocka_unit_test(what_was_not_sent_did_not_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
