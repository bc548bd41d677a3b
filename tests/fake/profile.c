/* profile.c - /me and /me/mailboxSettings. */
#include "tests/fake/profile.h"

#include <string.h>

#include "common/jsonw.h"

/* Which of /me's properties $select names; everything without it. */
static bool is_selected(const struct operation *operation, const char *name)
{
	const char *select = query_get(&operation->query, "$select");
	size_t length = strlen(name);

	if (select == NULL) {
		return true;
	}
	for (const char *at = select; *at != '\0'; at += strspn(at, ", ")) {
		size_t word = strcspn(at, ", ");

		if (word == length && strncmp(at, name, length) == 0) {
			return true;
		}
		at += word;
	}
	return false;
}

bool profile_get(struct operation *operation, struct world *world, struct account *account,
		 int64_t now_ms, struct problem *problem)
{
	struct buf *out = &operation->answer;
	const struct {
		const char *name;
		const char *value;
	} members[] = {{"displayName", account->display_name},
		       {"givenName", NULL},
		       {"jobTitle", NULL},
		       {"mail", account->email},
		       {"mobilePhone", NULL},
		       {"officeLocation", NULL},
		       {"preferredLanguage", NULL},
		       {"surname", NULL},
		       {"userPrincipalName", account->email},
		       {"id", account->id}};

	(void)world;
	(void)now_ms;
	(void)problem;
	buf_char(out, '{');
	jsonw_member_text(out, "@odata.context",
			  "https://graph.microsoft.com/v1.0/$metadata#users/$entity");
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		if (is_selected(operation, members[i].name)) {
			jsonw_member_text(out, members[i].name, members[i].value);
		}
	}
	buf_char(out, '}');
	operation->status = 200;
	return true;
}

bool profile_get_settings(struct operation *operation, struct world *world, struct account *account,
			  int64_t now_ms, struct problem *problem)
{
	struct buf *out = &operation->answer;

	(void)world;
	(void)now_ms;
	(void)problem;
	buf_char(out, '{');
	jsonw_member_text(out, "@odata.context",
			  "https://graph.microsoft.com/v1.0/$metadata#users('me')/mailboxSettings");
	jsonw_member_text(out, "timeZone", account->time_zone);
	jsonw_member_text(out, "dateFormat", "yyyy-MM-dd");
	jsonw_member_text(out, "timeFormat", "HH:mm");
	jsonw_member_text(out, "userPurpose", "user");
	buf_char(out, '}');
	operation->status = 200;
	return true;
}
