/* test_category.c - ours are taken out of an event's categories, the person's own stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "worker/category.h"

static struct hostmap map;

static int load_map(void **state)
{
	struct fault fault;

	(void)state;
	return hostmap_load(&map, NULL, &fault) ? 0 : -1;
}

/* Whether the wanted one was there, and what is left. */
static void expect_left(const char *list, bool was_right, const char *left)
{
	const struct category_names names = {
	    .map = &map, .wanted = "Green category", .written = "Once ours"};
	char text[256];

	snprintf(text, sizeof text, "%s", list);
	if (category_take_ours(text, &names) != was_right) {
		fail_msg("'%s' is %sright", list, was_right ? "not " : "");
	}
	assert_string_equal(text, left);
}

static void ours_alone_leaves_nothing(void **state)
{
	(void)state;
	expect_left("\x1f"
		    "Green category\x1f",
		    true, "\x1f");
	expect_left("\x1fgreen CATEGORY\x1f", true, "\x1f");
	expect_left("\x1f", false, "\x1f");
	expect_left("", false, "");
}

static void the_persons_own_stay_in_their_order(void **state)
{
	(void)state;
	expect_left("\x1fMine\x1fGreen category\x1fYours\x1f", true, "\x1fMine\x1fYours\x1f");
	expect_left("\x1fMine\x1fYours\x1f", false, "\x1fMine\x1fYours\x1f");
	expect_left("\x1fGreen category 2\x1f"
		    "Dark Green category\x1f",
		    false,
		    "\x1fGreen category 2\x1f"
		    "Dark Green category\x1f");
}

static void every_name_of_the_file_is_ours_and_so_is_what_we_wrote_last(void **state)
{
	(void)state;
	expect_left("\x1fYellow category\x1fMine\x1f", false, "\x1fMine\x1f");
	expect_left("\x1f"
		    "AmiDash: Confirmed\x1fMine\x1f",
		    false, "\x1fMine\x1f");
	expect_left("\x1fPurple category\x1f"
		    "AmiDash: Other\x1f",
		    false, "\x1f");
	expect_left("\x1fOnce ours\x1fMine\x1f", false, "\x1fMine\x1f");
}

static void another_one_of_ours_beside_it_is_not_right(void **state)
{
	(void)state;
	expect_left("\x1fGreen category\x1fYellow category\x1f", false, "\x1f");
	expect_left("\x1fGreen category\x1fGreen category\x1f", false, "\x1f");
	expect_left("\x1fGreen category\x1fOnce ours\x1fMine\x1f", false, "\x1fMine\x1f");
}

static void a_list_is_what_an_array_says(void **state)
{
	cJSON *array =
	    cJSON_Parse("[\"Mine\",\"\",5,null,\"Gr\\u00fcn\",\"of\\u001ftwo\",\"Yours\"]");
	struct buf out;

	(void)state;
	buf_init(&out, 256);
	category_list_add(&out, array);
	assert_string_equal(buf_string(&out), "\x1fMine\x1fGrün\x1fYours\x1f");
	buf_reset(&out);
	category_list_add(&out, NULL);
	assert_string_equal(buf_string(&out), "\x1f");
	assert_true(category_list_is_empty(buf_string(&out)));
	assert_true(category_list_is_empty(""));
	assert_false(category_list_is_empty("\x1fMine\x1f"));
	buf_close(&out);
	cJSON_Delete(array);
}

static void ours_is_written_first_and_theirs_behind_it(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 256);
	category_write(&out, "Green category", "\x1fMi\"ne\x1fYours\x1f");
	assert_string_equal(buf_string(&out), "[\"Green category\",\"Mi\\\"ne\",\"Yours\"]");
	buf_reset(&out);
	category_write(&out, "Green category", "");
	category_write(&out, "Green category", "\x1f");
	assert_string_equal(buf_string(&out), "[\"Green category\"][\"Green category\"]");
	buf_close(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ours_alone_leaves_nothing),
	    cmocka_unit_test(the_persons_own_stay_in_their_order),
	    cmocka_unit_test(every_name_of_the_file_is_ours_and_so_is_what_we_wrote_last),
	    cmocka_unit_test(another_one_of_ours_beside_it_is_not_right),
	    cmocka_unit_test(a_list_is_what_an_array_says),
	    cmocka_unit_test(ours_is_written_first_and_theirs_behind_it),
	};

	return cmocka_run_group_tests(tests, load_map, NULL);
}
