/* test_value.c - each type as Debezium writes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "producer/pgtime.h"
#include "producer/value.h"

struct sample {
	uint32_t oid;
	int32_t modifier;
	const char *text;
	const char *json;
};

/* numeric(p,s) as its modifier */
#define NUMERIC(p, s) ((int32_t)(((p) << 16 | (s)) + 4))

/* Where a value stands in the recorded golden files it is taken from there. */
/* clang-format off */
static const struct sample SAMPLES[] = {
	{2950, -1, "11111111-1111-1111-1111-111111111111", "\"11111111-1111-1111-1111-111111111111\""},
	{25, -1, "Ac\"me \xc3\x85\n", "\"Ac\\\"me \xc3\x85\\n\""},
	{25, -1, "\xf0\x9f\x98\x80\x01", "\"\\uD83D\\uDE00\\u0001\""},
	{3802, -1, "{\"a\": [1, 2]}", "\"{\\\"a\\\": [1, 2]}\""},
	{16, -1, "t", "true"},
	{16, -1, "f", "false"},
	{21, -1, "-7", "-7"},
	{20, -1, "9223372036854775807", "9223372036854775807"},
	{26, -1, "4294967295", "4294967295"},
	{700, -1, "0.5", "0.5"},
	{701, -1, "1.25", "1.25"},
	{701, -1, "1e+20", "1.0E20"},
	{701, -1, "1.5e-07", "1.5E-7"},
	{701, -1, "0.001", "0.001"},
	{701, -1, "0.0001", "1.0E-4"},
	{701, -1, "1234567", "1234567.0"},
	{701, -1, "12345678", "1.2345678E7"},
	{701, -1, "-0", "-0.0"},
	{701, -1, "0", "0.0"},
	{701, -1, "NaN", "\"NaN\""},
	{701, -1, "-Infinity", "\"-Infinity\""},
	{1082, -1, "2026-11-23", "20780"},
	{1082, -1, "1970-01-01", "0"},
	{1082, -1, "1969-12-31", "-1"},
	{1082, -1, "0001-01-01 BC", "-719528"},
	{1082, -1, "infinity", "-2147472692"},
	{1082, -1, "-infinity", "-2147472691"},
	{1083, -1, "09:00:00.5", "32400500000"},
	{1083, 3, "09:00:00.5", "32400500"},
	{1083, -1, "24:00:00", "86400000000"},
	{1114, -1, "2026-11-23 10:00:00", "1795428000000000"},
	{1114, 3, "2026-11-23 10:00:00.123", "1795428000123"},
	{1114, -1, "infinity", "9223372036825200000"},
	{1184, -1, "2026-11-23 09:00:00+00", "\"2026-11-23T09:00:00.000000Z\""},
	{1184, -1, "2026-11-23 10:22:33.5+00", "\"2026-11-23T10:22:33.500000Z\""},
	{1184, -1, "2026-11-23 00:30:00+05:30", "\"2026-11-22T19:00:00.000000Z\""},
	{1184, 3, "2026-11-23 10:22:33.5+00", "\"2026-11-23T10:22:33.500Z\""},
	{1184, 0, "2026-11-23 10:22:33+00", "\"2026-11-23T10:22:33Z\""},
	{1184, -1, "12026-01-01 00:00:00+00", "\"+12026-01-01T00:00:00.000000Z\""},
	{1184, -1, "infinity", "\"infinity\""},
	{1266, -1, "09:00:00+00", "\"09:00:00Z\""},
	{1266, -1, "01:00:00.5+02", "\"23:00:00.5Z\""},
	{1186, -1, "1 day 02:03:04.5", "93784500000"},
	{1186, -1, "-1 days", "-86400000000"},
	{1186, -1, "1 mon", "2629800000000"},
	{1186, -1, "-00:00:01", "-1000000"},
	{1186, -1, "00:00:00", "0"},
	{1700, NUMERIC(12, 2), "1234.50", "\"AeI6\""},
	{1700, NUMERIC(12, 2), "-1.28", "\"gA==\""},
	{1700, NUMERIC(12, 2), "0.00", "\"AA==\""},
	{1700, NUMERIC(40, 0), "18446744073709551616", "\"AQAAAAAAAAAA\""},
	{1700, -1, "3.1400", "{\"scale\":2,\"value\":\"ATo=\"}"},
	{1700, -1, "100", "{\"scale\":0,\"value\":\"ZA==\"}"},
	{1700, -1, "0", "{\"scale\":0,\"value\":\"AA==\"}"},
	{1700, -1, "0.001", "{\"scale\":3,\"value\":\"AQ==\"}"},
	{1700, -1, "NaN", "\"NaN\""},
	{790, -1, "$1,234.50", "\"AeI6\""},
	{790, -1, "-$1.28", "\"gA==\""},
	{17, -1, "\\x00ff10", "\"AP8Q\""},
	{17, -1, "\\x", "\"\""},
	{1560, 1, "1", "true"},
	{1560, 1, "0", "false"},
	{1560, 4, "0101", "\"BQ==\""},
	{1562, -1, "1000000001", "\"AQI=\""},
	{1562, -1, "000", "\"\""},
	{1009, -1, "{a,\"b c\",NULL}", "[\"a\",\"b c\",null]"},
	{1009, -1, "{\"NULL\",\"x\\\"y\\\\z\",\"\"}", "[\"NULL\",\"x\\\"y\\\\z\",\"\"]"},
	{1009, -1, "{}", "[]"},
	{1007, -1, "{{1,2},{3,4}}", "[[1,2],[3,4]]"},
	{1007, -1, "[0:1]={7,8}", "[7,8]"},
	{1182, -1, "{2026-11-23,NULL}", "[20780,null]"},
	{869, -1, "10.0.0.1/8", "\"10.0.0.1/8\""},
	{99999, -1, "happy", "\"happy\""},
	/* not what the type promises: visible as it is */
	{23, -1, "12a", "\"12a\""},
	{1082, -1, "23.11.2026", "\"23.11.2026\""},
	{1009, -1, "{open", "\"{open\""},
	{1009, -1, "{\"open", "\"{\\\"open\""},
	{17, -1, "\\x0", "\"\\\\x0\""},
	{701, -1, "1.2.3", "\"1.2.3\""},
};
/* clang-format on */

static void each_type_is_written_as_debezium_writes_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof SAMPLES / sizeof *SAMPLES; i++) {
		const struct sample *sample = &SAMPLES[i];
		struct pgtype type = pgtype_of(sample->oid, sample->modifier);
		struct buf out;

		buf_init(&out, 4096);
		value_write(&out, &type, sample->text, strlen(sample->text));
		assert_string_equal(buf_string(&out), sample->json);
		buf_close(&out);
	}
}

static void a_long_numeric_is_exact(void **state)
{
	struct pgtype type = pgtype_of(1700, NUMERIC(400, 0));
	char text[301];
	struct buf out;

	(void)state;
	memset(text, '9', 300);
	text[300] = '\0';
	buf_init(&out, 4096);
	value_write(&out, &type, text, 300);
	assert_int_equal(out.length, 2 + 168); /* 10^300 - 1 has 997 bits: 125 bytes */
	buf_close(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_type_is_written_as_debezium_writes_it),
	    cmocka_unit_test(a_long_numeric_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
