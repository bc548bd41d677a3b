/* profile.c - /me, /me/mailboxSettings and the master categories. */
#include "tests/fake/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/jsonw.h"

#define COLOURS 25 /* preset0 to preset24 */

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

static void write_category(const struct account_category *category, struct buf *out)
{
	jsonw_comma(out);
	buf_char(out, '{');
	jsonw_member_text(out, "id", category->id);
	jsonw_member_text(out, "displayName", category->name);
	jsonw_member_text(out, "color", category->colour);
	buf_char(out, '}');
}

bool profile_get_categories(struct operation *operation, struct world *world,
			    struct account *account, int64_t now_ms, struct problem *problem)
{
	struct buf *out = &operation->answer;

	(void)world;
	(void)now_ms;
	(void)problem;
	buf_text(out, "{\"value\":[");
	for (size_t i = 0; i < account->category_count; i++) {
		write_category(&account->categories[i], out);
	}
	buf_text(out, "]}");
	operation->status = 200;
	return true;
}

static bool is_colour(const char *text)
{
	char *end;
	long number;

	if (strcmp(text, "none") == 0) {
		return true;
	}
	if (strncmp(text, "preset", 6) != 0 || text[6] < '0' || text[6] > '9') {
		return false;
	}
	number = strtol(text + 6, &end, 10);
	return *end == '\0' && number < COLOURS;
}

bool profile_add_category(struct operation *operation, struct world *world, struct account *account,
			  int64_t now_ms, struct problem *problem)
{
	const char *name = json_text(operation->body, "displayName");
	const char *colour = json_text(operation->body, "color");

	(void)world;
	(void)now_ms;
	if (name == NULL || *name == '\0' || colour == NULL || !is_colour(colour) ||
	    cJSON_GetArraySize(operation->body) != 2) {
		return problem_set(
		    problem, 400, "RequestBodyRead",
		    "A category has a displayName and a color from none, preset0 to preset24.");
	}
	if (!account_add_category(account, name, colour)) {
		return problem_set(problem, 409, "ErrorItemAlreadyExists",
				   "The category exists already, or the list is full.");
	}
	write_category(&account->categories[account->category_count - 1], &operation->answer);
	operation->status = 201;
	return true;
}
