/* json.c - cJSON behind checks that it does not make itself. */
#include "common/json.h"

#include <math.h>
#include <string.h>

#define JSON_DEPTH_MAX 64

static bool utf8_tail(const unsigned char *at, size_t left, size_t size)
{
	if (size > left) {
		return false;
	}
	for (size_t i = 1; i < size; i++) {
		if ((at[i] & 0xC0) != 0x80) {
			return false;
		}
	}
	return true;
}

/* Size of the UTF-8 sequence at at (RFC 3629 section 4), 0 where it is malformed. */
static size_t utf8_size(const unsigned char *at, size_t left)
{
	unsigned char second = left > 1 ? at[1] : 0;
	size_t size = 0;

	if (at[0] < 0x80) {
		return 1;
	}
	if (at[0] >= 0xC2 && at[0] <= 0xDF) {
		size = 2;
	} else if (at[0] >= 0xE0 && at[0] <= 0xEF) {
		size = (at[0] == 0xE0 && second < 0xA0) || (at[0] == 0xED && second > 0x9F) ? 0 : 3;
	} else if (at[0] >= 0xF0 && at[0] <= 0xF4) {
		size = (at[0] == 0xF0 && second < 0x90) || (at[0] == 0xF4 && second > 0x8F) ? 0 : 4;
	}
	return size > 0 && utf8_tail(at, left, size) ? size : 0;
}

bool json_utf8_valid(const char *bytes, size_t length)
{
	const unsigned char *at = (const unsigned char *)bytes;
	const unsigned char *end = at + length;

	while (at < end) {
		size_t size = utf8_size(at, (size_t)(end - at));

		if (size == 0) {
			return false;
		}
		at += size;
	}
	return true;
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
				return fault_input(fault, "JSON is nested deeper than %d", JSON_DEPTH_MAX);
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
