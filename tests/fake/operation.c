/* operation.c - one Graph request: which it is, whether it may, and its answer. */
#include "tests/fake/operation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/json.h"
#include "tests/fake/categories.h"
#include "tests/fake/events.h"
#include "tests/fake/memory.h"
#include "tests/fake/profile.h"

#define EVENTS_PATH "/me/events/"

/* clang-format off */
static const struct {
	const char *method;
	const char *path; /* ending in a slash: and one more segment */
	enum kind kind;
	uint32_t scopes; /* one of them is enough */
	bool needs_mailbox;
	bool (*run)(struct operation *operation, struct world *world, struct account *account,
	    int64_t now_ms, struct problem *problem);
} ROUTES[] = {
	{"GET",    "/me",                          KIND_ME,         SCOPE_USER_READ, false, profile_get},
	{"GET",    "/me/mailboxSettings",          KIND_SETTINGS,   SCOPE_SETTINGS_READ | SCOPE_SETTINGS_READ_WRITE, true, profile_get_settings},
	{"GET",    CATEGORIES_PATH,                KIND_CATEGORIES, SCOPE_SETTINGS_READ | SCOPE_SETTINGS_READ_WRITE, true, categories_list},
	{"POST",   CATEGORIES_PATH,                KIND_CATEGORIES, SCOPE_SETTINGS_READ_WRITE, true, categories_add},
	{"GET",    CATEGORIES_PATH "/",            KIND_CATEGORIES, SCOPE_SETTINGS_READ | SCOPE_SETTINGS_READ_WRITE, true, categories_get},
	{"PATCH",  CATEGORIES_PATH "/",            KIND_CATEGORIES, SCOPE_SETTINGS_READ_WRITE, true, categories_change},
	{"DELETE", CATEGORIES_PATH "/",            KIND_CATEGORIES, SCOPE_SETTINGS_READ_WRITE, true, categories_remove},
	{"POST",   "/me/events",                   KIND_CREATE,     SCOPE_CALENDARS_READ_WRITE, true, events_create},
	{"GET",    "/me/events",                   KIND_LIST,       SCOPE_CALENDARS_READ | SCOPE_CALENDARS_READ_WRITE, true, events_list},
	{"GET",    "/me/calendarView",             KIND_LIST,       SCOPE_CALENDARS_READ | SCOPE_CALENDARS_READ_WRITE, true, events_list},
	{"GET",    EVENTS_PATH,                    KIND_GET,        SCOPE_CALENDARS_READ | SCOPE_CALENDARS_READ_WRITE, true, events_get},
	{"PATCH",  EVENTS_PATH,                    KIND_UPDATE,     SCOPE_CALENDARS_READ_WRITE, true, events_update},
	{"DELETE", EVENTS_PATH,                    KIND_DELETE,     SCOPE_CALENDARS_READ_WRITE, true, events_delete},
};
/* clang-format on */
#define ROUTE_COUNT (sizeof ROUTES / sizeof *ROUTES)

static bool route_has_path(size_t route, const char *path)
{
	size_t length = strlen(ROUTES[route].path);

	if (ROUTES[route].path[length - 1] != '/') {
		return strcmp(ROUTES[route].path, path) == 0;
	}
	return strncmp(ROUTES[route].path, path, length) == 0 && path[length] != '\0' &&
	       strchr(path + length, '/') == NULL;
}

/* ROUTE_COUNT where there is none. */
static size_t route_find(const struct operation *operation)
{
	size_t route = 0;

	while (route < ROUTE_COUNT && (!route_has_path(route, operation->path) ||
				       strcmp(ROUTES[route].method, operation->method) != 0)) {
		route++;
	}
	return route;
}

void operation_init(struct operation *operation, const char *method, char *path)
{
	size_t route;

	*operation = (struct operation){.method = method, .path = path, .kind = KIND_OTHER};
	buf_init(&operation->answer, OPERATION_ANSWER_MAX_BYTES);
	route = route_find(operation);
	if (route < ROUTE_COUNT) {
		operation->kind = ROUTES[route].kind;
	}
	if (strncmp(path, EVENTS_PATH, strlen(EVENTS_PATH)) == 0) {
		operation->id = path + strlen(EVENTS_PATH);
	}
}

void operation_close(struct operation *operation)
{
	free(operation->path);
	free(operation->assignment);
	query_close(&operation->query);
	buf_close(&operation->answer);
	*operation = (struct operation){0};
}

