/* batch.c - the body of a $batch. */
#include "tests/fake/batch.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/json.h"

static const char *const MEMBERS[] = {"id", "method", "url", "headers", "body", "dependsOn"};
static const char *const METHODS[] = {"GET", "POST", "PATCH", "PUT", "DELETE"};

/* The list's own text that equals text, or NULL. */
static const char *find_in(const char *text, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i], text) == 0) {
			return list[i];
		}
	}
	return NULL;
}

static bool item_knows_members(const cJSON *object, struct problem *problem)
{
	for (const cJSON *at = object->child; at != NULL; at = at->next) {
		if (find_in(at->string, MEMBERS, sizeof MEMBERS / sizeof *MEMBERS) == NULL) {
			return problem_set(
			    problem, 400, "BadRequest",
			    "Invalid batch payload format: an item has no member '%.60s'.",
			    at->string);
		}
	}
	return true;
}

static bool item_read_headers(const cJSON *object, struct batch_item *item, struct problem *problem)
{
	const cJSON *headers = json_member(object, "headers");
	const cJSON *at;

	if (headers == NULL) {
		return true;
	}
	cJSON_ArrayForEach(at, headers)
	{
		if (!cJSON_IsObject(headers) || !cJSON_IsString(at)) {
			return problem_set(
			    problem, 400, "BadRequest",
			    "Invalid batch payload format: headers must be strings.");
		}
		if (strcasecmp(at->string, "Content-Type") == 0) {
			item->content_type = at->valuestring;
		} else if (strcasecmp(at->string, "Prefer") == 0) {
			item->prefer = at->valuestring;
		} else if (strcasecmp(at->string, "If-Match") == 0) {
			item->if_match = at->valuestring;
		}
	}
	return true;
}

/* Every write but DELETE needs both a body and its Content-Type; a body always needs the latter. */
static bool item_check_body(const struct batch_item *item, struct problem *problem)
{
	bool writes = strcmp(item->method, "GET") != 0 && strcmp(item->method, "DELETE") != 0;

	if ((writes && item->body == NULL) || (item->body != NULL && item->content_type == NULL)) {
		return problem_set(
		    problem, 400, "BadRequest",
		    "Write request id : %.60s does not contain Content-Type header or body.",
		    item->id);
	}
	return true;
}

static bool item_read(const cJSON *object, struct batch_item *item, struct problem *problem)
{
	const char *method = json_text(object, "method");

	if (!cJSON_IsObject(object)) {
		return problem_set(problem, 400, "BadRequest", "Invalid batch payload format.");
	}
	item->id = json_text(object, "id");
	item->url = json_text(object, "url");
	item->body = json_member(object, "body");
	item->depends_on = -1;
	if (item->id == NULL || *item->id == '\0' || method == NULL || item->url == NULL) {
		return problem_set(
		    problem, 400, "BadRequest",
		    "Invalid batch payload format: an item needs id, method and url.");
	}
	item->method = find_in(method, METHODS, sizeof METHODS / sizeof *METHODS);
	if (item->method == NULL || strstr(item->url, "://") != NULL) {
		return problem_set(
		    problem, 400, "BadRequest",
		    "Invalid batch payload format: method or url of request id '%.60s'.", item->id);
	}
	return item_knows_members(object, problem) && item_read_headers(object, item, problem) &&
	       item_check_body(item, problem);
}

static int batch_find(const struct batch *batch, size_t before, const char *id)
{
	for (size_t i = 0; i < before; i++) {
		if (strcasecmp(batch->items[i].id, id) == 0) {
			return (int)i;
		}
	}
	return -1;
}

/* One dependency at most, on an item that stands earlier. */
static bool batch_read_dependency(const cJSON *object, struct batch *batch, size_t index,
				  struct problem *problem)
{
	const cJSON *list = json_member(object, "dependsOn");
	const cJSON *first = list != NULL ? list->child : NULL;
	int found;

	if (list == NULL || (cJSON_IsArray(list) && first == NULL)) {
		return true;
	}
	found = cJSON_IsArray(list) && cJSON_IsString(first) && first->next == NULL
		    ? batch_find(batch, index, first->valuestring)
		    : -1;
	if (found < 0) {
		return problem_set(problem, 400, "BadRequest",
				   "Invalid dependency for request Id '%.60s'.",
				   batch->items[index].id);
	}
	batch->items[index].depends_on = found;
	batch->is_ordered = true;
	return true;
}

/* Serial: each on the one before.  Same: one depends on nothing, all others on it. */
static bool batch_has_legal_shape(const struct batch *batch)
{
	bool is_serial = true;
	bool is_same = true;

	for (size_t i = 1; i < batch->count; i++) {
		is_serial = is_serial && batch->items[i].depends_on == (int)i - 1;
		is_same = is_same && batch->items[i].depends_on == 0;
	}
	return !batch->is_ordered || is_serial || is_same;
}

static bool batch_read_items(const cJSON *requests, struct batch *batch, struct problem *problem)
{
	const cJSON *object;

	cJSON_ArrayForEach(object, requests)
	{
		struct batch_item *item = &batch->items[batch->count];

		if (!item_read(object, item, problem)) {
			return false;
		}
		if (batch_find(batch, batch->count, item->id) >= 0) {
			return problem_set(problem, 400, "BadRequest",
					   "Request Id '%.60s' has to be unique in a batch.",
					   item->id);
		}
		if (!batch_read_dependency(object, batch, batch->count, problem)) {
			return false;
		}
		batch->count++;
	}
	return true;
}

bool batch_read(const cJSON *document, struct batch *batch, struct problem *problem)
{
	const cJSON *requests = json_array(document, "requests");
	int count = cJSON_GetArraySize(requests);

	*batch = (struct batch){0};
	if (requests == NULL || count == 0) {
		return problem_set(problem, 400, "BadRequest", "Invalid batch payload format.");
	}
	if (count > BATCH_ITEMS_MAX) {
		return problem_set(problem, 400, "BadRequest",
				   "Number of batch request steps exceeds the maximum value of %d.",
				   BATCH_ITEMS_MAX);
	}
	if (!batch_read_items(requests, batch, problem)) {
		return false;
	}
	return batch_has_legal_shape(batch) ||
	       problem_set(
		   problem, 400, "BadRequest",
		   "Requests of a batch must be parallel, serial, or all depend on the same one.");
}

void batch_shuffle(size_t order[BATCH_ITEMS_MAX], size_t count)
{
	unsigned char random[BATCH_ITEMS_MAX];

	if (RAND_bytes(random, sizeof random) != 1) {
		abort();
	}
	for (size_t i = 0; i < count; i++) {
		size_t j = random[i] % (i + 1);

		order[i] = order[j];
		order[j] = i;
	}
}
