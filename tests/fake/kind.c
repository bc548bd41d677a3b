/* kind.c - the kinds of requests. */
#include "tests/fake/kind.h"

#include <assert.h>
#include <string.h>

static const char *const NAMES[] = {
    [KIND_CREATE] = "create",	    [KIND_UPDATE] = "update",
    [KIND_DELETE] = "delete",	    [KIND_GET] = "get",
    [KIND_LIST] = "list",	    [KIND_ME] = "me",
    [KIND_SETTINGS] = "settings",   [KIND_CATEGORIES] = "categories",
    [KIND_BATCH] = "batch",	    [KIND_TOKEN] = "token",
    [KIND_AUTHORIZE] = "authorize", [KIND_OTHER] = "other"};
static_assert(sizeof NAMES / sizeof *NAMES == KIND_COUNT, "name every kind");

const char *kind_name(enum kind kind)
{
	return NAMES[kind];
}

enum kind kind_find(const char *name)
{
	int kind = 0;

	while (kind < KIND_COUNT && strcmp(NAMES[kind], name) != 0) {
		kind++;
	}
	return (enum kind)kind;
}
