/* program.h - what every program's main does first: --help, --version, --health, settings, logs. */
#ifndef CALRELAY_COMMON_PROGRAM_H
#define CALRELAY_COMMON_PROGRAM_H

#include "common/config.h"

#define PROGRAM_EXIT_USAGE  64 /* of sysexits.h, by their meaning */
#define PROGRAM_EXIT_CONFIG 78

/* Something else than serving: `calrelay-producer resnapshot --user U`. */
struct program_command {
	const char *name;
	const char *arguments; /* for --help */
	const char *help;
	int (*run)(int argc, char **argv); /* what follows the name; the exit status */
};

struct program {
	const char *name;    /* "calrelay-worker" */
	const char *summary; /* one line for --help */
	const struct config_option *options;
	size_t option_count;
	void *config;	    /* filled */
	int (*run)(void);   /* serves until stopped; the exit status */
	int (*check)(void); /* --check: one line per finding; the exit status; NULL: none */
	const struct program_command *commands;
	size_t command_count;
};

/* Handles the command line, loads the configuration, refuses core dumps, calls run, check
 * or a command.  Returns the exit status: PROGRAM_EXIT_USAGE for a wrong option,
 * PROGRAM_EXIT_CONFIG for a wrong setting, but 1 where --check finds it. */
int program_main(const struct program *program, int argc, char **argv);

#endif
