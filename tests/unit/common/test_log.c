/* test_log.c - every line is one JSON object, whatever its texts hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/json.h"
#include "common/log.h"

static char path[] = "/tmp/calrelay-test-log-XXXXXX";
static int real_stderr;
static char content[65536];

static int begin(void **state)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_APPEND);

	(void)state;
	real_stderr = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
	log_init("unit-test", LOG_INFO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	return 0;
}

/* All that was written, which must be lines lines. */
static const char *logged(int lines)
{
	FILE *file = fopen(path, "r");
	size_t length = fread(content, 1, sizeof content - 1, file);

	fclose(file);
	content[length] = '\0';
	for (const char *at = content; (at = strchr(at, '\n')) != NULL; at++) {
		lines--;
	}
	assert_int_equal(lines, 0);
	return content;
}

static cJSON *the_line(void)
{
	const char *text = logged(1);
	struct fault fault;
	cJSON *line = json_parse(text, strlen(text), sizeof content, &fault);

	if (line == NULL) {
		fail_msg("%s: %s", fault.what, text);
	}
	return line;
}

static void a_line_carries_time_level_service_body_and_fields(void **state)
{
	int64_t number = 0;
	cJSON *line;

	(void)state;
	log_warn("partition claimed", LOG_TEXT("topic", "t"), LOG_NUMBER("partition", -3));
	line = the_line();
	assert_int_equal(strlen(json_text(line, "timestamp")), 27);
	assert_int_equal(json_text(line, "timestamp")[26], 'Z');
	assert_string_equal(json_text(line, "severity_text"), "WARN");
	assert_true(json_integer(line, "severity_number", &number));
	assert_int_equal(number, 13);
	assert_string_equal(json_text(line, "body"), "partition claimed");
	assert_string_equal(json_text(line, "service.name"), "unit-test");
	assert_string_equal(json_text(line, "topic"), "t");
	assert_true(json_integer(line, "partition", &number));
	assert_int_equal(number, -3);
	cJSON_Delete(line);
}

static void a_line_needs_no_fields(void **state)
{
	cJSON *line;

	(void)state;
	log_error("it ends");
	line = the_line();
	assert_string_equal(json_text(line, "body"), "it ends");
	assert_int_equal(cJSON_GetArraySize(line), 5);
	cJSON_Delete(line);
}

static void hostile_texts_stay_inside_their_field(void **state)
{
	cJSON *line;

	(void)state;
	log_info("a \"body\"\n", LOG_TEXT("text", "x\",\"forged\":\"1\n\r\x01\xFF\\"),
		 LOG_TEXT("none", NULL));
	line = the_line();
	assert_string_equal(json_text(line, "body"), "a \"body\"\n");
	assert_string_equal(json_text(line, "text"), "x\",\"forged\":\"1\n\r\x01\xEF\xBF\xBD\\");
	assert_string_equal(json_text(line, "none"), "");
	assert_null(json_member(line, "forged"));
	cJSON_Delete(line);
}

static void below_the_least_level_nothing_is_written(void **state)
{
	(void)state;
	log_debug("quiet");
	logged(0);
	log_init("unit-test", LOG_DEBUG);
	log_debug("loud");
	logged(1);
}

static void a_line_that_is_too_long_is_still_a_json_line(void **state)
{
	char *text = malloc(20000);
	cJSON *line;

	(void)state;
	memset(text, 'x', 19999);
	text[19999] = '\0';
	log_error("body", LOG_TEXT("text", text));
	line = the_line();
	assert_string_equal(json_text(line, "severity_text"), "ERROR");
	cJSON_Delete(line);
	free(text);
}

static void a_write_that_fails_does_not_silence_the_program(void **state)
{
	int full = open("/dev/full", O_WRONLY);
	int file = dup(STDERR_FILENO);

	(void)state;
	dup2(full, STDERR_FILENO);
	log_info("lost");
	dup2(file, STDERR_FILENO);
	close(full);
	close(file);
	log_info("seen");
	assert_non_null(strstr(logged(1), "\"seen\""));
}

static int fill_slowly(int to)
{
	for (int i = 0; i < 2000; i++) { /* more than the pipe holds */
		log_info("line", LOG_NUMBER("i", i));
	}
	close(to);
	return 0;
}

static void a_slow_reader_gets_whole_lines(void **state)
{
	int ends[2];
	int saved = dup(STDERR_FILENO);
	pid_t child;
	FILE *reader;
	char line[1024];
	int count = 0;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		dup2(ends[1], STDERR_FILENO);
		_exit(fill_slowly(ends[1]));
	}
	close(ends[1]);
	reader = fdopen(ends[0], "r");
	while (fgets(line, sizeof line, reader) != NULL) {
		struct fault fault;
		cJSON *parsed = json_parse(line, strlen(line), sizeof line, &fault);

		assert_non_null(parsed);
		cJSON_Delete(parsed);
		count++;
	}
	fclose(reader);
	waitpid(child, NULL, 0);
	assert_int_equal(count, 2000);
	close(saved);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_line_carries_time_level_service_body_and_fields),
	    TEST(a_line_needs_no_fields),
	    TEST(hostile_texts_stay_inside_their_field),
	    TEST(below_the_least_level_nothing_is_written),
	    TEST(a_line_that_is_too_long_is_still_a_json_line),
	    TEST(a_write_that_fails_does_not_silence_the_program),
	    TEST(a_slow_reader_gets_whole_lines),
	};
	int failed;

	close(mkstemp(path));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
