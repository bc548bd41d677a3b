/* config.h - configuration by environment variables, from one table per program.
 *
 * The table drives parsing, --help and the error messages.  A variable with has_file_variant may be
 * given as NAME_FILE instead: a path whose content (less one trailing newline) is the value; both
 * at once, or a file that others can read, is refused.  A variable that belongs to another program
 * is ignored. */
#ifndef CALRELAY_COMMON_CONFIG_H
#define CALRELAY_COMMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/fault.h"

#define CONFIG_NAME_SIZE 64

enum config_type {
	CONFIG_TEXT,	/* char * */
	CONFIG_INTEGER, /* int64_t, within least..most */
	CONFIG_BOOLEAN, /* bool: true or false, always with a fallback */
	CONFIG_URL,	/* char *, https:// or http:// on loopback, no trailing slash kept */
	CONFIG_LISTEN,	/* char *, address:port */
};

struct config_option {
	const char *name;
	enum config_type type;
	bool required;
	bool has_file_variant;
	const char *allowed;  /* of a text: the only characters it may hold; NULL: any */
	const char *fallback; /* as it would stand in the environment; NULL: none */
	int64_t least;
	int64_t most;
	size_t offset; /* of the char *, int64_t or bool in the program's struct */
	const char *help;
};

/* Fills target from the environment.  Text is allocated (config_free).  False with FAULT_FATAL: one
 * line that names the variable and the fix. */
#define CONFIG_LOWER "abcdefghijklmnopqrstuvwxyz0123456789_"
#define CONFIG_KAFKA CONFIG_LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-" /* of a topic's name */

bool config_load(const struct config_option *options, size_t count, void *target,
		 struct fault *fault) MUST_CHECK;
void config_free(const struct config_option *options, size_t count, void *target); /* cleanses */
void config_help(const struct config_option *options, size_t count, FILE *out);

/* Whether a variable is none of the options, and so nearly one that it is a slip of the pen;
 * nearest is then that one's name. */
bool config_is_slip(const struct config_option *options, size_t count, const char *variable,
		    char nearest[CONFIG_NAME_SIZE]) MUST_CHECK;

#endif
