/* scope.c - the delegated permissions. */
#include "tests/fake/scope.h"

#include <stddef.h>
#include <string.h>

#define GRAPH "https://graph.microsoft.com/"

/* clang-format off */
static const struct {
	const char *name;
	uint32_t scope;
	bool is_graph;
	const char *sentence;
} SCOPES[] = {
	{"openid",                    SCOPE_OPENID,               false, "Sign you in"},
	{"profile",                   SCOPE_PROFILE,              false, "View your basic profile"},
	{"email",                     SCOPE_EMAIL,                false, "View your email address"},
	{"offline_access",            SCOPE_OFFLINE_ACCESS,       false, "Maintain access to data you have given it access to"},
	{"User.Read",                 SCOPE_USER_READ,            true,  "Read your profile"},
	{"Calendars.Read",            SCOPE_CALENDARS_READ,       true,  "Read your calendars"},
	{"Calendars.ReadWrite",       SCOPE_CALENDARS_READ_WRITE, true,  "Have full access to your calendars"},
	{"MailboxSettings.Read",      SCOPE_SETTINGS_READ,        true,  "Read your mailbox settings"},
	{"MailboxSettings.ReadWrite", SCOPE_SETTINGS_READ_WRITE,  true,  "Read and write to your mailbox settings"},
};
/* clang-format on */
#define SCOPE_COUNT (sizeof SCOPES / sizeof *SCOPES)

static uint32_t scope_find(const char *name, size_t length)
{
	bool is_graph = length > strlen(GRAPH) && strncmp(name, GRAPH, strlen(GRAPH)) == 0;

	if (is_graph) {
		name += strlen(GRAPH);
		length -= strlen(GRAPH);
	}
	for (size_t i = 0; i < SCOPE_COUNT; i++) {
		if (strlen(SCOPES[i].name) == length &&
		    strncmp(SCOPES[i].name, name, length) == 0 &&
		    (SCOPES[i].is_graph || !is_graph)) {
			return SCOPES[i].scope;
		}
	}
	return 0;
}

bool scope_parse(const char *text, uint32_t *scopes)
{
	*scopes = 0;
	while (*text != '\0') {
		size_t length = strcspn(text, " ");
		uint32_t scope = scope_find(text, length);

		if (length > 0 && scope == 0) {
			return false;
		}
		*scopes |= scope;
		text += length + (text[length] == ' ');
	}
	return *scopes != 0;
}

void scope_write(uint32_t scopes, struct buf *out)
{
	for (size_t i = 0; i < SCOPE_COUNT; i++) {
		if (SCOPES[i].is_graph && (scopes & SCOPES[i].scope) != 0) {
			buf_format(out, "%s" GRAPH "%s", out->length > 0 ? " " : "",
				   SCOPES[i].name);
		}
	}
}

bool scope_sentence(int index, uint32_t scopes, const char **sentence)
{
	if (index < 0 || (size_t)index >= SCOPE_COUNT) {
		return false;
	}
	*sentence = (scopes & SCOPES[index].scope) != 0 ? SCOPES[index].sentence : NULL;
	return true;
}
