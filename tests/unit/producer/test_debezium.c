/* test_debezium.c - the envelope against records that the real Debezium 3.6.1 wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "calrelay_version.h"
#include "frames.h"
#include "producer/debezium.h"

/* The table of the recording. */
static struct relation *recorded_table(const struct hostmap *map)
{
	static const struct {
		const char *name;
		uint32_t oid;
	} COLUMNS[] = {{"id", 2950},   {"project_id", 2950}, {"user_id", 2950},	  {"role", 25},
		       {"hours", 701}, {"big", 20},	     {"updated_at", 1184}};
	struct relation *relation = relation_new(map, "public", "project_assignments", 7);

	for (int i = 0; i < 7; i++) {
		struct relation_column column = {.oid = COLUMNS[i].oid,
						 .type = pgtype_of(COLUMNS[i].oid, -1)};

		strncpy(column.name, COLUMNS[i].name, sizeof column.name - 1);
		relation_set_column(relation, map, i, &column);
	}
	return relation;
}

static const char *const ROW[] = {"22222222-2222-2222-2222-222222222222",
				  "11111111-1111-1111-1111-111111111111",
				  "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb",
				  "pm",
				  "0.5",
				  "42",
				  NULL};

#define ROW_JSON                                                                                   \
	"{\"id\":\"22222222-2222-2222-2222-222222222222\","                                        \
	"\"project_id\":\"11111111-1111-1111-1111-111111111111\","                                 \
	"\"user_id\":\"bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb\",\"role\":\"pm\",\"hours\":0.5,"      \
	"\"big\":42,\"updated_at\":null}"

/* From the recording; its transaction metadata was switched on, ours is null, and each names its
 * own version. */
#define STREAMED                                                                                   \
	"{\"before\":null,\"after\":" ROW_JSON ",\"source\":{\"version\":\"" CALRELAY_VERSION      \
	"\",\"connector\":\"postgresql\",\"name\":\"amidash\",\"ts_ms\":1795461547458,"            \
	"\"snapshot\":\"false\",\"db\":\"ami\",\"sequence\":\"[\\\"26545544\\\","                  \
	"\\\"26545544\\\"]\",\"ts_us\":1795461547458235,\"ts_ns\":1795461547458235000,"            \
	"\"schema\":\"public\",\"table\":\"project_assignments\",\"txId\":735,\"lsn\":26545544,"   \
	"\"xmin\":null,\"origin\":null,\"origin_lsn\":null},\"transaction\":null,\"op\":\"c\","    \
	"\"ts_ms\":1795461547763,\"ts_us\":1795461547763276,\"ts_ns\":1795461547763276505"

static void read_row(struct pgoutput_value values[7], const char *const texts[7])
{
	for (int i = 0; i < 7; i++) {
		values[i] = frame_value(texts[i]);
	}
}

static struct debezium_event streamed_event(const struct relation *relation)
{
	return (struct debezium_event){.source = {.name = "amidash",
						  .database = "ami",
						  .snapshot = "false",
						  .time_us = 1795461547458235,
						  .has_place = true,
						  .lsn = 26545544,
						  .xid = 735,
						  .last_commit_lsn = 26545544},
				       .relation = relation,
				       .op = 'c',
				       .now_ns = 1795461547763276505};
}

static void a_streamed_record_is_debeziums_byte_for_byte(void **state)
{
	struct pgoutput_value values[7];
	struct debezium_row after = {.values = values, .count = 7};
	struct hostmap map;
	struct fault fault;
	struct debezium_event event;
	struct buf out;

	(void)state;
	assert_true(hostmap_load(&map, NULL, &fault));
	struct relation *relation = recorded_table(&map);
	read_row(values, ROW);
	event = streamed_event(relation);
	event.after = &after;
	buf_init(&out, 65536);
	debezium_write_value(&out, &event);
	assert_string_equal(buf_string(&out), STREAMED "}");
	buf_reset(&out);
	event.project = "{\"id\":\"p\"}";
	debezium_write_value(&out, &event);
	assert_string_equal(buf_string(&out), STREAMED ",\"project\":{\"id\":\"p\"}}");
	buf_close(&out);
	relation_let_go(relation);
}

