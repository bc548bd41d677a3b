/* test_config.c - settings from the environment; each refusal names its variable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/config.h"

struct settings {
	char *name;
	char *secret;
	char *url;
	char *listen;
	int64_t count;
	bool is_on;
};

#define AT(member) offsetof(struct settings, member)

static const struct config_option OPTIONS[] = {
    {.name = "UNIT_NAME",
     .type = CONFIG_TEXT,
     .required = true,
     .offset = AT(name),
     .help = "a name"},
    {.name = "UNIT_SECRET",
     .type = CONFIG_TEXT,
     .required = true,
     .has_file_variant = true,
     .offset = AT(secret),
     .help = "a secret"},
    {.name = "UNIT_URL",
     .type = CONFIG_URL,
     .fallback = "https://example.invalid/",
     .offset = AT(url),
     .help = "a URL"},
    {.name = "UNIT_LISTEN", .type = CONFIG_LISTEN, .offset = AT(listen), .help = "an address"},
    {.name = "UNIT_COUNT",
     .type = CONFIG_INTEGER,
     .fallback = "5",
     .least = 1,
     .most = 10,
     .offset = AT(count),
     .help = "how many"},
    {.name = "UNIT_SWITCH",
     .type = CONFIG_BOOLEAN,
     .fallback = "false",
     .offset = AT(is_on),
     .help = "whether"},
};
#define OPTION_COUNT (sizeof OPTIONS / sizeof *OPTIONS)

static struct settings settings;
static struct fault fault;
static char path[] = "/tmp/calrelay-test-config-XXXXXX";

static int begin(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		unsetenv(OPTIONS[i].name);
	}
	unsetenv("UNIT_SECRET_FILE");
	unsetenv("UNIT_NAME_FILE");
	setenv("UNIT_NAME", "n", 1);
	setenv("UNIT_SECRET", "s", 1);
	settings = (struct settings){0};
	return 0;
}

static int end(void **state)
{
	(void)state;
	config_free(OPTIONS, OPTION_COUNT, &settings);
	return 0;
}

static bool load(void)
{
	config_free(OPTIONS, OPTION_COUNT, &settings);
	return config_load(OPTIONS, OPTION_COUNT, &settings, &fault);
}

static void assert_loads(void)
{
	if (!load()) {
		fail_msg("%s", fault.what);
	}
}

static void assert_refused(const char *variable)
{
	assert_false(load());
	assert_int_equal(fault.kind, FAULT_FATAL);
	assert_int_equal(strncmp(fault.what, variable, strlen(variable)), 0);
	assert_null(strchr(fault.what, '\n'));
}

static void write_secret(const void *bytes, size_t length, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_int_equal(fwrite(bytes, 1, length, file), length);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
	unsetenv("UNIT_SECRET");
	setenv("UNIT_SECRET_FILE", path, 1);
}

static void what_is_set_is_read_and_the_rest_falls_back(void **state)
{
	(void)state;
	setenv("UNIT_LISTEN", "[::1]:0", 1);
	assert_loads();
	assert_string_equal(settings.name, "n");
	assert_string_equal(settings.secret, "s");
	assert_string_equal(settings.url, "https://example.invalid");
	assert_string_equal(settings.listen, "[::1]:0");
	assert_int_equal(settings.count, 5);
}

static void an_option_without_a_fallback_stays_null(void **state)
{
	(void)state;
	assert_loads();
	assert_null(settings.listen);
}

static void a_missing_required_one_is_named_with_its_help(void **state)
{
	(void)state;
	unsetenv("UNIT_NAME");
	assert_refused("UNIT_NAME is not set");
	assert_non_null(strstr(fault.what, "a name"));
}

static void an_empty_one_counts_as_not_set(void **state)
{
	(void)state;
	setenv("UNIT_COUNT", "", 1);
	assert_loads();
	assert_int_equal(settings.count, 5);
	setenv("UNIT_NAME", "", 1);
	assert_refused("UNIT_NAME is not set");
}

static void whole_numbers_within_their_range_pass(void **state)
{
	static const char *const BAD[] = {"0",	 "11", "-1", "x",
					  "1.5", "5 ", "5x", "99999999999999999999"};

	(void)state;
	setenv("UNIT_COUNT", "10", 1);
	assert_loads();
	assert_int_equal(settings.count, 10);
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		setenv("UNIT_COUNT", BAD[i], 1);
		assert_refused("UNIT_COUNT must be a whole number from 1 to 10");
	}
}

static void a_switch_is_true_or_false(void **state)
{
	static const char *const BAD[] = {"yes", "1", "TRUE", "true ", "falsehood"};

	(void)state;
	assert_loads();
	assert_false(settings.is_on);
	setenv("UNIT_SWITCH", "true", 1);
	assert_loads();
	assert_true(settings.is_on);
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		setenv("UNIT_SWITCH", BAD[i], 1);
		assert_refused("UNIT_SWITCH must be true or false");
	}
}

/* bad input 54 */
static void urls_are_https_or_loopback(void **state)
{
	static const char *const GOOD[] = {
	    "https://login.example.com", "https://example.com:8443/base", "http://127.0.0.1",
	    "http://127.0.0.1:9400",	 "http://LOCALHOST:9400/x",	  "http://[::1]:9400",
	    "http://127.1.2.3:9400"};
	static const char *const BAD[] = {"http://example.com",
					  "https://",
					  "example.com",
					  "ftp://example.com",
					  "http://127.0.0.1.evil.example",
					  "http://127.evil.example",
					  "http://128.0.0.1",
					  "http://[::1].evil.example",
					  "http://localhost.evil.example",
					  "https://exa mple.com",
					  "http://localhost:x@evil.example",
					  "https://a@b.example",
					  "https://a.example\n"};

	(void)state;
	for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
		setenv("UNIT_URL", GOOD[i], 1);
		assert_loads();
		assert_string_equal(settings.url, GOOD[i]);
	}
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		setenv("UNIT_URL", BAD[i], 1);
		assert_refused("UNIT_URL");
	}
}

