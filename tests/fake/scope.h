/* scope.h - the delegated permissions that the application can be granted. */
#ifndef CALRELAY_FAKE_SCOPE_H
#define CALRELAY_FAKE_SCOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

enum scope {
	SCOPE_OPENID = 1 << 0,
	SCOPE_PROFILE = 1 << 1,
	SCOPE_EMAIL = 1 << 2,
	SCOPE_OFFLINE_ACCESS = 1 << 3,
	SCOPE_USER_READ = 1 << 4,
	SCOPE_CALENDARS_READ = 1 << 5,
	SCOPE_CALENDARS_READ_WRITE = 1 << 6,
	SCOPE_SETTINGS_READ = 1 << 7,
	SCOPE_SETTINGS_READ_WRITE = 1 << 8,
};

/* Names between spaces, Graph's with or without their https://graph.microsoft.com/; false where
 * one is unknown. */
bool scope_parse(const char *text, uint32_t *scopes);

/* Graph's scopes, in full, as a token answer's `scope` lists them. */
void scope_write(uint32_t scopes, struct buf *out);

/* A sentence for people on the consent page, or NULL; one at a time by index until false. */
bool scope_sentence(int index, uint32_t scopes, const char **sentence);

#endif
