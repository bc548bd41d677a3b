/* test_run.c - what a run's answers make done, and what they don't. */
#include "tests/unit/worker/rig.h"

#include "common/clock.h"

#define POS "00000001:00000000000000BB:00000001"

static const struct uuid ATTEMPT = {{7}};

/* The row of a task whose intent is written. */
static void rig_intent(const struct uuid *assignment)
{
	struct row *row = row_new(
	    assignment,
	    &(struct row_values){.state = ROW_SYNCED, .pending_pos = POS, .attempt = ATTEMPT}, 1);

	assert_non_null(row);
	run_set_row(rig.run, row);
}

/* A task of the newest run, as it is after its operation ended or not. */
static struct task *rig_task(struct item *item, enum task_stage stage, enum op_end end)
{
	struct task *task = run_add_task(rig.run, &item->id);

	assert_non_null(task);
	task->event.verdict = OUTLOOK_GONE;
	task->wish.attempt = ATTEMPT;
	task->item = item;
	task->stage = stage;
	task->op = calloc(1, sizeof *task->op);
	assert_non_null(task->op);
	task->op->end = task->end = end;
	rig_intent(&item->id);
	return task;
}

/* PostgreSQL has written what was asked for. */
static void rig_written(struct run *run)
{
	for (int i = 0; i < run->wrote_count; i++) {
		run->wrote[i]->version = 2;
	}
}

static size_t open_records(void)
{
	return ledger_open_count(&rig.part->ledger);
}

static struct run *run_with_result(struct task **task)
{
	struct run *run = rig_run(1, RUN_RESULT);
	struct item *item = rig_record(9, POS, "x");

	*task = rig_task(item, TASK_ENDED, OP_SYNCED);
	snprintf((*task)->intent_pos, sizeof(*task)->intent_pos, "%s", POS);
	assert_true(run_has_results(run));
	assert_int_equal(run->wrote_count, 1);
	rig_written(run);
	return run;
}

/* ---- results ---- */

static void a_stored_result_is_done_and_its_run_ends(void **state)
{
	struct task *task;

	(void)state;
	rig_begin();
	run_resume(run_with_result(&task));
	assert_null(rig.worker->alive);
	assert_int_equal(open_records(), 0);
	assert_int_equal(ledger_committable(&rig.part->ledger), RIG_START + 1);
	assert_null(rig.worker->lanes.by_user);
	rig_end();
}

static void a_result_that_was_fenced_off_is_not_done(void **state)
{
	struct task *task;
	struct run *run;
	struct lane *lane;

	(void)state;
	rig_begin();
	run = run_with_result(&task);
	lane = run->lane;
	run->is_fenced = true;
	run_resume(run);
	assert_null(rig.worker->alive);
	assert_int_equal(open_records(), 1);
	assert_int_equal(ledger_committable(&rig.part->ledger), RIG_START);
	assert_int_equal(HASH_COUNT(lane->items), 1);
	assert_true(lane->is_ready);
	assert_int_equal(rig.part->state, PART_CLAIMING);
	assert_true(rig.worker->intake.claim_again_ms > 0);
	rig_end();
}

static void a_result_of_an_epoch_that_is_over_is_not_done(void **state)
{
	struct task *task;
	struct run *run;

	(void)state;
	rig_begin();
	run = run_with_result(&task);
	rig.part->epoch++;
	run_resume(run);
	assert_null(rig.worker->alive);
	assert_int_equal(open_records(), 1);
	rig_end();
}

static void a_late_fenced_run_does_not_fence_the_claim_made_since(void **state)
{
	struct task *task;
	struct run *run;

	(void)state;
	rig_begin();
	run = run_with_result(&task);
	run->is_fenced = true;
	rig.part->epoch++;
	run_resume(run);
	assert_int_equal(rig.part->state, PART_READING);
	assert_int_equal(rig.worker->intake.claim_again_ms, 0);
	rig_end();
}

static void a_result_that_could_not_be_stored_is_stored_again_and_never_sent_again(void **state)
{
	struct task *task;
	struct run *run;

	(void)state;
	rig_begin();
	run = run_with_result(&task);
	fault_retry(&run->fault, "PostgreSQL is restarting");
	run_resume(run);
	assert_int_equal(run->step, RUN_WAIT);
	assert_int_equal(run->after_wait, RUN_REREAD);
	assert_int_equal(task->stage, TASK_ENDED);
	assert_int_equal(open_records(), 1);
	rig_end();
}

static void a_result_whose_row_was_not_as_we_knew_it_is_looked_at_again(void **state)
{
	struct task *task;
	struct run *run;

	(void)state;
	rig_begin();
	run = run_with_result(&task);
	task->version = 0;
	run_resume(run);
	assert_int_equal(run->after_wait, RUN_REREAD);
	assert_int_equal(open_records(), 1);

	run_drop_row(run, &task->assignment); /* somebody has removed it */
	run->connection.exists = true;
	run->step = RUN_REREAD;
	run_resume(run);
	assert_null(rig.worker->alive);
	assert_int_equal(open_records(), 1);
	rig_end();
}

static void a_result_that_was_stored_without_an_answer_is_done(void **state)
{
	struct task *task;
	struct run *run;
	struct row *row;

	(void)state;
	rig_begin();
	run = run_with_result(&task);
	fault_retry(&run->fault, "the connection broke");
	run_resume(run);
	row = row_new(&task->assignment, &task->values, 2);
	assert_non_null(row);
	run_set_row(run, row);
	run->connection.exists = true;
	run->fault = (struct fault){0};
	run->step = RUN_REREAD;
	run_resume(run);
	assert_null(rig.worker->alive);
	assert_int_equal(open_records(), 0);
	rig_end();
}

static void a_run_of_a_partition_that_is_gone_frees_itself_and_its_items(void **state)
{
	struct task *task;
	struct run *run;

	(void)state;
	rig_begin();
	run = run_with_result(&task);
	rig.part->holds++;
	rig.part->state = PART_RELEASED;
	run_resume(run);
	assert_null(rig.worker->alive);
	assert_null(rig.worker->lanes.by_user);
	assert_int_equal(rig.part->holds, 1);
	rig.part->holds = 0;
	rig_end();
}

/* ---- a rebalance meanwhile: what other pools got wrong ---- */

/* The same partition given again, as a new part, while a run of its earlier life goes on. */
static struct part *given_again(void)
{
	struct part *part = calloc(1, sizeof *part);

	assert_non_null(part);
	rig.part->holds++; /* the rig keeps it */
	lanes_drop(&rig.worker->lanes, rig.part);
	rig.part->state = PART_RELEASED;
	*part = (struct part){.intake = &rig.worker->intake,
			      .topic = "t",
			      .state = PART_READING,
			      .epoch = RIG_EPOCH + 1,
			      .start = RIG_START,
			      .replay_to = -1,
			      .committed = RIG_START};
	assert_true(ledger_init(&part->ledger, RIG_START));
	rig.worker->intake.parts[0] = part;
	return part;
}

static void given_again_end(struct part *part)
{
	lanes_drop(&rig.worker->lanes, part);
	ledger_close(&part->ledger);
	free(part);
	rig.part->holds--;
	rig.worker->intake.part_count = 0;
	rig_end();
}

static void put_fresh(struct lane *lane)
{
	struct change *change = change_new(&(struct assignment){.notes = "fresh"});

	assert_non_null(change);
	change->id = rig_id(9);
	snprintf(change->pos, sizeof change->pos, "%s", POS);
	assert_true(lane_put(&rig.worker->lanes, lane, change, strdup("raw"), 3, RIG_START));
}

/* parallel-consumer 875, 909: the fresh record was dropped onto a stale one of the same offset. */
static void a_result_of_an_earlier_life_leaves_the_fresh_record_of_its_offset_alone(void **state)
{
	struct task *task;
	struct part *part;
	struct run *run;
	struct lane *lane;
	struct uuid id = rig_id(1);

	(void)state;
	rig_begin();
	run = run_with_result(&task);
	part = given_again();
	assert_true(ledger_deliver(&part->ledger, RIG_START, 0));
	lane = lanes_get(&rig.worker->lanes, &id, part);
	assert_ptr_equal(lane->run, run);
	put_fresh(lane);
	run_resume(run); /* Microsoft answered the old one */
	assert_null(rig.worker->alive);
	assert_int_equal(ledger_open_count(&part->ledger), 1);
	assert_int_equal(part_committable(part), RIG_START);
	assert_int_equal(HASH_COUNT(lane->items), 1);
	assert_true(lane->is_ready);
	given_again_end(part);
}

/* parallel-consumer 547, 606, 623: what was in flight at a revoke counted for ever. */
static void runs_of_an_earlier_life_are_no_load_of_the_new_one_and_leak_nothing(void **state)
{
	struct part *part;

	(void)state;
	rig_begin();
	for (uint8_t user = 1; user <= 5; user++) {
		rig_run(user, RUN_SEND);
		rig_record(user, POS, "x");
	}
	part = given_again();
	assert_int_equal(part->holds, 0);
	assert_int_equal(part->held_bytes, 0);
	while (rig.worker->alive != NULL) {
		run_resume(rig.worker->alive);
	}
	assert_int_equal(rig.worker->in_flight, 0);
	assert_int_equal(rig.worker->lanes.held_bytes, 0);
	assert_int_equal(part->holds, 0);
	assert_int_equal(rig.part->holds, 1);
	given_again_end(part);
}

/* ---- waiting ---- */

static void every_waiting_run_ends_when_the_partitions_are_given_back(void **state)
{
	(void)state;
	rig_begin();
	for (uint8_t user = 1; user <= 5; user++) {
		struct run *run = rig_run(user, RUN_WAIT);

		rig_record(user, POS, "x");
		run->resume_at_ms = INT64_MAX;
		run->after_wait = RUN_SEND;
	}
	rig.worker->intake.state = INTAKE_DRAINING;
	rig.worker->intake.drain_until_ms = INT64_MAX;
	rig.worker->intake.is_busy = true; /* a commit is under way: nothing else begins */
	runs_wake(rig.worker, clock_mono_ms());
	assert_null(rig.worker->alive);
	assert_int_equal(rig.part->holds, 0);
	assert_int_equal(open_records(), 5);
	assert_int_equal(rig.worker->intake.state, INTAKE_DRAINING);
	rig_end();
}

static void a_wait_that_is_not_over_goes_on(void **state)
{
	struct run *run;

	(void)state;
	rig_begin();
	run = rig_run(1, RUN_WAIT);
	run->resume_at_ms = 1000;
	run->after_wait = RUN_END;
	runs_wake(rig.worker, 999);
	assert_ptr_equal(rig.worker->alive, run);
	runs_wake(rig.worker, 1000);
	assert_null(rig.worker->alive);
	rig_end();
}

static void waits_without_a_word_back_off_to_thirty_seconds_and_stay_there(void **state)
{
	struct run *run;

	(void)state;
	rig_begin();
	run = rig_run(1, RUN_SEND);
	for (int i = 0; i < 40; i++) {
		int64_t before_ms = clock_mono_ms();

		assert_int_equal(run_wait(run, 0, RUN_SEND), RUN_WAIT);
		assert_in_range(run->resume_at_ms - before_ms, 250, 30300);
	}
	assert_int_equal(run_wait(run, 7000, RUN_SEND), RUN_WAIT);
	assert_in_range(run->resume_at_ms - clock_mono_ms(), 6900, 7000);
	run->step = RUN_WAIT;
	rig_end();
}

/* ---- parking ---- */

static void parking_buries_then_stores_then_takes_back_then_parks(void **state)
{
	struct run *run;
	struct task *rejected;
	struct task *throttled;
	struct task *unsure;

	(void)state;
	rig_begin();
	run = rig_run(1, RUN_SEND);
	rig_task(rig_record(7, POS, "x"), TASK_ENDED, OP_REJECTED);
	rig_task(rig_record(8, POS, "x"), TASK_INTENDED, OP_OPEN);
	rig_task(rig_record(9, POS, "x"), TASK_INTENDED, OP_OPEN);
	rejected = &run->tasks[0];
	throttled = &run->tasks[1];
	unsure = &run->tasks[2];
	unsure->op->is_unsure = true;
	run->chunk[run->chunk_count++] = rejected;
	run->chunk[run->chunk_count++] = throttled;
	run->chunk[run->chunk_count++] = unsure;
	assert_int_equal(chain_choose(run, run_park(run, "throttled", 1, false)), RUN_DEAD);
	rejected->is_buried = true;
	assert_int_equal(chain_choose(run, dead_finish(run)), RUN_RESULT);
	assert_int_equal(run->wrote_count, 1);
	assert_ptr_equal(run->wrote[0], rejected);
	rig_written(run);
	assert_int_equal(chain_choose(run, result_finish(run)), RUN_RESULT);
	assert_int_equal(rejected->stage, TASK_STORED);
	assert_int_equal(run->wrote_count, 1);
	assert_ptr_equal(run->wrote[0], throttled);
	rig_written(run);
	assert_int_equal(chain_choose(run, result_finish(run)), RUN_PARK);
	assert_null(run_row(run, &throttled->assignment)->is.pending_pos);
	assert_string_equal(run_row(run, &unsure->assignment)->is.pending_pos, POS);
	assert_int_equal(open_records(), 2);
	rig_end();
}

/* Or the sync that comes later would take many of them for a mistake. */
static void a_removal_that_parks_is_noted_in_its_row(void **state)
{
	struct run *run;
	struct item *item;
	struct task *task;

	(void)state;
	rig_begin();
	run = rig_run(1, RUN_LOAD);
	item = rig_record(7, POS, "x");
	item->change->is_gone = true;
	run_set_row(
	    run,
	    row_new(&item->id, &(struct row_values){.state = ROW_SYNCED, .event_id = "AAMk="}, 1));
	assert_true(changes_plan(run));
	assert_int_equal(chain_choose(run, run_park(run, "throttled", 1, false)), RUN_RESULT);
	task = run->wrote[0];
	assert_int_equal(task->values.state, ROW_DELETED);
	assert_string_equal(task->values.event_id, "AAMk=");

	assert_int_equal(result_finish(run), RUN_WAIT); /* written by another: asked again */
	assert_int_equal(chain_choose(run, RUN_NEXT), RUN_RESULT);
	rig_written(run);
	assert_int_equal(chain_choose(run, result_finish(run)), RUN_PARK);
	assert_int_equal(open_records(), 1);
	rig_end();
}

/* ---- full batches ---- */

/* One operation left, another change in the lane.  NOLINTNEXTLINE(readability-function-size) */
static struct run *run_with_a_rest(enum task_stage stage)
{
	struct run *run = rig_run(1, RUN_RESULT);
	struct item *left = rig_record(7, POS, "x");

	rig_task(left, stage, OP_OPEN);
	rig_record(8, POS, "y");
	HASH_DEL(run->items, left);
	run->lane->items = run->items;
	run->items = NULL;
	HASH_ADD(hh, run->items, id, sizeof left->id, left);
	run->has_sent = true;
	run->bearer = strdup("Bearer x");
	run->connection.expires_ms = INT64_MAX;
	return run;
}

static void what_is_left_goes_out_with_what_has_come_since(void **state)
{
	struct run *run;

	(void)state;
	rig_begin();
	run = run_with_a_rest(TASK_PLANNED);
	assert_int_equal(chain_choose(run, RUN_NEXT), RUN_END);
	run->has_sent = false; /* else somebody with steady changes would never get one */
	assert_int_equal(chain_choose(run, RUN_NEXT), RUN_INTENT);
	rig_end();
}

static void what_is_under_way_is_never_left_to_the_next_run(void **state)
{
	struct run *run;

	(void)state;
	rig_begin();
	run = run_with_a_rest(TASK_INTENDED);
	run_add_task(run, &ATTEMPT)->stage = TASK_PLANNED;
	assert_int_equal(chain_choose(run, RUN_NEXT), RUN_INTENT);
	rig_end();
}

/* ---- whole requests that Graph refuses ---- */

static enum run_step refuse(struct run *run, int status, int64_t retry_after_ms,
			    enum run_step again)
{
	run->fault = (struct fault){0};
	run->http.reply = (struct http_reply){.status = status, .retry_after_ms = retry_after_ms};
	return chain_choose(run, graph_refused(run, again));
}

static void a_token_refused_while_listing_is_refreshed_once_and_the_listing_goes_on(void **state)
{
	struct run *run;

	(void)state;
	rig_begin();
	run = rig_run(1, RUN_LIST);
	assert_int_equal(refuse(run, 401, -1, RUN_LIST), RUN_LEASE);
	assert_int_equal(run->after_token, RUN_LIST);
	assert_int_equal(refuse(run, 401, -1, RUN_LIST), RUN_PARK);
	assert_true(run->park_needs_person);
	rig_end();
}

static void a_short_throttle_waits_here_and_a_long_one_parks(void **state)
{
	static const int STATUSES[] = {429, 503};

	(void)state;
	for (size_t i = 0; i < sizeof STATUSES / sizeof *STATUSES; i++) {
		struct run *run;

		rig_begin();
		run = rig_run(1, RUN_LIST);
		assert_int_equal(refuse(run, STATUSES[i], 10000, RUN_LIST), RUN_WAIT);
		assert_int_equal(run->after_wait, RUN_LIST);
		assert_int_equal(refuse(run, STATUSES[i], 10001, RUN_LIST), RUN_PARK);
		assert_false(run->park_needs_person);
		assert_in_range(run->park_until_ms - clock_wall_ms(), 9000, 10001);
		rig_end();
	}
}

static void a_mailbox_in_trouble_or_a_refused_request_parks_its_user(void **state)
{
	static const int STATUSES[] = {400, 403, 404, 410, 413};

	(void)state;
	for (size_t i = 0; i < sizeof STATUSES / sizeof *STATUSES; i++) {
		struct run *run;

		rig_begin();
		run = rig_run(1, RUN_SEND);
		assert_int_equal(refuse(run, STATUSES[i], -1, RUN_SEND), RUN_PARK);
		assert_false(run->park_needs_person);
		assert_true(run->park_until_ms > clock_wall_ms());
		rig_end();
	}
}

static void a_graph_that_does_not_serve_is_tried_again(void **state)
{
	static const int STATUSES[] = {0, 302, 500, 502, 504};

	(void)state;
	for (size_t i = 0; i < sizeof STATUSES / sizeof *STATUSES; i++) {
		struct run *run;

		rig_begin();
		run = rig_run(1, RUN_LIST);
		assert_int_equal(refuse(run, STATUSES[i], -1, RUN_LIST), RUN_WAIT);
		assert_int_equal(run->after_wait, RUN_LIST);
		rig_end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_stored_result_is_done_and_its_run_ends),
	    cmocka_unit_test(a_result_that_was_fenced_off_is_not_done),
	    cmocka_unit_test(a_result_of_an_epoch_that_is_over_is_not_done),
	    cmocka_unit_test(a_late_fenced_run_does_not_fence_the_claim_made_since),
	    cmocka_unit_test(
		a_result_that_could_not_be_stored_is_stored_again_and_never_sent_again),
	    cmocka_unit_test(a_result_whose_row_was_not_as_we_knew_it_is_looked_at_again),
	    cmocka_unit_test(a_result_that_was_stored_without_an_answer_is_done),
	    cmocka_unit_test(a_run_of_a_partition_that_is_gone_frees_itself_and_its_items),
	    cmocka_unit_test(
		a_result_of_an_earlier_life_leaves_the_fresh_record_of_its_offset_alone),
	    cmocka_unit_test(runs_of_an_earlier_life_are_no_load_of_the_new_one_and_leak_nothing),
	    cmocka_unit_test(every_waiting_run_ends_when_the_partitions_are_given_back),
	    cmocka_unit_test(a_wait_that_is_not_over_goes_on),
	    cmocka_unit_test(waits_without_a_word_back_off_to_thirty_seconds_and_stay_there),
	    cmocka_unit_test(parking_buries_then_stores_then_takes_back_then_parks),
	    cmocka_unit_test(a_removal_that_parks_is_noted_in_its_row),
	    cmocka_unit_test(what_is_left_goes_out_with_what_has_come_since),
	    cmocka_unit_test(what_is_under_way_is_never_left_to_the_next_run),
	    cmocka_unit_test(
		a_token_refused_while_listing_is_refreshed_once_and_the_listing_goes_on),
	    cmocka_unit_test(a_short_throttle_waits_here_and_a_long_one_parks),
	    cmocka_unit_test(a_mailbox_in_trouble_or_a_refused_request_parks_its_user),
	    cmocka_unit_test(a_graph_that_does_not_serve_is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
