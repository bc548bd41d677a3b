/* test_record.c - records become changes; what can't be read is refused with its reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/record.h"

#define USER  "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
#define OTHER "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
#define ID    "22222222-2222-4222-8222-222222222222"
#define POS   "00000001:000000000194c108:00000002"
#define KEY   "{\"user_id\":\"" USER "\",\"id\":\"" ID "\"}"
#define ROW                                                                                        \
	"{\"id\":\"" ID "\",\"project_id\":\"11111111-1111-4111-8111-111111111111\","              \
	"\"user_id\":\"" USER "\",\"booking_status\":\"confirmed\",\"notes\":\"bring boots\","     \
	"\"created_at\":\"2026-11-23T09:00:00.000000Z\",\"updated_at\":null}"
#define SOURCE                                                                                     \
	"{\"version\":\"3.6.1.Final\",\"connector\":\"postgresql\",\"name\":\"amidash\","          \
	"\"ts_ms\":1795461535418,\"snapshot\":\"false\",\"db\":\"ami\","                           \
	"\"sequence\":\"[null,\\\"26544744\\\"]\",\"ts_us\":1795461535418481,"                     \
	"\"ts_ns\":1795461535418481000,\"schema\":\"public\",\"table\":\"project_assignments\","   \
	"\"txId\":732,\"lsn\":26544744,\"xmin\":null,\"origin\":null,\"origin_lsn\":null}"
#define PROJECT                                                                                    \
	"{\"id\":\"11111111-1111-4111-8111-111111111111\",\"client_name\":\"Ac\\\"me ÅÄÖ\","    \
	"\"start_date\":20780,\"end_date\":20781,\"notes\":\"site B\"}"
#define VALUE_OF(op, before, after, source, project)                                               \
	"{\"before\":" before ",\"after\":" after ",\"source\":" source ",\"transaction\":null,"   \
	"\"op\":" op ",\"ts_ms\":1795461535507,\"ts_us\":1795461535507147,"                        \
	"\"ts_ns\":1795461535507147122,\"project\":" project "}"
#define CREATED VALUE_OF("\"c\"", "null", ROW, SOURCE, PROJECT)
#define REMOVED VALUE_OF("\"d\"", ROW, "null", SOURCE, "null")

static struct hostmap map;
static struct json_arena arena;

static int load_map(void **state)
{
	struct fault fault;

	(void)state;
	return hostmap_load(&map, NULL, &fault) ? 0 : -1;
}

static int close_arena(void **state)
{
	(void)state;
	json_arena_close(&arena);
	return 0;
}

static struct record record_of(const char *key, const char *value)
{
	return (struct record){.key = key,
			       .key_length = key != NULL ? strlen(key) : 0,
			       .value = value,
			       .value_length = value != NULL ? strlen(value) : 0,
			       .pos = POS,
			       .pos_length = strlen(POS),
			       .arena = &arena};
}

static struct change *decoded(const char *value)
{
	struct record record = record_of(KEY, value);
	struct fault fault = {.kind = FAULT_NONE};
	struct change *change = record_decode(&record, &map, &fault);

	if (change == NULL) {
		fail_msg("%s", fault.what);
	}
	return change;
}

static void expect_refused(const struct record *record, const char *reason)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct change *change = record_decode(record, &map, &fault);

	assert_null(change);
	assert_int_equal(fault.kind, FAULT_INPUT);
	if (strstr(fault.what, reason) == NULL) {
		fail_msg("\"%s\" does not say \"%s\"", fault.what, reason);
	}
}

static void expect_value_refused(const char *value, const char *reason)
{
	struct record record = record_of(KEY, value);

	expect_refused(&record, reason);
}

static void expect_ids(const struct change *change)
{
	char user[UUID_TEXT_SIZE];
	char id[UUID_TEXT_SIZE];

	uuid_format(&change->user, user);
	uuid_format(&change->id, id);
	assert_string_equal(user, USER);
	assert_string_equal(id, ID);
	assert_string_equal(change->pos, POS);
}

static void a_created_row_carries_its_assignment(void **state)
{
	struct change *change = decoded(CREATED);

	(void)state;
	expect_ids(change);
	assert_false(change->is_gone);
	assert_true(change->has_xid);
	assert_int_equal(change->xid, 732);
	assert_int_equal(change->commit_us, 1795461535418481);
	assert_string_equal(change->assignment.client_name, "Ac\"me ÅÄÖ");
	assert_string_equal(change->assignment.status, "confirmed");
	assert_string_equal(change->assignment.notes, "bring boots");
	assert_string_equal(change->assignment.project_notes, "site B");
	assert_int_equal(change->assignment.start_day, 20780);
	assert_int_equal(change->assignment.end_day, 20781);
	free(change);
}

static void key_and_value_may_stand_beside_their_schemas(void **state)
{
	struct record record =
	    record_of("{\"schema\":{\"type\":\"struct\"},\"payload\":" KEY "}",
		      "{\"schema\":{\"type\":\"struct\"},\"payload\":" CREATED "}");
	struct fault fault = {.kind = FAULT_NONE};
	struct change *change = record_decode(&record, &map, &fault);

	(void)state;
	assert_non_null(change);
	expect_ids(change);
	assert_string_equal(change->assignment.notes, "bring boots");
	free(change);
	record.value = "{\"schema\":{},\"payload\":null}";
	record.value_length = strlen(record.value);
	expect_refused(&record, "the value is no JSON object");
}

static void updates_and_reads_carry_it_too(void **state)
{
	struct change *change = decoded(VALUE_OF("\"u\"", ROW, ROW, SOURCE, PROJECT));

	(void)state;
	assert_false(change->is_gone);
	assert_string_equal(change->assignment.status, "confirmed");
	free(change);
	change = decoded(VALUE_OF("\"r\"", "null", ROW, SOURCE, PROJECT));
	assert_false(change->is_gone);
	assert_int_equal(change->assignment.start_day, 20780);
	free(change);
}

static void expect_gone(struct change *change)
{
	expect_ids(change);
	assert_true(change->is_gone);
	assert_null(change->assignment.client_name);
	assert_null(change->assignment.status);
	assert_int_equal(change->assignment.start_day, CHANGE_NO_DAY);
	assert_int_equal(change->assignment.end_day, CHANGE_NO_DAY);
}

static void a_removed_row_is_gone(void **state)
{
	struct change *change = decoded(REMOVED);

	(void)state;
	expect_gone(change);
	assert_int_equal(change->xid, 732);
	assert_int_equal(change->commit_us, 1795461535418481);
	free(change);
}

static void a_removal_without_before_is_gone_too(void **state)
{
	struct change *change = decoded(VALUE_OF("\"d\"", "null", "null", SOURCE, "null"));

	(void)state;
	expect_gone(change);
	free(change);
}

static void a_tombstone_is_gone_at_a_time_unknown(void **state)
{
	struct change *change = decoded(NULL);

	(void)state;
	expect_gone(change);
	assert_false(change->has_xid);
	assert_int_equal(change->commit_us, 0);
	free(change);
}

static void a_position_with_an_id_is_kept_whole(void **state)
{
	static const char LONG[] = POS ":22222222222242228222222222222222";
	struct record record = record_of(KEY, CREATED);
	struct fault fault;
	struct change *change;

	(void)state;
	record.pos = LONG;
	record.pos_length = strlen(LONG);
	change = record_decode(&record, &map, &fault);
	assert_non_null(change);
	assert_string_equal(change->pos, LONG);
	free(change);
}

static void an_assignment_without_its_project_has_no_name_and_no_days(void **state)
{
	struct change *change = decoded(VALUE_OF("\"u\"", ROW, ROW, SOURCE, "null"));

	(void)state;
	assert_false(change->is_gone);
	assert_null(change->assignment.client_name);
	assert_null(change->assignment.project_notes);
	assert_string_equal(change->assignment.notes, "bring boots");
	assert_int_equal(change->assignment.start_day, CHANGE_NO_DAY);
	assert_int_equal(change->assignment.end_day, CHANGE_NO_DAY);
	free(change);
}

static void expect_days(const char *start, const char *end, int32_t start_day, int32_t end_day)
{
	char value[4096];
	struct change *change;

	snprintf(value, sizeof value,
		 VALUE_OF("\"c\"", "null", ROW, SOURCE,
			  "{\"id\":null,\"client_name\":null,\"start_date\":%s,\"end_date\":%s,"
			  "\"notes\":null}"),
		 start, end);
	change = decoded(value);
	assert_int_equal(change->assignment.start_day, start_day);
	assert_int_equal(change->assignment.end_day, end_day);
	free(change);
}

static void what_is_no_integer_is_no_day(void **state)
{
	(void)state;
	expect_days("null", "20780", CHANGE_NO_DAY, 20780);
	expect_days("\"2026-11-23\"", "1.5", CHANGE_NO_DAY, CHANGE_NO_DAY);
	expect_days("1e300", "true", CHANGE_NO_DAY, CHANGE_NO_DAY);
	expect_days("-1", "0", -1, 0);
}

static void infinite_dates_are_days_beyond_every_calendar(void **state)
{
	(void)state;
	expect_days("-2147483648", "2147483647", INT32_MIN + 1, INT32_MAX);
	expect_days("-99999999999", "99999999999", INT32_MIN + 1, INT32_MAX);
}

static void a_source_without_transaction_has_no_xid(void **state)
{
	struct change *change =
	    decoded(VALUE_OF("\"r\"", "null", ROW, "{\"txId\":null,\"ts_us\":5}", PROJECT));

	(void)state;
	assert_false(change->has_xid);
	assert_int_equal(change->commit_us, 5);
	free(change);
	change = decoded(VALUE_OF("\"r\"", "null", ROW, "{\"txId\":4294967296}", PROJECT));
	assert_false(change->has_xid);
	assert_int_equal(change->commit_us, 0);
	free(change);
	change = decoded(VALUE_OF("\"r\"", "null", ROW, "{\"txId\":4294967295}", PROJECT));
	assert_int_equal(change->xid, UINT32_MAX);
	free(change);
}

static void unknown_members_are_ignored(void **state)
{
	struct change *change =
	    decoded("{\"new\":[{}],\"op\":\"c\",\"after\":" ROW ",\"project\":" PROJECT "}");

	(void)state;
	assert_string_equal(change->assignment.status, "confirmed");
	free(change);
}

static void columns_are_read_by_the_mappings_names(void **state)
{
	struct hostmap other = map;
	struct record record = record_of(KEY, VALUE_OF("\"c\"", "null",
						       "{\"nr\":\"" ID "\",\"person\":\"" USER
						       "\",\"stage\":\"won\",\"remark\":\"x\"}",
						       SOURCE, PROJECT));
	struct fault fault;
	struct change *change;

	(void)state;
	snprintf(other.assignments.id, sizeof other.assignments.id, "nr");
	snprintf(other.assignments.user_id, sizeof other.assignments.user_id, "person");
	snprintf(other.assignments.booking_status, sizeof other.assignments.booking_status,
		 "stage");
	snprintf(other.assignments.notes, sizeof other.assignments.notes, "remark");
	change = record_decode(&record, &other, &fault);
	assert_non_null(change);
	assert_string_equal(change->assignment.status, "won");
	assert_string_equal(change->assignment.notes, "x");
	free(change);
}

static void a_megabyte_of_notes_is_read(void **state)
{
	static const char HEAD[] =
	    "{\"id\":\"" ID "\",\"user_id\":\"" USER "\",\"booking_status\":null,\"notes\":\"";
	size_t length = 1u << 20;
	char *row = malloc(sizeof HEAD + length + 3);
	char *value;
	struct change *change;

	(void)state;
	assert_non_null(row);
	memcpy(row, HEAD, sizeof HEAD - 1);
	memset(row + sizeof HEAD - 1, 'n', length);
	memcpy(row + sizeof HEAD - 1 + length, "\"}", 3);
	assert_true(asprintf(&value, VALUE_OF("\"c\"", "null", "%s", "null", "null"), row) > 0);
	change = decoded(value);
	assert_int_equal(strlen(change->assignment.notes), length);
	assert_null(change->assignment.status);
	free(change);
	free(value);
	free(row);
}

static void a_position_that_is_missing_or_malformed_is_refused(void **state)
{
	struct record record = record_of(KEY, CREATED);

	(void)state;
	record.pos = NULL;
	expect_refused(&record, "no header calrelay.pos");
	record = record_of(KEY, NULL);
	record.pos = NULL;
	expect_refused(&record, "no header calrelay.pos");
	record = record_of(KEY, CREATED);
	record.pos_length--;
	expect_refused(&record, "malformed header");
	record.pos = "00000001:000000000194C108:00000002";
	record.pos_length = strlen(record.pos);
	expect_refused(&record, "malformed header");
}

static void a_key_that_names_nobody_is_refused(void **state)
{
	static const struct {
		const char *key;
		const char *reason;
	} BAD[] = {
	    {NULL, "no key"},
	    {"", "key"},
	    {"not json", "not valid JSON"},
	    {"[]", "no JSON object"},
	    {"null", "no JSON object"},
	    {"{}", "key.user_id is missing"},
	    {"{\"user_id\":\"" USER "\"}", "key.id is missing"},
	    {"{\"user_id\":7,\"id\":\"" ID "\"}", "key.user_id is neither text nor null"},
	    {"{\"user_id\":null,\"id\":\"" ID "\"}", "key.user_id is no UUID"},
	    {"{\"user_id\":\"\",\"id\":\"" ID "\"}", "key.user_id is no UUID"},
	    {"{\"user_id\":\"{" USER "}\",\"id\":\"" ID "\"}", "key.user_id is no UUID"},
	    {"{\"user_id\":\"" USER "\",\"id\":\"" ID "\",\"id\":\"" ID "\"}", "there twice"},
	    {KEY "x", "not valid JSON"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		struct record record = record_of(BAD[i].key, CREATED);

		expect_refused(&record, BAD[i].reason);
	}
}

static void a_value_that_is_no_envelope_is_refused(void **state)
{
	(void)state;
	expect_value_refused("", "the value is empty");
	expect_value_refused("null", "no JSON object");
	expect_value_refused("[]", "no JSON object");
	expect_value_refused("{", "not valid JSON");
	expect_value_refused("\xFF", "not valid UTF-8");
	expect_value_refused("{}", "value.op is missing");
	expect_value_refused(VALUE_OF("null", "null", ROW, SOURCE, PROJECT), "value.op");
	expect_value_refused(VALUE_OF("\"t\"", "null", "null", SOURCE, "null"), "value.op");
	expect_value_refused(VALUE_OF("\"m\"", "null", "null", SOURCE, "null"), "value.op");
	expect_value_refused(VALUE_OF("\"\"", "null", ROW, SOURCE, PROJECT), "value.op");
	expect_value_refused(VALUE_OF("\"cu\"", "null", ROW, SOURCE, PROJECT), "value.op");
	expect_value_refused(VALUE_OF("\"c\"", "null", "null", SOURCE, PROJECT),
			     "value.after is no object");
	expect_value_refused(VALUE_OF("\"c\"", "null", ROW, SOURCE, "[]"), "value.project");
	expect_value_refused("{\"op\":\"c\",\"after\":" ROW ",\"source\":" SOURCE "}",
			     "value.project is missing");
	expect_value_refused(VALUE_OF("\"d\"", ROW, ROW, SOURCE, "null"), "value.after");
}

static void an_assignment_with_a_hole_is_refused(void **state)
{
#define HOLED(row) VALUE_OF("\"c\"", "null", row, SOURCE, PROJECT)
	(void)state;
	expect_value_refused(HOLED("{}"), "after.id is missing");
	expect_value_refused(HOLED("{\"id\":\"" ID "\"}"), "after.user_id is missing");
	expect_value_refused(HOLED("{\"id\":\"" ID "\",\"user_id\":\"" USER "\",\"notes\":null}"),
			     "after.booking_status is missing");
	expect_value_refused(
	    HOLED("{\"id\":\"" ID "\",\"user_id\":\"" USER "\",\"booking_status\":\"x\"}"),
	    "after.notes is missing");
	expect_value_refused(HOLED("{\"id\":\"" ID "\",\"user_id\":\"" USER
				   "\",\"booking_status\":7,\"notes\":null}"),
			     "after.booking_status is neither");
	expect_value_refused(VALUE_OF("\"c\"", "null", ROW, SOURCE, "{\"client_name\":\"x\"}"),
			     "project.notes is missing");
	expect_value_refused(VALUE_OF("\"c\"", "null", ROW, SOURCE,
				      "{\"client_name\":\"x\",\"notes\":null,\"start_date\":1}"),
			     "project.end_date is missing");
#undef HOLED
}

static void a_row_of_another_user_or_assignment_is_refused(void **state)
{
	static const char *const VALUES[] = {CREATED, REMOVED};

	(void)state;
	for (size_t i = 0; i < sizeof VALUES / sizeof *VALUES; i++) {
		struct record record =
		    record_of("{\"user_id\":\"" OTHER "\",\"id\":\"" ID "\"}", VALUES[i]);

		expect_refused(&record, "user_id is not the key's");
		record = record_of("{\"user_id\":\"" USER "\",\"id\":\"" OTHER "\"}", VALUES[i]);
		expect_refused(&record, ".id is not the key's");
	}
}

static void a_fault_never_quotes_the_record(void **state)
{
	struct record record =
	    record_of(KEY, VALUE_OF("\"c\"", "null", ROW, SOURCE, "\"Secret Client\""));
	struct fault fault;

	(void)state;
	assert_null(record_decode(&record, &map, &fault));
	assert_null(strstr(fault.what, "Secret"));
	assert_null(strstr(fault.what, "boots"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_created_row_carries_its_assignment),
	    cmocka_unit_test(key_and_value_may_stand_beside_their_schemas),
	    cmocka_unit_test(updates_and_reads_carry_it_too),
	    cmocka_unit_test(a_removed_row_is_gone),
	    cmocka_unit_test(a_removal_without_before_is_gone_too),
	    cmocka_unit_test(a_tombstone_is_gone_at_a_time_unknown),
	    cmocka_unit_test(a_position_with_an_id_is_kept_whole),
	    cmocka_unit_test(an_assignment_without_its_project_has_no_name_and_no_days),
	    cmocka_unit_test(what_is_no_integer_is_no_day),
	    cmocka_unit_test(infinite_dates_are_days_beyond_every_calendar),
	    cmocka_unit_test(a_source_without_transaction_has_no_xid),
	    cmocka_unit_test(unknown_members_are_ignored),
	    cmocka_unit_test(columns_are_read_by_the_mappings_names),
	    cmocka_unit_test(a_megabyte_of_notes_is_read),
	    cmocka_unit_test(a_position_that_is_missing_or_malformed_is_refused),
	    cmocka_unit_test(a_key_that_names_nobody_is_refused),
	    cmocka_unit_test(a_value_that_is_no_envelope_is_refused),
	    cmocka_unit_test(an_assignment_with_a_hole_is_refused),
	    cmocka_unit_test(a_row_of_another_user_or_assignment_is_refused),
	    cmocka_unit_test(a_fault_never_quotes_the_record),
	};

	return cmocka_run_group_tests(tests, load_map, close_arena);
}
