/* test_lane.c - one lane per user: the newest state wins, and no offset is ever forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/lane.h"

#define OLDER "00000001:00000000000000AA:00000001"
#define POS   "00000001:00000000000000BB:00000001"
#define NEWER "00000001:00000000000000CC:00000001"

struct rig {
	struct lanes lanes;
	struct part part;
	struct part other_part;
	struct lane *lane; /* user 1's */
};

static struct uuid id_of(uint8_t number)
{
	struct uuid id = {{0}};

	id.bytes[15] = number;
	return id;
}

static struct lane *lane_of(struct rig *rig, uint8_t user, struct part *part)
{
	struct uuid id = id_of(user);
	struct lane *lane = lanes_get(&rig->lanes, &id, part);

	assert_non_null(lane);
	return lane;
}

static void rig_begin(struct rig *rig)
{
	*rig = (struct rig){.part = {.partition = 1}, .other_part = {.partition = 2}};
	lanes_init(&rig->lanes);
	rig->lane = lane_of(rig, 1, &rig->part);
}

static void rig_end(struct rig *rig)
{
	lanes_drop(&rig->lanes, NULL);
	assert_null(rig->lanes.by_user);
	assert_null(rig->lanes.first_ready);
	assert_int_equal(rig->lanes.waiting_items, 0);
}

/* Puts a state of an assignment; notes tells which. */
static void put(struct rig *rig, uint8_t assignment, const char *pos, const char *notes,
		int64_t offset)
{
	struct change *change = change_new(&(struct assignment){.notes = notes});
	char *raw = strdup(notes);

	assert_non_null(change);
	assert_non_null(raw);
	change->id = id_of(assignment);
	snprintf(change->pos, sizeof change->pos, "%s", pos);
	assert_true(lane_put(&rig->lanes, rig->lane, change, raw, strlen(raw), offset));
}

/* What uthash's macros expand to is nobody's function to measure. */
/* NOLINTBEGIN(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */
static struct item *item_of(struct item *items, uint8_t assignment)
{
	struct uuid id = id_of(assignment);
	struct item *item;

	HASH_FIND(hh, items, &id, sizeof id, item);
	assert_non_null(item);
	return item;
}
/* NOLINTEND(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */

static bool has_offset(const struct item *item, int64_t offset)
{
	for (size_t i = 0; i < item->offset_count; i++) {
		if (item->offsets[i] == offset) {
			return true;
		}
	}
	return false;
}

static void expect_state(const struct item *item, const char *pos, const char *notes)
{
	assert_string_equal(item->change->pos, pos);
	assert_string_equal(item->change->assignment.notes, notes);
	assert_int_equal(item->raw_length, strlen(notes));
	assert_memory_equal(item->raw, notes, strlen(notes));
}

/* NOLINTBEGIN(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */
static void put_all_back(struct rig *rig, struct item *items)
{
	struct item *item;
	struct item *next;

	HASH_ITER(hh, items, item, next)
	{
		HASH_DEL(items, item);
		assert_true(lane_put_back(&rig->lanes, rig->lane, item));
	}
}
/* NOLINTEND(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */

/* ---- items ---- */

static void a_newer_state_replaces_an_older_one_and_keeps_its_offsets(void **state)
{
	struct rig rig;
	struct item *item;

	(void)state;
	rig_begin(&rig);
	put(&rig, 9, OLDER, "old", 10);
	put(&rig, 9, POS, "middle", 11);
	put(&rig, 9, NEWER, "new", 12);
	assert_int_equal(HASH_COUNT(rig.lane->items), 1);
	assert_int_equal(rig.lanes.waiting_items, 1);
	item = item_of(rig.lane->items, 9);
	expect_state(item, NEWER, "new");
	assert_int_equal(item->offset_count, 3);
	assert_true(has_offset(item, 10) && has_offset(item, 11) && has_offset(item, 12));
	rig_end(&rig);
}

static void a_late_older_state_only_adds_its_offset(void **state)
{
	struct rig rig;
	struct item *item;

	(void)state;
	rig_begin(&rig);
	put(&rig, 9, NEWER, "new", 10);
	put(&rig, 9, OLDER, "old, sent late by a producer that was frozen", 11);
	item = item_of(rig.lane->items, 9);
	expect_state(item, NEWER, "new");
	assert_int_equal(item->offset_count, 2);
	assert_true(has_offset(item, 11));
	rig_end(&rig);
}

static void of_two_states_at_one_position_the_later_delivery_wins(void **state)
{
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	put(&rig, 9, POS, "first", 10);
	put(&rig, 9, POS, "resent", 11);
	expect_state(item_of(rig.lane->items, 9), POS, "resent");
	rig_end(&rig);
}

