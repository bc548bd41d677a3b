/* test_palette.c - which categories are made in a mailbox, and that no event waits for them. */
#include "tests/unit/worker/rig.h"

#include "worker/palette.h"

#define LIST(items) "{\"value\":[" items "]}"

static uint64_t missing_in(const char *body)
{
	uint64_t missing = 99;

	assert_true(palette_read(&rig.worker->map, body, strlen(body), &missing));
	return missing;
}

/* A run of a sync, of somebody else each time, whose mailbox has just been listed and is empty. */
static struct run *listed_run(enum scope_mailbox mailbox)
{
	static uint8_t user;
	struct run *run = rig_run(++user, RUN_LIST);

	run->mode = RUN_SYNC;
	run->connection.mailbox = mailbox;
	run->connection.expires_ms = INT64_MAX / 2;
	run->bearer = strdup("Bearer x");
	return run;
}

/* Graph answers the step under way. */
static enum run_step answered(struct run *run, int status, int64_t retry_after_ms)
{
	run->fault = (struct fault){0};
	run->http.reply = (struct http_reply){.status = status, .retry_after_ms = retry_after_ms};
	return palette_finish(run);
}

static void what_the_master_list_lacks_is_made_and_nothing_else(void **state)
{
	(void)state;
	rig_begin();
	assert_int_equal(missing_in(LIST("")), 0x2F); /* cancelled, the fifth, has no event */
	assert_int_equal(missing_in(LIST("{\"displayName\":\"amidash: OPTION\",\"color\":"
					 "\"preset9\"},{\"displayName\":\"Red category\"},{}")),
			 0x2B);
	snprintf(rig.worker->map.other.own_category, HOSTMAP_CATEGORY_SIZE, "AMIDASH: confirmed");
	assert_int_equal(missing_in(LIST("")), 0x0F);
	rig_end();
}

static void an_answer_that_is_no_list_lacks_nothing(void **state)
{
	static const char *const BAD[] = {"", "{}", "[]", "{\"value\":7}", "<html>"};
	uint64_t missing;

	(void)state;
	rig_begin();
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		assert_false(palette_read(&rig.worker->map, BAD[i], strlen(BAD[i]), &missing));
		assert_int_equal(missing, 0);
	}
	rig_end();
}

static void a_category_is_made_in_its_looks_colour(void **state)
{
	struct buf out;

	(void)state;
	rig_begin();
	buf_init(&out, 256);
	palette_write(&out, &rig.worker->map.other);
	assert_string_equal(buf_string(&out),
			    "{\"displayName\":\"AmiDash: Other\",\"color\":\"preset8\"}");
	buf_close(&out);
	rig_end();
}

static void only_a_sync_of_a_mailbox_that_lets_us_looks_at_the_master_list(void **state)
{
	struct run *run;

	(void)state;
	rig_begin();
	assert_false(palette_is_wanted(listed_run(SCOPE_MAILBOX_NONE)));
	assert_false(palette_is_wanted(listed_run(SCOPE_MAILBOX_READ)));
	run = listed_run(SCOPE_MAILBOX_WRITE);
	assert_true(palette_is_wanted(run));
	run->mode = RUN_REPLAY;
	assert_false(palette_is_wanted(run));
	run->mode = RUN_REMOVE;
	assert_false(palette_is_wanted(run));
	run->mode = RUN_SYNC;
	for (size_t i = 0; i < rig.worker->map.look_count; i++) {
		rig.worker->map.looks[i].own_category[0] = '\0';
	}
	rig.worker->map.other.own_category[0] = '\0';
	assert_false(palette_is_wanted(run));
	rig_end();
}

static void one_after_the_other_is_made_and_then_the_events_follow(void **state)
{
	struct run *run;

	(void)state;
	rig_begin();
	run = listed_run(SCOPE_MAILBOX_WRITE);
	run->missing_own = 0x3; /* as the answer said */
	assert_int_equal(answered(run, 200, -1), RUN_TOKEN);
	assert_int_equal(run->after_token, RUN_PALETTE);
	assert_int_equal(answered(run, 201, -1), RUN_TOKEN);
	assert_int_equal(run->missing_own, 0x2);
	assert_int_equal(answered(run, 409, -1), RUN_NEXT); /* somebody else was faster */
	assert_false(palette_is_wanted(run));
	rig_end();
}

static void no_event_waits_for_a_colour(void **state)
{
	static const int STATUSES[] = {0, 400, 401, 403, 404, 500, 503};

	(void)state;
	rig_begin();
	for (size_t i = 0; i < sizeof STATUSES / sizeof *STATUSES; i++) {
		struct run *run = listed_run(SCOPE_MAILBOX_WRITE);

		assert_int_equal(answered(run, STATUSES[i], -1), RUN_NEXT);
		assert_null(run->park_reason);
		assert_int_equal(run->delay_ms, 0);
		run->missing_own = 0x3;
		assert_int_equal(answered(run, STATUSES[i], 2000), RUN_NEXT);
		assert_int_equal(run->missing_own, 0);
		assert_int_equal(run->delay_ms, 2000);
	}
	rig_end();
}

static void a_mailbox_that_asks_to_wait_long_parks(void **state)
{
	struct run *run;

	(void)state;
	rig_begin();
	run = listed_run(SCOPE_MAILBOX_WRITE);
	assert_int_equal(answered(run, 429, RUN_WAIT_MOST_MS + 1), RUN_NEXT);
	assert_string_equal(run->park_reason, "throttled");
	rig_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_the_master_list_lacks_is_made_and_nothing_else),
	    cmocka_unit_test(an_answer_that_is_no_list_lacks_nothing),
	    cmocka_unit_test(a_category_is_made_in_its_looks_colour),
	    cmocka_unit_test(only_a_sync_of_a_mailbox_that_lets_us_looks_at_the_master_list),
	    cmocka_unit_test(one_after_the_other_is_made_and_then_the_events_follow),
	    cmocka_unit_test(no_event_waits_for_a_colour),
	    cmocka_unit_test(a_mailbox_that_asks_to_wait_long_parks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