static void the_transaction_block_is_told_where_it_was_asked_for(void **state)
{
	struct hostmap map;
	struct fault fault;
	struct debezium_event event;
	struct buf out;

	(void)state;
	assert_true(hostmap_load(&map, NULL, &fault));
	struct relation *relation = recorded_table(&map);
	event = streamed_event(relation);
	event.order = (struct debezium_order){.total = 2, .of_table = 1};
	buf_init(&out, 65536);
	debezium_write_value(&out, &event);
	assert_non_null(strstr(buf_string(&out),
			       ",\"transaction\":{\"id\":\"735:26545544\",\"total_order\":2,"
			       "\"data_collection_order\":1},\"op\":"));
	buf_close(&out);
	relation_let_go(relation);
}

static void with_a_schema_a_row_that_lacks_what_is_never_null_is_null(void **state)
{
	const char *const keys_only[] = {ROW[0], NULL, ROW[2], NULL, NULL, NULL, NULL};
	struct pgoutput_value values[7];
	struct debezium_row before = {.values = values, .count = 7};
	struct hostmap map;
	struct fault fault;
	struct debezium_event event;
	struct buf out;

	(void)state;
	assert_true(hostmap_load(&map, NULL, &fault));
	struct relation *relation = recorded_table(&map);
	read_row(values, keys_only);
	relation->columns[1].is_required = true;
	event = streamed_event(relation);
	event.before = &before;
	buf_init(&out, 65536);
	debezium_write_value(&out, &event);
	assert_non_null(strstr(buf_string(&out), "{\"before\":{\"id\":"));
	relation->value_head = strdup("{");
	buf_reset(&out);
	debezium_write_value(&out, &event);
	assert_non_null(strstr(buf_string(&out), "{\"before\":null,"));
	buf_close(&out);
	relation_let_go(relation);
}

static void what_has_no_place_in_the_log_says_null(void **state)
{
	struct hostmap map;
	struct fault fault;
	struct debezium_event event;
	struct buf out;

	(void)state;
	assert_true(hostmap_load(&map, NULL, &fault));
	struct relation *relation = recorded_table(&map);
	event = streamed_event(relation);
	event.source.has_place = false;
	event.source.last_commit_lsn = 0;
	event.source.snapshot = "incremental";
	buf_init(&out, 65536);
	debezium_write_value(&out, &event);
	assert_non_null(strstr(buf_string(&out), "\"sequence\":\"[null,null]\""));
	assert_non_null(strstr(buf_string(&out), "\"txId\":null,\"lsn\":null,\"xmin\":null"));
	buf_close(&out);
	relation_let_go(relation);
}

static void a_value_that_was_not_sent_comes_from_the_old_row_or_says_so(void **state)
{
	const char *const unsent[] = {ROW[0], ROW[1], ROW[2], "<unchanged>",
				      ROW[4], ROW[5], ROW[6]};
	struct pgoutput_value old_values[7];
	struct pgoutput_value new_values[7];
	struct debezium_row after = {.values = new_values, .count = 7};
	struct hostmap map;
	struct fault fault;
	struct debezium_event event;
	struct buf out;

	(void)state;
	assert_true(hostmap_load(&map, NULL, &fault));
	struct relation *relation = recorded_table(&map);
	read_row(old_values, ROW);
	read_row(new_values, unsent);
	event = streamed_event(relation);
	event.after = &after;
	buf_init(&out, 65536);
	debezium_write_value(&out, &event);
	assert_non_null(
	    strstr(buf_string(&out), "\"role\":\"__debezium_unavailable_value\",\"hours\""));
	after.fallback = old_values;
	after.fallback_count = 7;
	buf_reset(&out);
	debezium_write_value(&out, &event);
	assert_non_null(strstr(buf_string(&out), "\"role\":\"pm\",\"hours\""));
	buf_close(&out);
	relation_let_go(relation);
}

static void the_key_is_user_then_assignment(void **state)
{
	const struct pgoutput_value user = frame_value("u");
	const struct pgoutput_value id = frame_value("a");
	struct buf out;

	(void)state;
	buf_init(&out, 256);
	debezium_write_key(&out, &user, &id);
	assert_string_equal(buf_string(&out), "{\"user_id\":\"u\",\"id\":\"a\"}");
	buf_close(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_streamed_record_is_debeziums_byte_for_byte),
	    cmocka_unit_test(the_transaction_block_is_told_where_it_was_asked_for),
	    cmocka_unit_test(with_a_schema_a_row_that_lacks_what_is_never_null_is_null),
	    cmocka_unit_test(what_has_no_place_in_the_log_says_null),
	    cmocka_unit_test(a_value_that_was_not_sent_comes_from_the_old_row_or_says_so),
	    cmocka_unit_test(the_key_is_user_then_assignment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
