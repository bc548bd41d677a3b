/* scope.c - which assignments are to be read and published again. */
#include "producer/scope.h"

#include <stdio.h>
#include <string.h>

/* Each name with the space that its ids follow. */
static const char *const NAMES[SCOPE_KINDS] = {[SCOPE_ALL] = "all",
					       [SCOPE_USER] = "user ",
					       [SCOPE_PROJECT] = "project ",
					       [SCOPE_KEY] = "key "};

void scope_format(const struct scope *scope, char text[SCOPE_TEXT_SIZE])
{
	char id[UUID_TEXT_SIZE] = "";
	char user[UUID_TEXT_SIZE] = "";

	if (scope->kind != SCOPE_ALL) {
		uuid_format(&scope->id, id);
	}
	if (scope->kind == SCOPE_KEY) {
		uuid_format(&scope->user, user);
	}
	snprintf(text, SCOPE_TEXT_SIZE, "%s%s%s%s", NAMES[scope->kind], user,
		 scope->kind == SCOPE_KEY ? " " : "", id);
}

static bool parse_ids(const char *text, struct scope *scope)
{
	char user[UUID_TEXT_SIZE];

	if (scope->kind == SCOPE_ALL) {
		return *text == '\0';
	}
	if (scope->kind != SCOPE_KEY) {
		return uuid_parse(text, &scope->id);
	}
	if (strlen(text) < sizeof user || text[sizeof user - 1] != ' ') {
		return false;
	}
	memcpy(user, text, sizeof user - 1);
	user[sizeof user - 1] = '\0';
	return uuid_parse(user, &scope->user) && uuid_parse(text + sizeof user, &scope->id);
}

bool scope_parse(const char *text, size_t length, struct scope *scope)
{
	char copy[SCOPE_TEXT_SIZE];

	*scope = (struct scope){0};
	if (length >= sizeof copy) {
		return false;
	}
	memcpy(copy, text, length);
	copy[length] = '\0';
	for (int kind = 0; kind < SCOPE_KINDS; kind++) {
		size_t name = strlen(NAMES[kind]);

		if (strlen(copy) == length && strncmp(copy, NAMES[kind], name) == 0) {
			scope->kind = (enum scope_kind)kind;
			return parse_ids(copy + name, scope);
		}
	}
	return false;
}