static void a_url_loses_its_trailing_slashes(void **state)
{
	(void)state;
	setenv("UNIT_URL", "https://example.com//", 1);
	assert_loads();
	assert_string_equal(settings.url, "https://example.com");
}

static void listening_addresses_have_a_port(void **state)
{
	static const char *const BAD[] = {
	    "8080", ":8080", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:http"};

	(void)state;
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		setenv("UNIT_LISTEN", BAD[i], 1);
		assert_refused("UNIT_LISTEN must be address:port");
	}
}

static void a_secret_file_is_read_less_one_newline(void **state)
{
	(void)state;
	write_secret("s3cret\n\n", 8, 0600);
	assert_loads();
	assert_string_equal(settings.secret, "s3cret\n");
	write_secret("s3cret", 6, 0440);
	assert_loads();
	assert_string_equal(settings.secret, "s3cret");
}

/* bad input 55 */
static void a_secret_file_that_others_can_touch_is_refused(void **state)
{
	(void)state;
	for (mode_t bits = 1; bits <= 7; bits++) {
		write_secret("s3cret", 6, 0600 | bits);
		assert_refused("UNIT_SECRET_FILE: others can read");
		assert_non_null(strstr(fault.what, path));
		assert_null(strstr(fault.what, "s3cret"));
	}
}

static void an_empty_secret_file_is_refused(void **state)
{
	(void)state;
	write_secret("", 0, 0600);
	assert_refused("UNIT_SECRET_FILE");
	write_secret("\n", 1, 0600);
	assert_refused("UNIT_SECRET_FILE");
}

