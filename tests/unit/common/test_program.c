/* test_program.c - what a command line does, and with which exit status it ends. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/program.h"

struct settings {
	char *name;
};

static const struct config_option OPTIONS[] = {{.name = "UNIT_NAME",
						.type = CONFIG_TEXT,
						.required = true,
						.offset = offsetof(struct settings, name),
						.help = "the name"}};
static struct settings settings;

static int run(void)
{
	struct rlimit core;

	getrlimit(RLIMIT_CORE, &core);
	return core.rlim_max == 0 && strcmp(settings.name, "n") == 0 ? 7 : 1;
}

static int check(void)
{
	return 9;
}

static int count(int argc, char **argv)
{
	return argc == 1 && strcmp(argv[0], "--two") == 0 && strcmp(settings.name, "n") == 0 ? 11
											     : 1;
}

static const struct program_command COMMANDS[] = {
    {.name = "count", .arguments = "[--two]", .help = "counts", .run = count}};

static const struct program PROGRAM = {.name = "unit-test",
				       .summary = "a program",
				       .options = OPTIONS,
				       .option_count = 1,
				       .config = &settings,
				       .run = run,
				       .check = check,
				       .commands = COMMANDS,
				       .command_count = 1};

static char output[4096];

static int read_all(int from)
{
	size_t length = 0;
	ssize_t got;

	while ((got = read(from, output + length, sizeof output - 1 - length)) > 0) {
		length += (size_t)got;
	}
	output[length] = '\0';
	close(from);
	return 0;
}

/* The exit status of a child that was called so; what it printed is in output. */
static int call(const struct program *program, const char *first, const char *second)
{
	char arguments[3][32] = {"unit-test", "", ""};
	char *argv[4] = {arguments[0], NULL, NULL, NULL};
	int argc = 1;
	int ends[2];
	int status = 0;
	pid_t child;

	for (int i = 0; i < 2; i++) {
		const char *argument = i == 0 ? first : second;

		if (argument != NULL) {
			snprintf(arguments[argc], sizeof arguments[argc], "%s", argument);
			argv[argc] = arguments[argc];
			argc++;
		}
	}
	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		status = program_main(program, argc, argv);
		fflush(NULL);
		_exit(status);
	}
	close(ends[1]);
	read_all(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int begin(void **state)
{
	(void)state;
	return setenv("UNIT_NAME", "n", 1);
}

static void without_an_option_it_runs_with_its_settings_and_no_core_file(void **state)
{
	(void)state;
	assert_int_equal(call(&PROGRAM, NULL, NULL), 7);
}

static void a_wrong_setting_is_a_finding_of_check(void **state)
{
	(void)state;
	unsetenv("UNIT_NAME");
	assert_int_equal(call(&PROGRAM, "--check", NULL), 1);
	assert_non_null(strstr(output, "UNIT_NAME is not set"));
	assert_int_equal(call(&PROGRAM, "count", "--two"), 78);
	setenv("UNIT_NAME", "n", 1);
}

static void check_checks(void **state)
{
	struct program without = PROGRAM;

	(void)state;
	assert_int_equal(call(&PROGRAM, "--check", NULL), 9);
	without.check = NULL;
	assert_int_equal(call(&without, "--check", NULL), 64);
}

static void a_command_gets_what_follows_its_name(void **state)
{
	(void)state;
	assert_int_equal(call(&PROGRAM, "count", "--two"), 11);
	assert_int_equal(call(&PROGRAM, "coun", NULL), 64);
	assert_int_equal(call(&PROGRAM, "--help", NULL), 0);
	assert_non_null(strstr(output, "  count [--two]\n             counts\n"));
}

static void a_missing_setting_is_one_line_and_status_78(void **state)
{
	(void)state;
	unsetenv("UNIT_NAME");
	assert_int_equal(call(&PROGRAM, NULL, NULL), 78);
	assert_string_equal(output, "unit-test: UNIT_NAME is not set: the name\n");
}

static void help_and_version_need_no_settings(void **state)
{
	(void)state;
	unsetenv("UNIT_NAME");
	assert_int_equal(call(&PROGRAM, "--help", NULL), 0);
	assert_non_null(strstr(output, "unit-test - a program\n"));
	assert_non_null(strstr(output, "--check"));
	assert_non_null(strstr(output, "UNIT_NAME\n      the name (required)\n"));
	assert_int_equal(call(&PROGRAM, "--version", NULL), 0);
	assert_int_equal(strncmp(output, "unit-test ", 10), 0);
	assert_non_null(strstr(output, "librdkafka "));
}

static void an_unknown_option_is_status_64(void **state)
{
	(void)state;
	assert_int_equal(call(&PROGRAM, "--nonsense", NULL), 64);
	assert_non_null(strstr(output, "'--nonsense'"));
	assert_int_equal(call(&PROGRAM, "--help", "--check"), 64);
}

/* bad input 56 */
static void an_unknown_option_is_told_the_nearest_one(void **state)
{
	static const struct {
		const char *said;
		const char *meant;
	} CASES[] = {{"--chek", "--check"}, {"--hepl", "--help"},	{"-version", "--version"},
		     {"check", "--check"},  {"--verison", "--version"}, {"cuont", "count"}};
	struct program without = PROGRAM;

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		char expected[128];

		snprintf(
		    expected, sizeof expected,
		    "unit-test: unknown option '%s': did you mean %s? (see unit-test --help)\n",
		    CASES[i].said, CASES[i].meant);
		assert_int_equal(call(&PROGRAM, CASES[i].said, NULL), 64);
		assert_string_equal(output, expected);
	}
	without.check = NULL;
	assert_int_equal(call(&without, "--chek", NULL), 64);
	assert_null(strstr(output, "--check"));
	assert_int_equal(call(&PROGRAM, "--nonsense", NULL), 64);
	assert_null(strstr(output, "mean"));
}

