/* json.c - cJSON behind checks that it does not make itself. */
#include "common/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

#define JSON_DEPTH_MAX	 64
#define JSON_ARENA_BYTES (256u << 10)

/* Text that is no JSON at all may be taken for deeper than it is, or not: cJSON refuses it. */
static bool is_too_deep(const char *bytes, size_t length)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < length && depth <= JSON_DEPTH_MAX; i++) {
		char c = bytes[i];

		if (in_string && c == '\\') {
			i++;
		} else if (c == '"') {
			in_string = !in_string;
		} else if (!in_string && (c == '{' || c == '[')) {
			depth++;
		} else if (!in_string && (c == '}' || c == ']')) {
			depth--;
		}
	}
	return depth > JSON_DEPTH_MAX;
}

static const char *find(const char *at, const char *end, char c)
{
	return memchr(at, c, (size_t)(end - at));
}

/* Whether c is there more than JSON_DEPTH_MAX / 2 times. */
static bool has_many(const char *bytes, size_t length, char c)
{
	const char *end = bytes + length;
	const char *at = bytes;
	int count = 0;

	while (count <= JSON_DEPTH_MAX / 2 && (at = find(at, end, c)) != NULL) {
		count++;
		at++;
	}
	return count > JSON_DEPTH_MAX / 2;
}

static bool has_escaped_nul(const char *bytes, size_t length)
{
	const char *end = bytes + length;
	const char *at = bytes;

	while ((at = find(at, end, '\\')) != NULL) {
		if (end - at > 5 && memcmp(at, "\\u0000", 6) == 0) {
			return true;
		}
		at += end - at > 1 ? 2 : 1; /* what is escaped begins no escape */
	}
	return false;
}

/* Refuses what cJSON would let through or recurse into.  Few brackets nest little: the pass that
 * follows strings is rarely needed. */
static bool json_is_acceptable(const char *bytes, size_t length, struct fault *fault)
{
	if (memchr(bytes, '\0', length) != NULL) {
		return fault_input(fault, "JSON holds a NUL byte");
	}
	if (has_escaped_nul(bytes, length)) {
		return fault_input(fault, "JSON holds a NUL character");
	}
	if ((has_many(bytes, length, '{') || has_many(bytes, length, '[')) &&
	    is_too_deep(bytes, length)) {
		return fault_input(fault, "JSON is nested deeper than %d", JSON_DEPTH_MAX);
	}
	return true;
}

static bool json_only_space(const char *at, const char *end)
{
	while (at < end && strchr(" \t\r\n", *at) != NULL) {
		at++;
	}
	return at == end;
}

static bool json_is_readable(const char *bytes, size_t length, size_t ceiling_bytes,
			     struct fault *fault)
{
	if (length > ceiling_bytes) {
		return fault_input(fault, "JSON of %zu bytes is larger than %zu", length,
				   ceiling_bytes);
	}
	if (utf8_prefix(bytes, length) < length) {
		return fault_input(fault, "JSON is not valid UTF-8");
	}
	return json_is_acceptable(bytes, length, fault);
}

static cJSON *json_read(const char *bytes, size_t length)
{
	const char *end = NULL;
	cJSON *document = cJSON_ParseWithLengthOpts(bytes, length, &end, 0);

	if (document != NULL && !json_only_space(end, bytes + length)) {
		cJSON_Delete(document);
		return NULL;
	}
	return document;
}

cJSON *json_parse(const char *bytes, size_t length, size_t ceiling_bytes, struct fault *fault)
{
	cJSON *document;

	if (!json_is_readable(bytes, length, ceiling_bytes, fault)) {
		return NULL;
	}
	document = json_read(bytes, length);
	if (document == NULL) {
		fault_input(fault, "not valid JSON (%zu bytes)", length);
	}
	return document;
}

/* ---- the arena: cJSON's own allocations while one is in use ---- */

static _Thread_local struct json_arena *in_use;

static void *arena_malloc(size_t size)
{
	struct json_arena *arena = in_use;
	size_t room = (size + 15) & ~(size_t)15;
	void *at;

	if (arena == NULL) {
		return malloc(size);
	}
	if (room > JSON_ARENA_BYTES - arena->used) {
		arena->is_full = true;
		return NULL;
	}
	at = arena->bytes + arena->used;
	arena->used += room;
	return at;
}

static void arena_free(void *pointer)
{
	if (in_use == NULL) {
		free(pointer);
	}
}

static bool arena_begin(struct json_arena *arena)
{
	/* without an arena in use they are what cJSON uses anyway: any time is right to set them */
	cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = arena_malloc, .free_fn = arena_free});
	cJSON_Delete(arena->large);
	arena->large = NULL;
	arena->used = 0;
	arena->is_full = false;
	if (arena->bytes == NULL) {
		arena->bytes = malloc(JSON_ARENA_BYTES);
	}
	return arena->bytes != NULL;
}

const cJSON *json_parse_in(struct json_arena *arena, const char *bytes, size_t length,
			   size_t ceiling_bytes, struct fault *fault)
{
	cJSON *document = NULL;

	if (!json_is_readable(bytes, length, ceiling_bytes, fault)) {
		return NULL;
	}
	if (arena_begin(arena)) {
		in_use = arena;
		document = json_read(bytes, length);
		in_use = NULL;
	}
	if (arena->bytes == NULL || arena->is_full) {
		arena->large = document = json_read(bytes, length);
	}
	if (document == NULL) {
		fault_input(fault, "not valid JSON (%zu bytes)", length);
	}
	return document;
}

void json_arena_close(struct json_arena *arena)
{
	cJSON_Delete(arena->large);
	free(arena->bytes);
	*arena = (struct json_arena){0};
}

const cJSON *json_member(const cJSON *parent, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(parent, key);
}

const cJSON *json_object(const cJSON *parent, const char *key)
{
	const cJSON *member = json_member(parent, key);

	return cJSON_IsObject(member) ? member : NULL;
}

const cJSON *json_array(const cJSON *parent, const char *key)
{
	const cJSON *member = json_member(parent, key);

	return cJSON_IsArray(member) ? member : NULL;
}

const char *json_text(const cJSON *parent, const char *key)
{
	return cJSON_GetStringValue(json_member(parent, key));
}

const char *json_item_text(const cJSON *array, int index)
{
	return cJSON_GetStringValue(cJSON_GetArrayItem(array, index));
}

bool json_integer(const cJSON *parent, const char *key, int64_t *out)
{
	const cJSON *member = json_member(parent, key);
	double number;

	if (!cJSON_IsNumber(member)) {
		return false;
	}
	number = cJSON_GetNumberValue(member);
	if (!(fabs(number) <= 9007199254740992.0) || number != floor(number)) {
		return false;
	}
	*out = (int64_t)number;
	return true;
}

bool json_is_true(const cJSON *parent, const char *key)
{
	return cJSON_IsTrue(json_member(parent, key));
}

const cJSON *json_payload(const cJSON *document)
{
	const cJSON *payload = json_member(document, "payload");

	if (payload == NULL || json_object(document, "schema") == NULL ||
	    cJSON_GetArraySize(document) != 2) {
		return document;
	}
	return payload;
}
