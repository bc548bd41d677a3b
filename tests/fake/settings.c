/* settings.c - switches of the control API. */
#include "tests/fake/settings.h"

#include <string.h>

#include "common/json.h"
#include "common/jsonw.h"

static const char *const AFTER_DELETE[] = {
    [SETTINGS_REFUSE] = "refuse", [SETTINGS_FORGET] = "forget", [SETTINGS_REPLAY] = "replay"};
static const char *const DELETED_ITEMS[] = {"hidden", "visible"};
static const char *const ALL_DAY_ZONE[] = {"preferred", "utc"};
static const char *const SEARCH[] = {"prompt", "late"};

void settings_reset(struct settings *settings)
{
	*settings = (struct settings){.expires_in_s = 3599,
				      .duplicate_status = 400,
				      .names_existing_id = true,
				      .after_delete = SETTINGS_REFUSE,
				      .rate_limit = 10000,
				      .concurrency_limit = 4};
}

static bool read_number(const cJSON *member, int64_t least, int64_t most, int64_t *out)
{
	if (!cJSON_IsNumber(member) || member->valuedouble < (double)least ||
	    member->valuedouble > (double)most) {
		return false;
	}
	*out = (int64_t)member->valuedouble;
	return true;
}

static bool read_boolean(const cJSON *member, bool *out)
{
	*out = cJSON_IsTrue(member);
	return cJSON_IsBool(member);
}

/* The place of the member's text in the list, or -1. */
static int read_choice(const cJSON *member, const char *const *names, int count)
{
	for (int i = 0; i < count && cJSON_IsString(member); i++) {
		if (strcmp(names[i], member->valuestring) == 0) {
			return i;
		}
	}
	return -1;
}

static bool read_after_delete(const cJSON *member, struct settings *settings)
{
	int choice = read_choice(member, AFTER_DELETE, 3);

	settings->after_delete = choice > 0 ? (enum settings_after_delete)choice : SETTINGS_REFUSE;
	return choice >= 0;
}

static bool read_deleted_items(const cJSON *member, struct settings *settings)
{
	int choice = read_choice(member, DELETED_ITEMS, 2);

	settings->shows_deleted = choice == 1;
	return choice >= 0;
}

static bool read_all_day_zone(const cJSON *member, struct settings *settings)
{
	int choice = read_choice(member, ALL_DAY_ZONE, 2);

	settings->labels_utc = choice == 1;
	return choice >= 0;
}

static bool read_search(const cJSON *member, struct settings *settings)
{
	int choice = read_choice(member, SEARCH, 2);

	settings->search_lag_ms = choice == 1 ? SETTINGS_SEARCH_LAG_MS : 0;
	return choice >= 0;
}

static bool settings_read_member(const cJSON *member, struct settings *settings)
{
	const char *name = member->string;

	if (strcmp(name, "expires_in") == 0) {
		return read_number(member, 1, 86400, &settings->expires_in_s);
	}
	if (strcmp(name, "duplicate_status") == 0) {
		return read_number(member, 400, 409, &settings->duplicate_status) &&
		       (settings->duplicate_status == 400 || settings->duplicate_status == 409);
	}
	if (strcmp(name, "existing_event_id") == 0) {
		return read_boolean(member, &settings->names_existing_id);
	}
	if (strcmp(name, "transaction_after_delete") == 0) {
		return read_after_delete(member, settings);
	}
	if (strcmp(name, "deleted_items") == 0) {
		return read_deleted_items(member, settings);
	}
	if (strcmp(name, "all_day_zone") == 0) {
		return read_all_day_zone(member, settings);
	}
	if (strcmp(name, "search") == 0) {
		return read_search(member, settings);
	}
	if (strcmp(name, "keep_bodies") == 0) {
		return read_boolean(member, &settings->keeps_bodies);
	}
	if (strcmp(name, "assertions_once") == 0) {
		return read_boolean(member, &settings->assertions_once);
	}
	if (strcmp(name, "needs_approval") == 0) {
		return read_boolean(member, &settings->needs_approval);
	}
	if (strcmp(name, "rate_limit") == 0) {
		return read_number(member, 0, INT32_MAX, &settings->rate_limit);
	}
	return strcmp(name, "concurrency_limit") == 0 &&
	       read_number(member, 0, INT32_MAX, &settings->concurrency_limit);
}

bool settings_read(const cJSON *document, struct settings *settings, struct problem *problem)
{
	struct settings changed = *settings;

	if (!cJSON_IsObject(document)) {
		return problem_set(problem, 400, "BadRequest", "the body must be an object");
	}
	for (const cJSON *at = document->child; at != NULL; at = at->next) {
		if (!settings_read_member(at, &changed)) {
			return problem_set(problem, 400, "BadRequest",
					   "no such setting, or not such a value: '%.60s'",
					   at->string);
		}
	}
	*settings = changed;
	return true;
}

void settings_write(const struct settings *settings, struct buf *out)
{
	buf_char(out, '{');
	jsonw_member_number(out, "expires_in", settings->expires_in_s);
	jsonw_member_number(out, "duplicate_status", settings->duplicate_status);
	jsonw_key(out, "existing_event_id");
	buf_text(out, settings->names_existing_id ? "true" : "false");
	jsonw_member_text(out, "transaction_after_delete", AFTER_DELETE[settings->after_delete]);
	jsonw_member_text(out, "deleted_items", DELETED_ITEMS[settings->shows_deleted ? 1 : 0]);
	jsonw_member_text(out, "all_day_zone", ALL_DAY_ZONE[settings->labels_utc ? 1 : 0]);
	jsonw_member_text(out, "search", SEARCH[settings->search_lag_ms > 0 ? 1 : 0]);
	jsonw_key(out, "keep_bodies");
	buf_text(out, settings->keeps_bodies ? "true" : "false");
	jsonw_key(out, "assertions_once");
	buf_text(out, settings->assertions_once ? "true" : "false");
	jsonw_member_number(out, "rate_limit", settings->rate_limit);
	jsonw_member_number(out, "concurrency_limit", settings->concurrency_limit);
	jsonw_key(out, "needs_approval");
	buf_text(out, settings->needs_approval ? "true" : "false");
	buf_char(out, '}');
}