/* bad input 56 */
static void a_variable_that_is_nearly_one_of_ours_is_warned_of_without_its_value(void **state)
{
	(void)state;
	unsetenv("UNIT_NAME");
	setenv("UNIT_NMAE", "s3cret", 1);
	setenv("UNIT_OTHER", "another program's", 1);
	assert_int_equal(call(&PROGRAM, NULL, NULL), 78);
	unsetenv("UNIT_NMAE");
	assert_non_null(strstr(output, "\"variable\":\"UNIT_NMAE\",\"nearest\":\"UNIT_NAME\""));
	assert_non_null(strstr(output, "unit-test: UNIT_NAME is not set"));
	assert_null(strstr(output, "s3cret"));
	assert_null(strstr(output, "UNIT_OTHER"));
	unsetenv("UNIT_OTHER");
}

struct served {
	char *name;
	char *listen;
};

static const struct config_option SERVED_OPTIONS[] = {{.name = "UNIT_NAME",
						       .type = CONFIG_TEXT,
						       .required = true,
						       .offset = offsetof(struct served, name),
						       .help = "the name"},
						      {.name = "UNIT_LISTEN",
						       .type = CONFIG_LISTEN,
						       .fallback = "127.0.0.1:1",
						       .offset = offsetof(struct served, listen),
						       .help = "the address"}};
static struct served served;

static int listen_on_loopback(int *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

/* A child that gives one visitor this answer to GET /livez, or hangs up on any other request. */
static pid_t answer_once(int fd, const char *answer)
{
	pid_t child = fork();

	if (child == 0) {
		int visitor = accept(fd, NULL, NULL);
		char request[256] = "";
		ssize_t got = recv(visitor, request, sizeof request - 1, 0);

		if (got > 0 && strncmp(request, "GET /livez HTTP/1.0\r\n", 21) == 0) {
			send(visitor, answer, strlen(answer), MSG_NOSIGNAL);
		}
		close(visitor);
		_exit(0);
	}
	return child;
}

/* --health's exit status against a server with this answer, found under this host. */
static int health_of(const char *host, const char *answer)
{
	const struct program program = {
	    .name = "unit-test", .options = SERVED_OPTIONS, .option_count = 2, .config = &served};
	char listen[64];
	int port;
	int fd = listen_on_loopback(&port);
	pid_t child = answer_once(fd, answer);
	int status;

	snprintf(listen, sizeof listen, "%s:%d", host, port);
	setenv("UNIT_LISTEN", listen, 1);
	status = call(&program, "--health", NULL);
	unsetenv("UNIT_LISTEN");
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(fd);
	return status;
}

static void health_is_what_livez_answers_on_loopback_where_every_address_is_served(void **state)
{
	(void)state;
	unsetenv("UNIT_NAME"); /* it needs no other setting */
	assert_int_equal(health_of("127.0.0.1", "HTTP/1.1 200 OK\r\n\r\nok\n"), 0);
	assert_string_equal(output, "");
	assert_int_equal(health_of("0.0.0.0", "HTTP/1.0 200 OK\r\n\r\nok\n"), 0);
	assert_int_equal(health_of("127.0.0.1", "HTTP/1.1 503 Service Unavailable\r\n\r\n"), 1);
	assert_string_equal(output, "unit-test: /livez answers HTTP/1.1 503\n");
	assert_int_equal(health_of("127.0.0.1", "HTTP/1.1"), 1);
	assert_string_equal(output, "unit-test: /livez: the connection ended without an answer\n");
}

static void health_fails_where_nobody_listens(void **state)
{
	const struct program program = {
	    .name = "unit-test", .options = SERVED_OPTIONS, .option_count = 2, .config = &served};

	(void)state;
	assert_int_equal(call(&program, "--health", NULL), 1);
	assert_string_equal(output,
			    "unit-test: nobody listens on 127.0.0.1:1: Connection refused\n");
	assert_int_equal(call(&PROGRAM, "--health", NULL), 64); /* serves nothing */
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(without_an_option_it_runs_with_its_settings_and_no_core_file),
	    TEST(check_checks),
	    TEST(a_wrong_setting_is_a_finding_of_check),
	    TEST(a_command_gets_what_follows_its_name),
	    TEST(a_missing_setting_is_one_line_and_status_78),
	    TEST(help_and_version_need_no_settings),
	    TEST(an_unknown_option_is_status_64),
	    TEST(an_unknown_option_is_told_the_nearest_one),
	    TEST(a_variable_that_is_nearly_one_of_ours_is_warned_of_without_its_value),
	    TEST(health_is_what_livez_answers_on_loopback_where_every_address_is_served),
	    TEST(health_fails_where_nobody_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