static void assignments_do_not_replace_each_other(void **state)
{
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	put(&rig, 8, OLDER, "eight", 10);
	put(&rig, 9, NEWER, "nine", 11);
	assert_int_equal(rig.lanes.waiting_items, 2);
	expect_state(item_of(rig.lane->items, 8), OLDER, "eight");
	expect_state(item_of(rig.lane->items, 9), NEWER, "nine");
	rig_end(&rig);
}

static void many_offsets_of_one_item_are_all_kept(void **state)
{
	struct rig rig;
	struct item *item;

	(void)state;
	rig_begin(&rig);
	for (int64_t offset = 0; offset < 100; offset++) {
		put(&rig, 9, POS, "x", offset);
	}
	item = item_of(rig.lane->items, 9);
	assert_int_equal(item->offset_count, 100);
	for (int64_t offset = 0; offset < 100; offset++) {
		assert_true(has_offset(item, offset));
	}
	rig_end(&rig);
}

static void a_fold_marks_no_offset(void **state)
{
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	put(&rig, 9, OLDER, "old", -1);
	put(&rig, 9, POS, "new", -1);
	assert_int_equal(item_of(rig.lane->items, 9)->offset_count, 0);
	expect_state(item_of(rig.lane->items, 9), POS, "new");
	rig_end(&rig);
}

static void taking_leaves_the_lane_empty_and_counts(void **state)
{
	struct rig rig;
	struct item *items;

	(void)state;
	rig_begin(&rig);
	put(&rig, 8, POS, "eight", 10);
	put(&rig, 9, POS, "nine", 11);
	items = lane_take(&rig.lanes, rig.lane);
	assert_int_equal(HASH_COUNT(items), 2);
	assert_null(rig.lane->items);
	assert_int_equal(rig.lanes.waiting_items, 0);
	assert_null(lane_take(&rig.lanes, rig.lane));
	put_all_back(&rig, items);
	assert_int_equal(rig.lanes.waiting_items, 2);
	rig_end(&rig);
}

static void what_came_while_a_run_failed_is_newer_and_wins(void **state)
{
	struct rig rig;
	struct item *items;
	struct item *item;

	(void)state;
	rig_begin(&rig);
	put(&rig, 8, POS, "eight", 9);
	put(&rig, 9, POS, "taken", 10);
	items = lane_take(&rig.lanes, rig.lane);
	put(&rig, 9, NEWER, "came since", 12);
	put_all_back(&rig, items);
	item = item_of(rig.lane->items, 9);
	expect_state(item, NEWER, "came since");
	assert_int_equal(item->offset_count, 2);
	assert_true(has_offset(item, 10) && has_offset(item, 12));
	expect_state(item_of(rig.lane->items, 8), POS, "eight");
	assert_int_equal(rig.lanes.waiting_items, 2);
	rig_end(&rig);
}

static void what_came_late_while_a_run_failed_does_not_win(void **state)
{
	struct rig rig;
	struct item *items;
	struct item *item;

	(void)state;
	rig_begin(&rig);
	put(&rig, 9, POS, "taken", 10);
	items = lane_take(&rig.lanes, rig.lane);
	put(&rig, 9, OLDER, "late", 12);
	put_all_back(&rig, items);
	item = item_of(rig.lane->items, 9);
	expect_state(item, POS, "taken");
	assert_int_equal(item->offset_count, 2);
	rig_end(&rig);
}

/* ---- users ---- */

static void a_user_has_one_lane_which_follows_the_partition(void **state)
{
	struct rig rig;
	struct lane *lane;

	(void)state;
	rig_begin(&rig);
	lane = lane_of(&rig, 1, &rig.other_part);
	assert_ptr_equal(lane, rig.lane);
	assert_ptr_equal(lane->part, &rig.other_part);
	assert_string_equal(lane->user_text, "00000000-0000-0000-0000-000000000001");
	assert_ptr_not_equal(lane_of(&rig, 2, &rig.part), lane);
	rig_end(&rig);
}

static void ready_lanes_come_out_in_the_order_they_went_in_and_once(void **state)
{
	struct rig rig;
	struct lane *second;
	struct lane *third;

	(void)state;
	rig_begin(&rig);
	second = lane_of(&rig, 2, &rig.part);
	third = lane_of(&rig, 3, &rig.part);
	lanes_make_ready(&rig.lanes, second);
	lanes_make_ready(&rig.lanes, rig.lane);
	lanes_make_ready(&rig.lanes, second);
	lanes_make_ready(&rig.lanes, third);
	assert_ptr_equal(lanes_next_ready(&rig.lanes), second);
	assert_ptr_equal(lanes_next_ready(&rig.lanes), rig.lane);
	lanes_make_ready(&rig.lanes, second);
	assert_ptr_equal(lanes_next_ready(&rig.lanes), third);
	assert_ptr_equal(lanes_next_ready(&rig.lanes), second);
	assert_null(lanes_next_ready(&rig.lanes));
	lanes_make_ready(&rig.lanes, third);
	assert_ptr_equal(lanes_next_ready(&rig.lanes), third);
	rig_end(&rig);
}

