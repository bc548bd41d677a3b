/* program.c - the command line and the configuration of every program. */
#include "common/program.h"

#include <curl/curl.h>
#include <librdkafka/rdkafka.h>
#include <libpq-fe.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "calrelay_version.h"
#include "common/health.h"
#include "common/log.h"
#include "common/nearest.h"

static void print_version(const struct program *program)
{
	int pq = PQlibVersion();

	printf("%s %s (%s)\nlibrdkafka %s, libcurl %s, libpq %d.%d, %s, libuv %s\n", program->name,
	       CALRELAY_VERSION, CALRELAY_COMMIT, rd_kafka_version_str(),
	       curl_version_info(CURLVERSION_NOW)->version, pq / 10000, pq % 10000,
	       OpenSSL_version(OPENSSL_VERSION), uv_version_string());
}

/* The one that says where the program serves; NULL: nowhere. */
static const struct config_option *listen_option(const struct program *program)
{
	for (size_t i = 0; i < program->option_count; i++) {
		if (program->options[i].type == CONFIG_LISTEN) {
			return &program->options[i];
		}
	}
	return NULL;
}

static void print_help(const struct program *program)
{
	bool serves = listen_option(program) != NULL;

	printf("%s - %s\n\nusage: %s [--help | --version%s%s%s]\n\n", program->name,
	       program->summary, program->name, serves ? " | --health" : "",
	       program->check != NULL ? " | --check" : "",
	       program->command_count > 0 ? " | command" : "");
	puts("  --help     this text\n  --version  version, commit and libraries");
	if (serves) {
		puts("  --health   asks the program that serves with these settings: exit 0 if it "
		     "lives");
	}
	if (program->check != NULL) {
		puts("  --check    proves the surroundings, one line per finding; exit 0 or 1");
	}
	for (size_t i = 0; i < program->command_count; i++) {
		const struct program_command *command = &program->commands[i];

		printf("  %s %s\n             %s\n", command->name, command->arguments,
		       command->help);
	}
	puts("\nConfiguration, by environment variables:");
	config_help(program->options, program->option_count, stdout);
}

/* Tokens pass through memory: it must not end up in a core file. */
static void refuse_core_dumps(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* The name is told, never the value: it may be a secret's. */
static void warn_of_slips(const struct program *program)
{
	for (char **variable = environ; *variable != NULL; variable++) {
		char name[CONFIG_NAME_SIZE];
		char nearest[CONFIG_NAME_SIZE];
		size_t length = strcspn(*variable, "=");

		if (length >= sizeof name) {
			continue;
		}
		snprintf(name, sizeof name, "%.*s", (int)length, *variable);
		if (config_is_slip(program->options, program->option_count, name, nearest)) {
			log_warn("a variable is unknown, and nearly one of ours",
				 LOG_TEXT("variable", name), LOG_TEXT("nearest", nearest));
		}
	}
}

/* What is to be done: serve, check, or a command. */
struct action {
	int (*plain)(void);
	int wrong_setting; /* exit status: to --check it is a finding like others */
	const struct program_command *command; /* instead of plain, or NULL */
	int argc;
	char **argv;
};

static int load_and(const struct program *program, const struct action *action)
{
	struct fault fault;
	int status;

	log_init(program->name, LOG_INFO);
	warn_of_slips(program);
	if (!config_load(program->options, program->option_count, program->config, &fault)) {
		fprintf(stderr, "%s: %s\n", program->name, fault.what);
		config_free(program->options, program->option_count, program->config);
		return action->wrong_setting;
	}
	refuse_core_dumps();
	status = action->command != NULL ? action->command->run(action->argc, action->argv)
					 : action->plain();
	config_free(program->options, program->option_count, program->config);
	return status;
}

/* Needs no other setting: whoever asks may have none of the secrets. */
static int ask_health(const struct program *program, const struct config_option *option)
{
	struct fault fault;
	bool well;

	if (!config_load(option, 1, program->config, &fault)) {
		fprintf(stderr, "%s: %s\n", program->name, fault.what);
		return PROGRAM_EXIT_CONFIG;
	}
	well = health_ask(*(char **)(void *)((char *)program->config + option->offset), &fault);
	config_free(option, 1, program->config);
	if (!well) {
		fprintf(stderr, "%s: %s\n", program->name, fault.what);
	}
	return well ? 0 : 1;
}

static bool find_action(const struct program *program, int argc, char **argv, struct action *action)
{
	*action = (struct action){.plain = program->run, .wrong_setting = PROGRAM_EXIT_CONFIG};
	if (argc == 1) {
		return true;
	}
	if (argc == 2 && strcmp(argv[1], "--check") == 0) {
		*action = (struct action){.plain = program->check, .wrong_setting = 1};
		return program->check != NULL;
	}
	for (size_t i = 0; i < program->command_count; i++) {
		if (strcmp(argv[1], program->commands[i].name) == 0) {
			action->command = &program->commands[i];
			action->argc = argc - 2;
			action->argv = argv + 2;
			return true;
		}
	}
	return false;
}

/* The option or command that was meant, where less than half of it is wrong; otherwise NULL. */
static const char *nearest_option(const struct program *program, const char *text)
{
	const char *options[4] = {"--help", "--version"};
	size_t option_count = 2;
	const char *nearest = NULL;
	size_t best = strlen(text) / 2 + 1;

	if (listen_option(program) != NULL) {
		options[option_count++] = "--health";
	}
	if (program->check != NULL) {
		options[option_count++] = "--check";
	}
	for (size_t i = 0; i < option_count + program->command_count; i++) {
		const char *name =
		    i < option_count ? options[i] : program->commands[i - option_count].name;
		size_t distance = nearest_distance(text, name);

		if (distance < best) {
			best = distance;
			nearest = name;
		}
	}
	return nearest;
}

static int refuse_option(const struct program *program, int argc, char **argv)
{
	const char *nearest = nearest_option(program, argv[1]);
	char hint[NEAREST_NAME_MAX + 20] = "";

	if (nearest != NULL && strcmp(nearest, argv[1]) == 0) {
		fprintf(stderr, "%s: %s takes nothing behind it, unlike '%s' (see %s --help)\n",
			program->name, nearest, argc > 2 ? argv[2] : "", program->name);
		return PROGRAM_EXIT_USAGE;
	}
	if (nearest != NULL) {
		snprintf(hint, sizeof hint, ": did you mean %s?", nearest);
	}
	fprintf(stderr, "%s: unknown option '%s'%s (see %s --help)\n", program->name, argv[1], hint,
		program->name);
	return PROGRAM_EXIT_USAGE;
}

int program_main(const struct program *program, int argc, char **argv)
{
	const struct config_option *served = listen_option(program);
	struct action action;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		print_help(program);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		print_version(program);
		return 0;
	}
	if (argc == 2 && served != NULL && strcmp(argv[1], "--health") == 0) {
		return ask_health(program, served);
	}
	if (find_action(program, argc, argv, &action)) {
		return load_and(program, &action);
	}
	return refuse_option(program, argc, argv);
}
