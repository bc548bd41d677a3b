/* scope.h - the permissions that we ask Microsoft for, and what was granted of them.
 *
 * Pure.  Names don't derive from MICROSOFT_GRAPH_URL.  Source: Microsoft Graph, "Permissions
 * reference"; RFC 6749 3.3 and 5.1. */
#ifndef CALRELAY_COMMON_SCOPE_H
#define CALRELAY_COMMON_SCOPE_H

#include <stdbool.h>

#include "common/buf.h"

/* The mailbox's own settings, which the plan's three scopes do not open.  Its time zone needs
 * reading; categories of our own, in their colours, need writing. */
enum scope_mailbox { SCOPE_MAILBOX_NONE, SCOPE_MAILBOX_READ, SCOPE_MAILBOX_WRITE };

/* "none", "read" or "write"; false for anything else. */
bool scope_mailbox_parse(const char *text, enum scope_mailbox *mailbox);

/* The scope parameter: the plan's three, openid and profile, and mailbox's. */
void scope_write(struct buf *out, enum scope_mailbox mailbox);

/* Whether a granted scope text holds name, e.g. "User.Read": Microsoft writes Graph's scopes with
 * or without their resource, in any case.  granted NULL: nothing. */
bool scope_has(const char *granted, const char *name);

/* What was granted of the mailbox's settings. */
enum scope_mailbox scope_mailbox_granted(const char *granted);

/* Whether it is enough to keep a calendar. */
bool scope_suffices(const char *granted);

#endif