static void a_lane_with_a_run_is_never_ready(void **state)
{
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	rig.lane->run = (struct run *)&rig;
	lanes_make_ready(&rig.lanes, rig.lane);
	assert_null(lanes_next_ready(&rig.lanes));
	rig.lane->run = NULL;
	lanes_make_ready(&rig.lanes, rig.lane);
	assert_ptr_equal(lanes_next_ready(&rig.lanes), rig.lane);
	rig_end(&rig);
}

/* NOLINTBEGIN(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */
static struct lane *find_lane(const struct rig *rig, uint8_t user)
{
	struct uuid id = id_of(user);
	struct lane *lane;

	HASH_FIND(hh, rig->lanes.by_user, &id, sizeof id, lane);
	return lane;
}
/* NOLINTEND(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */

/* NOLINTBEGIN(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */
static void a_released_lane_goes_only_when_nothing_is_left_to_do(void **state)
{
	struct rig rig;
	struct item *items;
	struct item *item;

	(void)state;
	rig_begin(&rig);
	rig.lane->wants_sync = true;
	lanes_release(&rig.lanes, rig.lane);
	assert_ptr_equal(find_lane(&rig, 1), rig.lane);
	rig.lane->wants_sync = false;
	rig.lane->wants_replay = true;
	lanes_release(&rig.lanes, rig.lane);
	assert_ptr_equal(find_lane(&rig, 1), rig.lane);
	rig.lane->wants_replay = false;
	rig.lane->run = (struct run *)&rig;
	lanes_release(&rig.lanes, rig.lane);
	assert_ptr_equal(find_lane(&rig, 1), rig.lane);
	rig.lane->run = NULL;
	put(&rig, 9, POS, "x", 1);
	lanes_release(&rig.lanes, rig.lane);
	assert_ptr_equal(find_lane(&rig, 1), rig.lane);
	items = lane_take(&rig.lanes, rig.lane);
	item = items;
	HASH_DEL(items, item);
	item_free(item);
	lanes_release(&rig.lanes, rig.lane);
	assert_null(find_lane(&rig, 1));
	rig_end(&rig);
}
/* NOLINTEND(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */

static void a_released_lane_leaves_the_ready_queue_whole(void **state)
{
	for (uint8_t gone = 1; gone <= 3; gone++) {
		struct rig rig;

		(void)state;
		rig_begin(&rig);
		for (uint8_t user = 1; user <= 3; user++) {
			lanes_make_ready(&rig.lanes, lane_of(&rig, user, &rig.part));
		}
		lanes_release(&rig.lanes, find_lane(&rig, gone));
		lanes_make_ready(&rig.lanes, lane_of(&rig, 4, &rig.part));
		for (uint8_t user = 1; user <= 4; user++) {
			if (user != gone) {
				assert_ptr_equal(lanes_next_ready(&rig.lanes),
						 find_lane(&rig, user));
			}
		}
		assert_null(lanes_next_ready(&rig.lanes));
		rig_end(&rig);
	}
}

static void dropping_a_partition_frees_its_lanes_and_no_others(void **state)
{
	struct rig rig;
	struct lane *other;

	(void)state;
	rig_begin(&rig);
	put(&rig, 9, POS, "x", 1);
	lanes_make_ready(&rig.lanes, rig.lane);
	other = lane_of(&rig, 2, &rig.other_part);
	lanes_make_ready(&rig.lanes, other);
	lanes_drop(&rig.lanes, &rig.part);
	assert_null(find_lane(&rig, 1));
	assert_ptr_equal(find_lane(&rig, 2), other);
	assert_int_equal(rig.lanes.waiting_items, 0);
	assert_ptr_equal(lanes_next_ready(&rig.lanes), other);
	assert_null(lanes_next_ready(&rig.lanes));
	rig_end(&rig);
}

static void dropping_a_lane_with_a_run_leaves_it_to_the_run_with_nothing_to_do(void **state)
{
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	put(&rig, 9, POS, "x", 1);
	rig.lane->run = (struct run *)&rig;
	rig.lane->wants_sync = true;
	rig.lane->wants_replay = true;
	lanes_drop(&rig.lanes, &rig.part);
	assert_ptr_equal(find_lane(&rig, 1), rig.lane);
	assert_null(rig.lane->items);
	assert_false(rig.lane->wants_sync || rig.lane->wants_replay);
	assert_int_equal(rig.lanes.waiting_items, 0);
	rig.lane->run = NULL;
	lanes_release(&rig.lanes, rig.lane);
	assert_null(find_lane(&rig, 1));
	rig_end(&rig);
}

/* ---- the ceiling ---- */

