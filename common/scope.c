/* scope.c - writes and reads scope texts. */
#include "common/scope.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const char PLANNED[] =
    "openid profile offline_access https://graph.microsoft.com/Calendars.ReadWrite "
    "https://graph.microsoft.com/User.Read";

static const struct {
	const char *setting;
	const char *scope;
} MAILBOX[] = {
    [SCOPE_MAILBOX_NONE] = {"none", ""},
    [SCOPE_MAILBOX_READ] = {"read", " https://graph.microsoft.com/MailboxSettings.Read"},
    [SCOPE_MAILBOX_WRITE] = {"write", " https://graph.microsoft.com/MailboxSettings.ReadWrite"},
};

bool scope_mailbox_parse(const char *text, enum scope_mailbox *mailbox)
{
	for (size_t i = 0; i < sizeof MAILBOX / sizeof *MAILBOX; i++) {
		if (strcmp(text, MAILBOX[i].setting) == 0) {
			*mailbox = (enum scope_mailbox)i;
			return true;
		}
	}
	return false;
}

void scope_write(struct buf *out, enum scope_mailbox mailbox)
{
	buf_text(out, PLANNED);
	buf_text(out, MAILBOX[mailbox].scope);
}

bool scope_has(const char *granted, const char *name)
{
	static const char SPACES[] = " ";
	const char *at = granted != NULL ? granted + strspn(granted, SPACES) : "";
	size_t length = strlen(name);

	while (*at != '\0') {
		size_t size = strcspn(at, SPACES);
		const char *last = at;

		for (size_t i = 0; i < size; i++) {
			last = at[i] == '/' ? at + i + 1 : last;
		}
		if ((size_t)(at + size - last) == length && strncasecmp(last, name, length) == 0) {
			return true;
		}
		at += size;
		at += strspn(at, SPACES);
	}
	return false;
}

enum scope_mailbox scope_mailbox_granted(const char *granted)
{
	if (scope_has(granted, "MailboxSettings.ReadWrite")) {
		return SCOPE_MAILBOX_WRITE;
	}
	return scope_has(granted, "MailboxSettings.Read") ? SCOPE_MAILBOX_READ : SCOPE_MAILBOX_NONE;
}

bool scope_suffices(const char *granted)
{
	return scope_has(granted, "Calendars.ReadWrite") && scope_has(granted, "User.Read");
}
