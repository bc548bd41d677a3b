/* letter.c - reads a dead letter's headers and key, and judges it. */
#include "worker/letter.h"

#include <string.h>

#include "common/json.h"

const char *const LETTER_NAMES[LETTER_HEADERS] = {
    [LETTER_TOPIC] = "topic", [LETTER_PARTITION] = "partition",	     [LETTER_OFFSET] = "offset",
    [LETTER_STAGE] = "stage", [LETTER_REASON] = "exception.message",
};

bool letter_number(const char *text, size_t length, int64_t most, int64_t *number)
{
	int64_t value = 0;

	if (length == 0) {
		return false;
	}
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9' ||
		    __builtin_mul_overflow(value, INT64_C(10), &value) ||
		    __builtin_add_overflow(value, (int64_t)(text[i] - '0'), &value)) {
			return false;
		}
	}
	*number = value;
	return value <= most;
}

/* What a terminal might take for an order becomes a question mark. */
static void letter_copy(char *to, size_t size, const struct letter_bytes *from)
{
	size_t length = from->length < size ? from->length : size - 1;

	if (length > 0) {
		memcpy(to, from->bytes, length);
	}
	for (size_t i = 0; i < length; i++) {
		if (to[i] < ' ' || to[i] > '~') {
			to[i] = '?';
		}
	}
	to[length] = '\0';
}

static bool letter_has_all(const struct letter_source *source, struct fault *fault)
{
	for (int i = 0; i < LETTER_HEADERS; i++) {
		if (source->headers[i].bytes == NULL) {
			return fault_input(fault, "no header " LETTER_PREFIX "%s", LETTER_NAMES[i]);
		}
	}
	return true;
}

static bool letter_is_minus_one(const struct letter_bytes *bytes)
{
	return bytes->length == 2 && memcmp(bytes->bytes, "-1", 2) == 0;
}

static bool letter_read_place(struct letter *letter, const struct letter_source *source,
			      struct fault *fault)
{
	const struct letter_bytes *topic = &source->headers[LETTER_TOPIC];
	const struct letter_bytes *partition = &source->headers[LETTER_PARTITION];
	const struct letter_bytes *offset = &source->headers[LETTER_OFFSET];
	int64_t number;

	if (topic->length == 0 || topic->length >= LETTER_TOPIC_SIZE) {
		return fault_input(fault, "malformed header " LETTER_PREFIX "topic");
	}
	letter_copy(letter->topic, sizeof letter->topic, topic);
	if (!letter_number(partition->bytes, partition->length, INT32_MAX, &number)) {
		return fault_input(fault, "malformed header " LETTER_PREFIX "partition");
	}
	letter->partition = (int32_t)number;
	letter->offset = -1;
	if (!letter_is_minus_one(offset) &&
	    !letter_number(offset->bytes, offset->length, INT64_MAX, &letter->offset)) {
		return fault_input(fault, "malformed header " LETTER_PREFIX "offset");
	}
	return true;
}

static void letter_read_id(const cJSON *key, const char *name, char text[UUID_TEXT_SIZE])
{
	const char *found = json_text(key, name);
	struct uuid uuid;

	text[0] = '\0';
	if (found != NULL && uuid_parse(found, &uuid)) {
		uuid_format(&uuid, text);
	}
}

/* A key that nobody can read is why some letters are here. */
static void letter_read_key(struct letter *letter, const struct letter_bytes *bytes)
{
	struct fault why;
	cJSON *document = bytes->bytes != NULL
			      ? json_parse(bytes->bytes, bytes->length, LETTER_KEY_MAX_BYTES, &why)
			      : NULL;
	const cJSON *key = json_payload(document);

	letter_read_id(key, "user_id", letter->user);
	letter_read_id(key, "id", letter->id);
	cJSON_Delete(document);
}

bool letter_read(struct letter *letter, const struct letter_source *source, struct fault *fault)
{
	if (!letter_has_all(source, fault) || !letter_read_place(letter, source, fault)) {
		return false;
	}
	letter_copy(letter->stage, sizeof letter->stage, &source->headers[LETTER_STAGE]);
	letter_copy(letter->reason, sizeof letter->reason, &source->headers[LETTER_REASON]);
	letter_read_key(letter, &source->key);
	return true;
}

enum letter_fate letter_decide(const struct letter *letter, const char *const topics[2])
{
	if (strcmp(letter->topic, topics[0]) != 0 && strcmp(letter->topic, topics[1]) != 0) {
		return LETTER_FOREIGN;
	}
	return letter->user[0] != '\0' ? LETTER_COMPARES : LETTER_NOBODYS;
}
