/* test_schema.c - columns as Debezium's JsonConverter describes them (tests/golden has them all).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "producer/schema.h"

struct sample {
	uint32_t oid;
	int32_t modifier;
	bool is_required;
	struct schema_facts facts;
	const char *json;
};

#define OPTIONAL   ",\"optional\":true"
#define NUMERIC_62 ((6 << 16 | 2) + 4)

/* clang-format off */
static const struct sample SAMPLES[] = {
	{25, -1, true, {.fallback = "tentative"}, "{\"type\":\"string\",\"optional\":false,\"default\":\"tentative\""},
	{2950, -1, true, {.fallback = "gen_random_uuid()", .is_computed = true},
	 "{\"type\":\"string\",\"optional\":false,\"name\":\"io.debezium.data.Uuid\",\"version\":1,"
	 "\"default\":\"00000000-0000-0000-0000-000000000000\""},
	{23, -1, false, {.fallback = "42"}, "{\"type\":\"int32\"" OPTIONAL ",\"default\":42"},
	{23, -1, false, {.fallback = "(1 + 2)"}, "{\"type\":\"int32\"" OPTIONAL},
	{16, -1, false, {.fallback = "true"}, "{\"type\":\"boolean\"" OPTIONAL ",\"default\":true"},
	{700, -1, false, {0}, "{\"type\":\"float\"" OPTIONAL},
	{1700, NUMERIC_62, false, {.fallback = "1.5"},
	 "{\"type\":\"bytes\"" OPTIONAL ",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"version\":1,"
	 "\"parameters\":{\"scale\":\"2\",\"connect.decimal.precision\":\"6\"},\"default\":\"AJY=\""},
	{1700, -1, false, {.fallback = "1"}, /* a struct can't be a default */
	 "{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\",\"optional\":false,\"field\":\"scale\"},"
	 "{\"type\":\"bytes\",\"optional\":false,\"field\":\"value\"}]" OPTIONAL
	 ",\"name\":\"io.debezium.data.VariableScaleDecimal\",\"version\":1,\"doc\":\"Variable scaled decimal\""},
	{1082, -1, false, {.fallback = "CURRENT_DATE", .is_computed = true},
	 "{\"type\":\"int32\"" OPTIONAL ",\"name\":\"io.debezium.time.Date\",\"version\":1,\"default\":0"},
	{1083, 3, false, {0}, "{\"type\":\"int32\"" OPTIONAL ",\"name\":\"io.debezium.time.Time\",\"version\":1"},
	{1562, -1, false, {0}, "{\"type\":\"bytes\"" OPTIONAL ",\"name\":\"io.debezium.data.Bits\",\"version\":1,"
	 "\"parameters\":{\"length\":\"2147483647\"}"},
	{1560, 1, false, {0}, "{\"type\":\"boolean\"" OPTIONAL},
	{16400, -1, false, {.type_name = "mood", .labels = "happy,it's", .fallback = "happy"},
	 "{\"type\":\"string\"" OPTIONAL ",\"name\":\"io.debezium.data.Enum\",\"version\":1,"
	 "\"parameters\":{\"allowed\":\"happy,it's\"},\"default\":\"happy\""},
	{1009, -1, false, {.fallback = "{}"}, "{\"type\":\"array\",\"items\":{\"type\":\"string\"" OPTIONAL "}" OPTIONAL},
};
/* clang-format on */

static void each_column_is_described_as_debezium_describes_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof SAMPLES / sizeof *SAMPLES; i++) {
		const struct sample *sample = &SAMPLES[i];
		struct relation_column column = {.oid = sample->oid,
						 .is_required = sample->is_required,
						 .type = pgtype_of(sample->oid, sample->modifier)};

		assert_true(schema_describe(&column, &sample->facts));
		assert_string_equal(column.schema, sample->json);
		free(column.schema);
	}
}

static struct relation *requests_of(const struct hostmap *map, uint32_t id_type)
{
	static const char *const NAMES[] = {"id", "user_id"};
	struct relation *relation = relation_new(map, "public", RELATION_REQUESTS, 2);

	for (int i = 0; i < 2; i++) {
		struct relation_column column = {.oid = i == 0 ? id_type : 2950};

		column.type = pgtype_of(column.oid, -1);
		strncpy(column.name, NAMES[i], sizeof column.name - 1);
		relation_set_column(relation, map, i, &column);
	}
	return relation;
}

static void a_column_is_known_by_name_and_type_or_described_by_its_type_alone(void **state)
{
	struct hostmap map;
	struct fault fault;

	(void)state;
	assert_true(hostmap_load(&map, NULL, &fault));
	struct relation *known = requests_of(&map, 25);
	struct relation *same = requests_of(&map, 25);
	struct relation *changed = requests_of(&map, 23);

	for (int i = 0; i < 2; i++) {
		known->columns[i].is_required = true;
		assert_true(schema_describe(&known->columns[i], NULL));
	}
	assert_true(schema_adopt(same, known));
	assert_string_equal(same->columns[0].schema, known->columns[0].schema);
	assert_false(schema_adopt(changed, known));
	assert_null(changed->columns[0].schema);
	assert_true(schema_open(changed, NULL, "p"));
	assert_string_equal(
	    changed->key_head,
	    "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"string\",\"optional\":false,"
	    "\"name\":\"io.debezium.data.Uuid\",\"version\":1,\"field\":\"user_id\"},{\"type\":"
	    "\"int32\",\"optional\":true,\"field\":\"id\"}],\"optional\":false,\"name\":"
	    "\"p.public.calendar_sync_requests.Key\"},\"payload\":");
	relation_let_go(known);
	relation_let_go(same);
	relation_let_go(changed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_column_is_described_as_debezium_describes_it),
	    cmocka_unit_test(a_column_is_known_by_name_and_type_or_described_by_its_type_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
