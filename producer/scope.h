/* scope.h - which assignments are to be read and published again.
 *
 * Pure.  A scope travels through the log as a transactional message, so that it has a place in the
 * stream: prefix SCOPE_MESSAGE, content `all`, `user <uuid>`, `project <uuid>`, or
 * `key <user's uuid> <assignment's uuid>`. */
#ifndef CALRELAY_PRODUCER_SCOPE_H
#define CALRELAY_PRODUCER_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/uuid.h"

#define SCOPE_MESSAGE	"calrelay.resnapshot"
#define SCOPE_TEXT_SIZE 96

enum scope_kind {
	SCOPE_ALL,
	SCOPE_USER,
	SCOPE_PROJECT,
	SCOPE_KEY, /* one record's key: where the table has no such row, its removal is told */
	SCOPE_KINDS
};

struct scope {
	enum scope_kind kind;
	struct uuid id;	  /* of the user, the project, or the assignment (SCOPE_KEY) */
	struct uuid user; /* SCOPE_KEY */
};

void scope_format(const struct scope *scope, char text[SCOPE_TEXT_SIZE]);

/* False where the text is none of these. */
bool scope_parse(const char *text, size_t length, struct scope *scope);

#endif