static void put_bytes(struct rig *rig, uint8_t assignment, size_t bytes, int64_t offset)
{
	struct change *change = change_new(&(struct assignment){.notes = "x"});
	char *raw = calloc(1, bytes);

	assert_non_null(change);
	assert_non_null(raw);
	change->id = id_of(assignment);
	snprintf(change->pos, sizeof change->pos, "%s", POS);
	assert_true(lane_put(&rig->lanes, rig->lane, change, raw, bytes, offset));
}

/* NOLINTNEXTLINE(readability-function-size): the nesting is uthash's */
static void what_a_record_holds_is_counted_until_it_is_freed(void **state)
{
	struct rig rig;
	struct item *items;
	struct item *item;

	(void)state;
	rig_begin(&rig);
	put_bytes(&rig, 9, 1000, 1);
	assert_in_range(rig.lanes.held_bytes, 1000, 1700);
	assert_int_equal(rig.part.held_bytes, rig.lanes.held_bytes);
	put_bytes(&rig, 9, 5000, 2); /* the newer takes the older's place */
	assert_in_range(rig.lanes.held_bytes, 5000, 5700);
	items = lane_take(&rig.lanes, rig.lane); /* a run holds it now */
	assert_in_range(rig.lanes.held_bytes, 5000, 5700);
	put_all_back(&rig, items);
	assert_in_range(rig.lanes.held_bytes, 5000, 5700);
	items = lane_take(&rig.lanes, rig.lane);
	item = item_of(items, 9);
	HASH_DEL(items, item);
	item_free(item);
	assert_int_equal(rig.lanes.held_bytes, 0);
	assert_int_equal(rig.part.held_bytes, 0);
	rig_end(&rig);
}

static void many_offsets_of_one_assignment_are_counted_too(void **state)
{
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	for (int64_t offset = 0; offset < 1000; offset++) {
		put(&rig, 9, POS, "x", offset);
	}
	assert_true(rig.lanes.held_bytes >= 1000 * sizeof(int64_t));
	rig_end(&rig);
	assert_int_equal(rig.lanes.held_bytes, 0);
}

/* One user's backlog stops the reading of that partition, never of those that could go on. */
static void a_partition_is_read_while_all_or_it_alone_hold_less_than_they_may(void **state)
{
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	assert_true(lanes_has_room(&rig.lanes, &rig.part, 2));
	put_bytes(&rig, 9, LANES_MOST_BYTES, 1);
	assert_false(lanes_has_room(&rig.lanes, &rig.part, 2));
	assert_true(lanes_has_room(&rig.lanes, &rig.other_part, 2));
	lanes_hold(&rig.lanes, &rig.other_part, LANES_MOST_BYTES / 2);
	assert_false(lanes_has_room(&rig.lanes, &rig.other_part, 2));
	lanes_let_go(&rig.lanes, &rig.other_part, 1);
	assert_true(lanes_has_room(&rig.lanes, &rig.other_part, 2));
	lanes_drop(&rig.lanes, &rig.part);
	assert_true(lanes_has_room(&rig.lanes, &rig.part, 2));
	assert_int_equal(rig.lanes.held_bytes, LANES_MOST_BYTES / 2 - 1);
	rig_end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_newer_state_replaces_an_older_one_and_keeps_its_offsets),
	    cmocka_unit_test(a_late_older_state_only_adds_its_offset),
	    cmocka_unit_test(of_two_states_at_one_position_the_later_delivery_wins),
	    cmocka_unit_test(assignments_do_not_replace_each_other),
	    cmocka_unit_test(many_offsets_of_one_item_are_all_kept),
	    cmocka_unit_test(a_fold_marks_no_offset),
	    cmocka_unit_test(taking_leaves_the_lane_empty_and_counts),
	    cmocka_unit_test(what_came_while_a_run_failed_is_newer_and_wins),
	    cmocka_unit_test(what_came_late_while_a_run_failed_does_not_win),
	    cmocka_unit_test(a_user_has_one_lane_which_follows_the_partition),
	    cmocka_unit_test(ready_lanes_come_out_in_the_order_they_went_in_and_once),
	    cmocka_unit_test(a_lane_with_a_run_is_never_ready),
	    cmocka_unit_test(a_released_lane_goes_only_when_nothing_is_left_to_do),
	    cmocka_unit_test(a_released_lane_leaves_the_ready_queue_whole),
	    cmocka_unit_test(dropping_a_partition_frees_its_lanes_and_no_others),
	    cmocka_unit_test(dropping_a_lane_with_a_run_leaves_it_to_the_run_with_nothing_to_do),
	    cmocka_unit_test(what_a_record_holds_is_counted_until_it_is_freed),
	    cmocka_unit_test(many_offsets_of_one_assignment_are_counted_too),
	    cmocka_unit_test(a_partition_is_read_while_all_or_it_alone_hold_less_than_they_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
