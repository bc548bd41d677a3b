/* lane.c - queues per user, newest state per assignment. */
#include "worker/lane.h"

#include <stdlib.h>
#include <string.h>

void lanes_init(struct lanes *lanes)
{
	*lanes = (struct lanes){0};
	lanes->last_ready = &lanes->first_ready;
}

/* malloc's own share of what an item, its change and its hash entry take. */
#define ITEM_OVERHEAD_BYTES 96

static size_t text_bytes(const char *text)
{
	return text != NULL ? strlen(text) + 1 : 0;
}

static size_t change_bytes(const struct change *change)
{
	const struct assignment *assignment = &change->assignment;

	return sizeof *change + text_bytes(assignment->client_name) +
	       text_bytes(assignment->status) + text_bytes(assignment->notes) +
	       text_bytes(assignment->project_notes);
}

void lanes_hold(struct lanes *lanes, struct part *part, size_t bytes)
{
	lanes->held_bytes += bytes;
	part->held_bytes += bytes;
}

void lanes_let_go(struct lanes *lanes, struct part *part, size_t bytes)
{
	lanes->held_bytes -= bytes;
	part->held_bytes -= bytes;
}

/* Counts an item as large as it is now. */
static void item_count(struct item *item, size_t bytes)
{
	lanes_let_go(item->counts, item->part, item->held_bytes);
	lanes_hold(item->counts, item->part, bytes);
	item->held_bytes = bytes;
}

static size_t item_bytes(const struct item *item)
{
	return sizeof *item + ITEM_OVERHEAD_BYTES + item->raw_length +
	       item->offset_capacity * sizeof *item->offsets +
	       (item->change != NULL ? change_bytes(item->change) : 0);
}

bool lanes_has_room(const struct lanes *lanes, const struct part *part, int count)
{
	return lanes->held_bytes < LANES_MOST_BYTES ||
	       part->held_bytes < LANES_MOST_BYTES / (size_t)count;
}

void item_free(struct item *item)
{
	item_count(item, 0);
	free(item->change);
	free(item->raw);
	free(item->offsets);
	free(item);
}

/* NOLINTBEGIN(readability-function-size,clang-analyzer-unix.Malloc): uthash's loop */
static void lane_drop_items(struct lanes *lanes, struct lane *lane)
{
	struct item *items = lane_take(lanes, lane);
	struct item *item;
	struct item *next;

	HASH_ITER(hh, items, item, next)
	{
		HASH_DEL(items, item);
		item_free(item);
	}
}
/* NOLINTEND(readability-function-size,clang-analyzer-unix.Malloc) */

static void lanes_unqueue(struct lanes *lanes, struct lane *lane)
{
	struct lane **at = &lanes->first_ready;

	while (*at != NULL && *at != lane) {
		at = &(*at)->next_ready;
	}
	if (*at == lane) {
		*at = lane->next_ready;
		if (lanes->last_ready == &lane->next_ready) {
			lanes->last_ready = at;
		}
	}
	lane->is_ready = false;
}

/* NOLINTNEXTLINE(readability-function-size): the nesting is uthash's */
static void lane_free(struct lanes *lanes, struct lane *lane)
{
	if (lane->is_ready) {
		lanes_unqueue(lanes, lane);
	}
	lane_drop_items(lanes, lane);
	HASH_DEL(lanes->by_user, lane);
	free(lane);
}

void lanes_drop(struct lanes *lanes, const struct part *part)
{
	struct lane *lane;
	struct lane *next;

	HASH_ITER(hh, lanes->by_user, lane, next)
	{
		if (part != NULL && lane->part != part) {
			continue;
		}
		if (lane->run != NULL) {
			lane_drop_items(lanes, lane);
			lane->wants_sync = false;
			lane->wants_replay = false;
		} else {
			lane_free(lanes, lane);
		}
	}
}

/* NOLINTNEXTLINE(readability-function-size): the nesting is uthash's */
struct lane *lanes_get(struct lanes *lanes, const struct uuid *user, struct part *part)
{
	struct lane *lane;

