/* test_golden.c - the recorded stream of tests/golden becomes what real Debezium wrote of it: byte
 * for byte, each LSN, transaction id and time included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "calrelay_version.h"
#include "path.h"

#define LINE_MAX_BYTES 65536
#define SNAPSHOT_ROWS  7 /* what stood in the table before the stream */

#define VERSION_OF(version) "\"source\":{\"version\":\"" version "\""

/* What the host's own types rest on: catalog.json says so. */
static const struct {
	const char *name;
	uint32_t oid;
	int32_t modifier;
} OWN[] = {{"c_price", 1700, 524294},
	   {"c_dearer", 1700, 524294},
	   {"c_moment", 1114, 3},
	   {"n_weight", 1700, 589832},
	   {"a_citext", 1009, -1}};

static struct path path; /* large */
static FILE *golden;
static int compared;

static FILE *open_file(const char *name)
{
	char full[1024];
	FILE *file;

	snprintf(full, sizeof full, SOURCE_DIR "/tests/golden/%s", name);
	file = fopen(full, "r");
	assert_non_null(file);
	return file;
}

/* The next line of plain.records that begins with the letter; what stands behind it. */
static const char *next_line(char letter, char *line)
{
	do {
		if (fgets(line, LINE_MAX_BYTES, golden) == NULL) {
			fail_msg("Debezium has written nothing more");
			return "";
		}
	} while (line[0] != letter);
	line[strcspn(line, "\n")] = '\0';
	return line[1] == ' ' ? line + 2 : line + 1;
}

/* Where the text that only one of the two has begins: when the record was made, and the project. */
static size_t end_of_common(const char *value)
{
	const char *op = strstr(value, ",\"transaction\":null,\"op\":\"");

	return op != NULL ? (size_t)(op - value) + sizeof ",\"transaction\":null,\"op\":\"c\"" - 1
			  : 0;
}

/* Removes the first `what`, puts `with` in its place; the two are of any length. */
static void replace(char *text, const char *what, const char *with)
{
	char *at = strstr(text, what);

	if (at != NULL) {
		memmove(at + strlen(with), at + strlen(what), strlen(at + strlen(what)) + 1);
		for (; *with != '\0'; with++) {
			*at++ = *with;
		}
	}
}

/* cmocka shows only the beginning of what differs. */
static void assert_same(const char *ours, const char *theirs)
{
	size_t at = 0;
	size_t from;

	while (ours[at] != '\0' && ours[at] == theirs[at]) {
		at++;
	}
	from = at > 80 ? at - 80 : 0;
	if (ours[at] != theirs[at]) {
		fail_msg("record %d: ours %.160s, Debezium's %.160s", compared, ours + from,
			 theirs + from);
	}
}

static void compare_record(const struct path *from, const struct path_record *record)
{
	static char line[LINE_MAX_BYTES];
	static char ours[2 * LINE_MAX_BYTES];
	static char theirs[2 * LINE_MAX_BYTES];

	(void)from;
	if (record->op == 'p') {
		return; /* Debezium's projects have a topic of their own */
	}
	assert_string_equal(buf_string(record->key), next_line('K', line));
	snprintf(ours, sizeof ours, "%s", buf_string(record->value));
	snprintf(theirs, sizeof theirs, "%s", next_line('V', line));
	replace(ours, VERSION_OF(CALRELAY_VERSION), "\"source\":{\"version\":\"3.6.1.Final\"");
	/* recorded with replace.null.with.default=false, see the README there */
	replace(theirs, "\"snapshot\":null,\"db\"", "\"snapshot\":\"false\",\"db\"");
	ours[end_of_common(ours)] = '\0';
	theirs[end_of_common(theirs)] = '\0';
	assert_same(ours, theirs);
	compared++;
}

/* As the catalog would explain them. */
static void explain_types(struct relation *relation)
{
	for (int i = 0; i < relation->column_count; i++) {
		struct relation_column *column = &relation->columns[i];

		for (size_t j = 0; j < sizeof OWN / sizeof *OWN; j++) {
			if (strcmp(column->name, OWN[j].name) == 0) {
				column->type = pgtype_of(OWN[j].oid, OWN[j].modifier);
			}
		}
	}
}

static void take_frame(const char *line)
{
	static char bytes[LINE_MAX_BYTES / 2];
	char *end;
	size_t length = 0;
	struct fault fault;

	path.source.lsn = strtoull(line, &end, 16);
	assert_int_equal(*end, ' ');
	for (const char *at = end + 1; at[0] != '\0' && at[0] != '\n'; at += 2) {
		const char pair[3] = {at[0], at[1], '\0'};

		bytes[length++] = (char)strtoul(pair, NULL, 16);
	}
	if (!path_take(&path, bytes, length, &fault)) {
		fail_msg("%s", fault.what);
	}
	if (path.message.kind == PGOUTPUT_RELATION) {
		explain_types(relations_find(&path.relations, path.message.relation, &fault));
	}
}

static void the_recorded_stream_becomes_what_debezium_wrote_of_it(void **state)
{
	static char line[LINE_MAX_BYTES];
	FILE *stream = open_file("pgoutput.hex");

	(void)state;
	golden = open_file("plain.records");
	for (int i = 0; i < SNAPSHOT_ROWS; i++) {
		assert_non_null(strstr(next_line('V', line), "\"op\":\"r\""));
	}
	assert_true(path_init(&path));
	path.source.name = path.source.database = "amidashgolden";
	path.on_record = compare_record;
	while (fgets(line, sizeof line, stream) != NULL) {
		take_frame(line);
	}
	assert_true(compared > 50);
	while (fgets(line, sizeof line, golden) != NULL) {
		assert_int_not_equal(line[0], 'V'); /* nothing is left over */
	}
	path_close(&path);
	fclose(stream);
	fclose(golden);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_recorded_stream_becomes_what_debezium_wrote_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
