/* json.h - reads untrusted JSON: size cap, strict UTF-8, no trailing bytes, exact key case.
 *
 * cJSON alone accepts trailing junk, invalid UTF-8 and keys of another case, and cuts a string at
 * \u0000; this wrapper refuses all four. */
#ifndef CALRELAY_COMMON_JSON_H
#define CALRELAY_COMMON_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fault.h"

/* The parsed document (free with cJSON_Delete), or NULL with FAULT_INPUT: too large, not UTF-8,
 * holds \u0000, not JSON, deeper than 64, or bytes behind its end. */
cJSON *json_parse(const char *bytes, size_t length, size_t ceiling_bytes,
		  struct fault *fault) MUST_CHECK;

/* Room that documents are parsed into one after the other, so that none costs an allocation a
 * member.  Begins as {0}; named end: json_arena_close. */
struct json_arena {
	char *bytes;
	cJSON *large; /* the document that had no room in bytes */
	size_t used;
	bool is_full;
};

/* The same, in the arena: the document is valid until the arena's next one, and is not deleted. */
const cJSON *json_parse_in(struct json_arena *arena, const char *bytes, size_t length,
			   size_t ceiling_bytes, struct fault *fault) MUST_CHECK;
void json_arena_close(struct json_arena *arena);

/* Members by exact name.  NULL where parent is NULL or no object, or the member is absent. */
const cJSON *json_member(const cJSON *parent, const char *key);
const cJSON *json_object(const cJSON *parent, const char *key);
const cJSON *json_array(const cJSON *parent, const char *key);

/* The member's string, or NULL where it is absent, null or not a string. */
const char *json_text(const cJSON *parent, const char *key);

/* The same of an array's item. */
const char *json_item_text(const cJSON *array, int index);

/* False where absent, not a number, not integral or beyond 2^53. */
bool json_integer(const cJSON *parent, const char *key, int64_t *out);
bool json_is_true(const cJSON *parent, const char *key);

/* What a Kafka Connect converter put beside its schema ({"schema":...,"payload":...}, nothing
 * else); any other document as it is. */
const cJSON *json_payload(const cJSON *document);

#endif
