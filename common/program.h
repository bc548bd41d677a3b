/* program.h - what every program's main does first: --help, --version, configuration, logs. */
#ifndef CALRELAY_COMMON_PROGRAM_H
#define CALRELAY_COMMON_PROGRAM_H

#include "common/config.h"

struct program {
	const char *name;    /* "calrelay-worker" */
	const char *summary; /* one line for --help */
	const struct config_option *options;
	size_t option_count;
	void *config;	    /* filled */
	int (*run)(void);   /* serves until stopped; the exit status */
	int (*check)(void); /* --check: one line per finding; the exit status; NULL: none */
};

/* Handles the command line, loads the configuration, refuses core dumps, calls run or check.
 * Returns the exit status: 64 for a wrong option, 78 for a wrong setting. */
int program_main(const struct program *program, int argc, char **argv);

#endif