static void a_secret_file_that_is_no_text_or_too_large_is_refused(void **state)
{
	char *large = malloc(65537);

	(void)state;
	write_secret("a\0b", 3, 0600);
	assert_refused("UNIT_SECRET_FILE");
	memset(large, 'x', 65537);
	write_secret(large, 65537, 0600);
	assert_refused("UNIT_SECRET_FILE");
	write_secret(large, 65536, 0600);
	assert_loads();
	free(large);
}

static void a_secret_file_that_is_not_there_is_refused(void **state)
{
	(void)state;
	unsetenv("UNIT_SECRET");
	setenv("UNIT_SECRET_FILE", "/nonexistent/secret", 1);
	assert_refused("UNIT_SECRET_FILE: can't open /nonexistent/secret");
	setenv("UNIT_SECRET_FILE", "/", 1); /* a folder */
	assert_refused("UNIT_SECRET_FILE");
}

static void the_variable_and_its_file_at_once_are_refused(void **state)
{
	(void)state;
	write_secret("s3cret", 6, 0600);
	setenv("UNIT_SECRET", "other", 1);
	assert_refused("UNIT_SECRET and UNIT_SECRET_FILE are both set");
}

static void a_file_is_read_only_where_the_option_has_one(void **state)
{
	(void)state;
	write_secret("from a file", 11, 0600);
	setenv("UNIT_NAME_FILE", path, 1);
	assert_loads();
	assert_string_equal(settings.name, "n");
}

/* bad input 56 */
static void a_slip_of_the_pen_is_told_from_another_programs_variable(void **state)
{
	static const char *const SLIPS[][2] = {{"UNIT_NAEM", "UNIT_NAME"},
					       {"UNIT_SECRETS", "UNIT_SECRET"},
					       {"UNIT_SECRET_FIEL", "UNIT_SECRET_FILE"},
					       {"UNIT-COUNT", "UNIT_COUNT"}};
	static const char *const NONE[] = {"UNIT_NAME", "UNIT_SECRET_FILE", "UNIT_ANOTHER", "PATH",
					   ""};
	char nearest[CONFIG_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof SLIPS / sizeof *SLIPS; i++) {
		assert_true(config_is_slip(OPTIONS, OPTION_COUNT, SLIPS[i][0], nearest));
		assert_string_equal(nearest, SLIPS[i][1]);
	}
	for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++) {
		assert_false(config_is_slip(OPTIONS, OPTION_COUNT, NONE[i], nearest));
	}
}

static void help_tells_every_option(void **state)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	config_help(OPTIONS, OPTION_COUNT, out);
	fclose(out);
	assert_non_null(strstr(text, "UNIT_NAME\n      a name (required)\n"));
	assert_non_null(strstr(text, "UNIT_SECRET (or _FILE)\n"));
	assert_non_null(strstr(text, "how many [5]\n"));
	free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_set_is_read_and_the_rest_falls_back),
	    TEST(an_option_without_a_fallback_stays_null),
	    TEST(a_missing_required_one_is_named_with_its_help),
	    TEST(an_empty_one_counts_as_not_set),
	    TEST(whole_numbers_within_their_range_pass),
	    TEST(a_switch_is_true_or_false),
	    TEST(urls_are_https_or_loopback),
	    TEST(a_url_loses_its_trailing_slashes),
	    TEST(listening_addresses_have_a_port),
	    TEST(a_secret_file_is_read_less_one_newline),
	    TEST(a_secret_file_that_others_can_touch_is_refused),
	    TEST(an_empty_secret_file_is_refused),
	    TEST(a_secret_file_that_is_no_text_or_too_large_is_refused),
	    TEST(a_secret_file_that_is_not_there_is_refused),
	    TEST(the_variable_and_its_file_at_once_are_refused),
	    TEST(a_file_is_read_only_where_the_option_has_one),
	    TEST(a_slip_of_the_pen_is_told_from_another_programs_variable),
	    TEST(help_tells_every_option),
	};
	int failed;

	close(mkstemp(path));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
