/* late.c - keys whose last record in the topic is not true any more. */
#define HASH_NONFATAL_OOM 1 /* without memory, uthash adds nothing instead of exiting */
#include "producer/late.h"

#include <stdlib.h>

#include "common/json.h"

#define LATE_KEY_MAX_BYTES 65536 /* with a schema around it */

/* `{"user_id":U,"id":A}`, or the same as a payload. */
static bool read_key(const char *text, size_t length, struct scope *scope)
{
	struct fault fault;
	cJSON *json = json_parse(text, length, LATE_KEY_MAX_BYTES, &fault);
	const cJSON *key = json_payload(json);
	const char *user = json_text(key, "user_id");
	const char *id = json_text(key, "id");
	bool ok = user != NULL && id != NULL && uuid_parse(user, &scope->user) &&
		  uuid_parse(id, &scope->id);

	scope->kind = SCOPE_KEY;
	cJSON_Delete(json);
	return ok;
}

/* What uthash's macros expand to is nobody's function to measure. */
/* NOLINTBEGIN(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */
static struct late_key *find(const struct late *late, const struct scope *scope)
{
	struct late_key *key;

	HASH_FIND(hh, late->keys, scope, sizeof *scope, key);
	return key;
}

static void add(struct late *late, const struct scope *scope)
{
	struct late_key *key = NULL;

	if (HASH_COUNT(late->keys) < late->most) {
		key = calloc(1, sizeof *key);
	}
	if (key == NULL) {
		late->overflowed = true;
		return;
	}
	key->scope = *scope;
	HASH_ADD(hh, late->keys, scope, sizeof key->scope, key);
	if (find(late, scope) == NULL) {
		free(key);
		late->overflowed = true;
	}
}

static void drop(struct late *late, struct late_key *key)
{
	HASH_DEL(late->keys, key);
	free(key);
}

void late_init(struct late *late, size_t most)
{
	*late = (struct late){.most = most};
}

void late_clear(struct late *late)
{
	struct late_key *key;
	struct late_key *next;

	HASH_ITER(hh, late->keys, key, next)
	{
		drop(late, key);
	}
	late->overflowed = false;
}

bool late_is_empty(const struct late *late)
{
	return late->keys == NULL && !late->overflowed;
}

size_t late_count(const struct late *late)
{
	return HASH_COUNT(late->keys);
}
/* NOLINTEND(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */

/* The key's last record so far is true, or not. */
static void note(struct late *late, const char *text, size_t length, bool is_true)
{
	struct scope scope = {0};
	struct late_key *key;

	if ((is_true && late->keys == NULL) || !read_key(text, length, &scope)) {
		return;
	}
	key = find(late, &scope);
	if (!is_true && key == NULL) {
		add(late, &scope);
	} else if (is_true && key != NULL) {
		drop(late, key);
	}
}

void late_take(struct late *late, const char *key, size_t length, const struct pos *pos,
	       const struct pos *newest)
{
	note(late, key, length, newest == NULL || pos_compare(pos, newest) >= 0);
}

void late_take_old(struct late *late, const char *key, size_t length, const struct pos *pos,
		   bool is_removal, uint32_t epoch)
{
	note(late, key, length, is_removal || pos->epoch >= epoch);
}
