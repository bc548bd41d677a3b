/* json.c - cJSON behind checks that it does not make itself. */
#include "common/json.h"

#include <math.h>
#include <string.h>

#include "common/utf8.h"

#define JSON_DEPTH_MAX 64

bool json_utf8_valid(const char *bytes, size_t length)
{
	return utf8_prefix(bytes, length) == length;
}

/* Refuses by one pass over the bytes what cJSON would let through or recurse into. */
static bool json_is_acceptable(const char *bytes, size_t length, struct fault *fault)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < length; i++) {
		if (in_string && bytes[i] == '\\') {
			if (length - i > 5 && memcmp(bytes + i, "\\u0000", 6) == 0) {
				return fault_input(fault, "JSON holds a NUL character");
			}
			i++;
		} else if (bytes[i] == '"') {
			in_string = !in_string;
		} else if (bytes[i] == '\0') {
			return fault_input(fault, "JSON holds a NUL byte");
		} else if (!in_string && (bytes[i] == '{' || bytes[i] == '[')) {
			if (++depth > JSON_DEPTH_MAX) {
				return fault_input(fault, "JSON is nested deeper than %d",
						   JSON_DEPTH_MAX);
			}
		} else if (!in_string && (bytes[i] == '}' || bytes[i] == ']')) {
			depth--;
		}
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

cJSON *json_parse(const char *bytes, size_t length, size_t ceiling_bytes, struct fault *fault)
{
	const char *end = NULL;
	cJSON *document;

	if (length > ceiling_bytes) {
		fault_input(fault, "JSON of %zu bytes is larger than %zu", length, ceiling_bytes);
		return NULL;
	}
	if (!json_utf8_valid(bytes, length)) {
		fault_input(fault, "JSON is not valid UTF-8");
		return NULL;
	}
	if (!json_is_acceptable(bytes, length, fault)) {
		return NULL;
	}
	document = cJSON_ParseWithLengthOpts(bytes, length, &end, 0);
	if (document == NULL || !json_only_space(end, bytes + length)) {
		cJSON_Delete(document);
		fault_input(fault, "not valid JSON (%zu bytes)", length);
		return NULL;
	}
	return document;
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
