/* categories.c - what Graph does with the master list of categories on request. */
#include "tests/fake/categories.h"

#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/jsonw.h"

/* The colour that a body names, the only other member being allowed or NULL; NULL: refused. */
static const char *read_colour(const cJSON *body, const char *allowed, struct problem *problem)
{
	const char *colour = json_text(body, "color");

	for (const cJSON *at = body->child; at != NULL; at = at->next) {
		if (strcmp(at->string, "color") != 0 &&
		    (allowed == NULL || strcmp(at->string, allowed) != 0)) {
			problem_set(problem, 400, "RequestBodyRead",
				    "The property '%.60s' does not exist on type "
				    "'microsoft.graph.outlookCategory', or can't be set.",
				    at->string);
			return NULL;
		}
	}
	if (colour == NULL || !category_is_colour(colour)) {
		problem_set(problem, 400, "RequestBodyRead",
			    "A color is one of none, preset0 to preset24.");
		return NULL;
	}
	return colour;
}

static struct category *find(const struct operation *operation, struct account *account,
			     struct problem *problem)
{
	struct category *category =
	    category_list_find(&account->categories, operation->path + strlen(CATEGORIES_PATH "/"));

	if (category == NULL) {
		problem_set(problem, 404, "ErrorItemNotFound",
			    "The specified object was not found in the store.");
	}
	return category;
}

bool categories_list(struct operation *operation, struct world *world, struct account *account,
		     int64_t now_ms, struct problem *problem)
{
	struct buf *out = &operation->answer;

	(void)world;
	(void)now_ms;
	(void)problem;
	category_list_open(&account->categories);
	buf_char(out, '{');
	jsonw_member_text(
	    out, "@odata.context",
	    "https://graph.microsoft.com/v1.0/$metadata#users('me')/outlook/masterCategories");
	jsonw_key(out, "value");
	category_list_write(&account->categories, out);
	buf_char(out, '}');
	operation->status = 200;
	return true;
}

bool categories_add(struct operation *operation, struct world *world, struct account *account,
		    int64_t now_ms, struct problem *problem)
{
	const char *name = json_text(operation->body, "displayName");
	const char *colour = read_colour(operation->body, "displayName", problem);
	const struct category *category;

	(void)world;
	(void)now_ms;
	if (colour == NULL) {
		return false;
	}
	if (name == NULL || *name == '\0') {
		return problem_set(problem, 400, "RequestBodyRead",
				   "A category has a displayName.");
	}
	category_list_open(&account->categories);
	if (category_list_colour(&account->categories, name) != NULL) {
		return problem_set(problem, 409, "ErrorItemAlreadyExists",
				   "A category of that name exists already.");
	}
	category = category_list_add(&account->categories, name, colour);
	if (category == NULL) {
		return problem_set(problem, 507, "ErrorQuotaExceeded",
				   "The list holds %d categories.", CATEGORY_MAX);
	}
	category_write(category, &operation->answer);
	operation->status = 201;
	return true;
}

bool categories_get(struct operation *operation, struct world *world, struct account *account,
		    int64_t now_ms, struct problem *problem)
{
	const struct category *category;

	(void)world;
	(void)now_ms;
	category_list_open(&account->categories);
	category = find(operation, account, problem);
	if (category == NULL) {
		return false;
	}
	category_write(category, &operation->answer);
	operation->status = 200;
	return true;
}

/* Only the colour: a category keeps its name. */
bool categories_change(struct operation *operation, struct world *world, struct account *account,
		       int64_t now_ms, struct problem *problem)
{
	const char *colour = read_colour(operation->body, NULL, problem);
	struct category *category;

	(void)world;
	(void)now_ms;
	category_list_open(&account->categories);
	category = colour != NULL ? find(operation, account, problem) : NULL;
	if (category == NULL) {
		return false;
	}
	snprintf(category->colour, sizeof category->colour, "%s", colour);
	category_write(category, &operation->answer);
	operation->status = 200;
	return true;
}

bool categories_remove(struct operation *operation, struct world *world, struct account *account,
		       int64_t now_ms, struct problem *problem)
{
	struct category *category;

	(void)world;
	(void)now_ms;
	category_list_open(&account->categories);
	category = find(operation, account, problem);
	if (category == NULL) {
		return false;
	}
	category_list_remove(&account->categories, category);
	operation->status = 204;
	return true;
}
