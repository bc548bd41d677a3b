/* jti.c - the names of client assertions that were seen. */
#include "tests/fake/jti.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/fake/memory.h"

/* What uthash's macros expand to is nobody's function to measure. */
/* NOLINTBEGIN(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */
static void jti_forget(struct jti **seen, struct jti *jti)
{
	HASH_DEL(*seen, jti);
	free(jti);
}

bool jti_note(struct jti **seen, const char *text)
{
	struct jti *jti = NULL;

	HASH_FIND_STR(*seen, text, jti);
	if (jti != NULL) {
		return true;
	}
	while (HASH_COUNT(*seen) >= JTI_MAX) {
		jti_forget(seen, *seen);
	}
	jti = memory_zeroed(1, sizeof *jti);
	snprintf(jti->text, sizeof jti->text, "%s", text);
	HASH_ADD_STR(*seen, text, jti);
	return false;
}

void jti_forget_all(struct jti **seen)
{
	while (*seen != NULL) {
		jti_forget(seen, *seen);
	}
}
/* NOLINTEND(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */
