/* test_removal.c - a removal ends whatever Microsoft says, and says what it had to leave. */
#include "tests/unit/worker/rig.h"

/* What comes next where the listing is answered so. */
static enum run_step refused(struct run *run, int status)
{
	run->fault = (struct fault){0};
	run->http.reply = (struct http_reply){.status = status, .retry_after_ms = -1};
	return chain_choose(run, graph_refused(run, RUN_LIST));
}

/* A removal whose mapping knows of events, and of a tombstone. */
static struct run *rig_removal(int events)
{
	struct run *run = rig_run(1, RUN_LIST);

	run->mode = RUN_REMOVE;
	for (int i = 0; i <= events; i++) {
		struct uuid id = rig_id((uint8_t)(10 + i));
		const struct row_values values = {.state = i > 0 ? ROW_SYNCED : ROW_DELETED,
						  .event_id = i > 0 ? "AAMk=" : NULL};
		struct row *row = row_new(&id, &values, 1);

		assert_non_null(row);
		run_set_row(run, row);
	}
	return run;
}

static void a_dead_token_does_not_keep_a_disconnect_from_ending(void **state)
{
	static const struct {
		int events;
		const char *says;
	} CASES[] = {
	    {0, ""},
	    {1, "1 event could not be removed: Microsoft no longer accepts our access. Delete "},
	    {3, "3 events could not be removed: Microsoft no longer accepts our access. Delete "}};

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		struct run *run;

		rig_begin();
		run = rig_removal(CASES[i].events);
		run->was_refused = true;
		assert_int_equal(refused(run, 401), RUN_FINISH);
		assert_int_equal(strncmp(run->error, CASES[i].says, strlen(CASES[i].says)), 0);
		assert_int_equal(run->error[0] == '\0', CASES[i].events == 0);
		assert_int_equal(run->left_count, CASES[i].events);
		rig_end();
	}
}

static void a_removal_that_a_mailbox_keeps_waiting_ends_after_a_day(void **state)
{
	struct run *run;

	(void)state;
	rig_begin();
	run = rig_removal(2);
	assert_int_equal(refused(run, 403), RUN_PARK);
	assert_string_equal(run->error, "");
	run->park_reason = NULL;
	run->removal_is_old = true;
	assert_int_equal(refused(run, 403), RUN_FINISH);
	assert_non_null(strstr(run->error, "2 events could not be removed: Microsoft has not let"));
	rig_end();
}

static void a_removal_says_what_microsoft_would_not_remove(void **state)
{
	struct run *run;

	(void)state;
	rig_begin();
	run = rig_run(1, RUN_RESULT);
	run->mode = RUN_REMOVE;
	for (uint8_t i = 0; i < 3; i++) {
		struct uuid id = rig_id(i);
		struct task *task = run_add_task(run, &id);

		assert_non_null(task);
		task->is_stray = true;
		task->stage = TASK_STORED;
		task->end = i == 1 ? OP_REJECTED : OP_REMOVED;
	}
	assert_int_equal(chain_choose(run, RUN_NEXT), RUN_FINISH);
	assert_non_null(strstr(run->error, "1 event could not be removed: Microsoft refused it"));
	rig_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_dead_token_does_not_keep_a_disconnect_from_ending),
	    cmocka_unit_test(a_removal_that_a_mailbox_keeps_waiting_ends_after_a_day),
	    cmocka_unit_test(a_removal_says_what_microsoft_would_not_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