/* The assignment that a body which may be anything names, or NULL. */
static const char *body_assignment(const cJSON *body, const char *property)
{
	const cJSON *item;
	char id[PROPERTY_ID_SIZE];

	cJSON_ArrayForEach(item, json_array(body, "singleValueExtendedProperties"))
	{
		const char *text = json_text(item, "id");

		if (text != NULL && property_normalise(text, id) && strcmp(id, property) == 0) {
			return json_text(item, "value");
		}
	}
	return NULL;
}

void operation_look(struct operation *operation, const struct world *world, struct account *account)
{
	struct problem ignored; /* running it says so */
	struct event *event;
	const char *assignment = NULL;

	if (!prefer_read(operation->prefer_header, &operation->prefer, &ignored)) {
		return;
	}
	if (operation->kind == KIND_CREATE) {
		assignment = body_assignment(operation->body, world->property);
	} else if (operation->id != NULL) {
		event = mailbox_find(&world->store, &world->settings, &account->mailbox,
				     operation->id, operation->prefer.is_immutable, &ignored);
		if (event != NULL) {
			event_id(event, true, operation->event_id);
			assignment = world_assignment(world, &event->draft);
		}
	}
	free(operation->assignment);
	operation->assignment = memory_text(assignment);
}

static bool refuse_path(const struct operation *operation, struct problem *problem)
{
	for (size_t route = 0; route < ROUTE_COUNT; route++) {
		if (route_has_path(route, operation->path)) {
			return problem_set(
			    problem, 405, "BadRequest",
			    "Specified HTTP method is not allowed for the request target.");
		}
	}
	return problem_set(problem, 400, "BadRequest",
			   "Resource not found for the segment '%.60s'.",
			   operation->path[0] == '/' ? operation->path + 1 : operation->path);
}

static bool check_body(const struct operation *operation, struct problem *problem)
{
	bool writes =
	    strcmp(operation->method, "POST") == 0 || strcmp(operation->method, "PATCH") == 0;

	if (writes && (operation->content_type == NULL ||
		       strncasecmp(operation->content_type, "application/json", 16) != 0)) {
		return problem_set(problem, 400, "RequestBodyRead",
				   "Entity only allows writes with a JSON Content-Type header.");
	}
	if (writes && !cJSON_IsObject(operation->body)) {
		return problem_set(problem, 400, "BadRequest",
				   "Unable to read JSON request payload.");
	}
	return true;
}

static bool read_prefer(struct operation *operation, const struct world *world,
			struct problem *problem)
{
	if (!prefer_read(operation->prefer_header, &operation->prefer, problem)) {
		return false;
	}
	if (world->settings.labels_utc) {
		operation->prefer.zone = NULL;
	}
	return true;
}

static bool operation_try(struct operation *operation, struct world *world, struct account *account,
			  uint32_t scopes, int64_t now_ms, struct problem *problem)
{
	size_t route = route_find(operation);

	if (operation->is_malformed) {
		return problem_set(problem, 400, "BadRequest", "The URL is malformed.");
	}
	if (route == ROUTE_COUNT) {
		return refuse_path(operation, problem);
	}
	if ((ROUTES[route].scopes & scopes) == 0) {
		return problem_set(problem, 403, "ErrorAccessDenied",
				   "Access is denied. Check credentials and try again.");
	}
	if (ROUTES[route].needs_mailbox && account->trouble != NULL) {
		return problem_set(problem, 404, account->trouble->code, "%s",
				   account->trouble->message);
	}
	return check_body(operation, problem) && read_prefer(operation, world, problem) &&
	       ROUTES[route].run(operation, world, account, now_ms, problem);
}

void operation_refuse(struct operation *operation, const struct problem *problem, int64_t now_ms)
{
	operation->status = problem->status;
	buf_reset(&operation->answer);
	problem_write(problem, now_ms, &operation->answer);
}

void operation_run(struct operation *operation, struct world *world, struct account *account,
		   uint32_t scopes, int64_t now_ms)
{
	struct problem problem = {0};

	if (!operation_try(operation, world, account, scopes, now_ms, &problem)) {
		operation_refuse(operation, &problem, now_ms);
	} else if (operation->answer.failed) {
		problem_set(&problem, 500, "InternalServerError", "The answer is too large.");
		operation_refuse(operation, &problem, now_ms);
	}
}
