/* test_self.c - what a process says of itself, against what the kernel says of it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/self.h"

static double value_of(const char *name)
{
	struct buf text;
	char line[80];
	const char *at;
	double value = -1;

	buf_init(&text, 65536);
	self_write_metrics(&text);
	snprintf(line, sizeof line, "\n%s ", name);
	at = strstr(buf_string(&text), line);
	if (at != NULL) {
		value = strtod(at + strlen(line), NULL);
	}
	buf_close(&text);
	return value;
}

static void the_build_is_told_by_program_version_and_commit(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, 65536);
	self_write_metrics(&text);
	assert_non_null(strstr(buf_string(&text), "\ncalrelay_build_info{program=\""));
	assert_non_null(strstr(buf_string(&text), "\",version=\""));
	assert_non_null(strstr(buf_string(&text), "\",commit=\""));
	buf_close(&text);
}

static void the_start_is_just_now_and_stays(void **state)
{
	double first = value_of("process_start_time_seconds");

	(void)state;
	assert_true(first > (double)time(NULL) - 60 && first < (double)time(NULL) + 2);
	usleep(20000);
	assert_float_equal(value_of("process_start_time_seconds"), first, 1e-9);
}

static void a_file_that_is_opened_counts(void **state)
{
	double before = value_of("process_open_fds");
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(before >= 3);
	assert_float_equal(value_of("process_open_fds"), before + 1, 1e-9);
	close(fd);
	assert_true(value_of("process_max_fds") >= before);
}

static void memory_and_time_are_used(void **state)
{
	(void)state;
	assert_true(value_of("process_resident_memory_bytes") > 1 << 20);
	assert_true(value_of("process_cpu_seconds_total") > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_build_is_told_by_program_version_and_commit),
	    cmocka_unit_test(the_start_is_just_now_and_stays),
	    cmocka_unit_test(a_file_that_is_opened_counts),
	    cmocka_unit_test(memory_and_time_are_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