	HASH_FIND(hh, lanes->by_user, user, sizeof *user, lane);
	if (lane == NULL) {
		lane = calloc(1, sizeof *lane);
		if (lane == NULL) {
			return NULL;
		}
		lane->user = *user;
		uuid_format(user, lane->user_text);
		HASH_ADD(hh, lanes->by_user, user, sizeof lane->user, lane);
	}
	lane->part = part;
	return lane;
}

static bool item_add_offset(struct item *item, int64_t offset)
{
	if (offset < 0) {
		return true;
	}
	if (item->offset_count == item->offset_capacity) {
		size_t capacity = item->offset_capacity > 0 ? item->offset_capacity * 2 : 4;
		int64_t *offsets = realloc(item->offsets, capacity * sizeof *offsets);

		if (offsets == NULL) {
			return false;
		}
		item->offsets = offsets;
		item->offset_capacity = capacity;
	}
	item->offsets[item->offset_count++] = offset;
	return true;
}

/* NOLINTNEXTLINE(readability-function-size): the nesting is uthash's */
static struct item *lane_item(struct lanes *lanes, struct lane *lane, const struct uuid *id)
{
	struct item *item;

	HASH_FIND(hh, lane->items, id, sizeof *id, item);
	if (item == NULL) {
		item = calloc(1, sizeof *item);
		if (item != NULL) {
			item->id = *id;
			item->part = lane->part;
			item->counts = lanes;
			HASH_ADD(hh, lane->items, id, sizeof item->id, item);
			lanes->waiting_items++;
		}
	}
	return item;
}

/* The newer of what item has and what is given stays; the other is freed. */
static void item_offer(struct item *item, struct change *change, char *raw, size_t raw_length)
{
	if (item->change != NULL && strcmp(change->pos, item->change->pos) < 0) {
		free(change);
		free(raw);
		return;
	}
	free(item->change);
	free(item->raw);
	item->change = change;
	item->raw = raw;
	item->raw_length = raw_length;
}

bool lane_put(struct lanes *lanes, struct lane *lane, struct change *change, char *raw,
	      size_t raw_length, int64_t offset)
{
	struct item *item = lane_item(lanes, lane, &change->id);

	if (item == NULL || !item_add_offset(item, offset)) {
		free(change);
		free(raw);
		return false;
	}
	item_offer(item, change, raw, raw_length);
	item_count(item, item_bytes(item));
	return true;
}

bool lane_put_back(struct lanes *lanes, struct lane *lane, struct item *from)
{
	struct item *item = lane_item(lanes, lane, &from->id);
	bool ok = item != NULL;

	for (size_t i = 0; ok && i < from->offset_count; i++) {
		ok = item_add_offset(item, from->offsets[i]);
	}
	if (ok) {
		item_offer(item, from->change, from->raw, from->raw_length);
		from->change = NULL;
		from->raw = NULL;
		item_count(item, item_bytes(item));
	}
	item_free(from);
	return ok;
}

struct item *lane_take(struct lanes *lanes, struct lane *lane)
{
	struct item *items = lane->items;

	lanes->waiting_items -= HASH_COUNT(items);
	lane->items = NULL;
	return items;
}

void lanes_make_ready(struct lanes *lanes, struct lane *lane)
{
	if (lane->is_ready || lane->run != NULL) {
		return;
	}
	lane->is_ready = true;
	lane->next_ready = NULL;
	*lanes->last_ready = lane;
	lanes->last_ready = &lane->next_ready;
}

struct lane *lanes_next_ready(struct lanes *lanes)
{
	struct lane *lane = lanes->first_ready;

	if (lane != NULL) {
		lanes->first_ready = lane->next_ready;
		if (lanes->first_ready == NULL) {
			lanes->last_ready = &lanes->first_ready;
		}
		lane->is_ready = false;
		lane->next_ready = NULL;
	}
	return lane;
}

void lanes_release(struct lanes *lanes, struct lane *lane)
{
	if (lane->run == NULL && lane->items == NULL && !lane->wants_sync && !lane->wants_replay) {
		lane_free(lanes, lane);
	}
}
