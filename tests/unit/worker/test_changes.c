/* test_changes.c - a lane's records against their rows: sent, noted, or done because they are old.
 */
#include "tests/unit/worker/rig.h"

#define OLDER "00000001:00000000000000AA:00000001"
#define POS   "00000001:00000000000000BB:00000001"
#define NEWER "00000001:00000000000000CC:00000001"

#define XID 1000

/* A row that shows the event of a record with these notes. */
static struct row *add_row(uint8_t assignment, const char *applied, const char *notes)
{
	struct assignment source = {.client_name = "Acme",
				    .status = "confirmed",
				    .notes = notes,
				    .start_day = 20780,
				    .end_day = 20784};
	struct change *change = change_new(&source);
	struct uuid id = rig_id(assignment);
	struct outlook_event event;
	struct row *row;

	assert_non_null(change);
	assert_true(
	    outlook_event_make(&event, change, &rig.worker->map, "UTC", SCOPE_MAILBOX_NONE));
	row = row_new(&id,
		      &(struct row_values){.state = ROW_SYNCED,
					   .event_id = "AAMk=",
					   .change_key = "ck",
					   .incarnation = 4,
					   .hash = event.hash,
					   .category = event.category,
					   .applied_pos = applied},
		      1);
	assert_non_null(row);
	run_set_row(rig.run, row);
	outlook_event_close(&event);
	free(change);
	return row;
}

static struct task *plan_one(void)
{
	assert_true(changes_plan(rig.run));
	assert_int_equal(rig.run->task_count, 1);
	return &rig.run->tasks[0];
}

/* And what it writes, and sends, next. */
static const struct task *prepare_one(void)
{
	struct task *task = plan_one();

	assert_true(task_prepare(task, run_row(rig.run, &task->assignment)));
	return task;
}

static void expect_done(void)
{
	assert_true(changes_plan(rig.run));
	for (size_t i = 0; i < rig.run->task_count; i++) {
		assert_int_equal(rig.run->tasks[i].stage, TASK_SKIPPED);
		assert_null(rig.run->tasks[i].item);
	}
	assert_null(rig.run->items);
	assert_int_equal(ledger_open_count(&rig.part->ledger), 0);
	assert_int_equal(ledger_committable(&rig.part->ledger), RIG_START + 1);
}

static void an_old_record_is_done_at_once(void **state)
{
	(void)state;
	rig_begin();
	rig_run(1, RUN_LOAD);
	rig_record(9, POS, "old");
	add_row(9, NEWER, "new");
	expect_done();
	rig_end();
}

static void old_and_new_records_of_one_user_part_ways(void **state)
{
	int planned = 0;

	(void)state;
	rig_begin();
	rig_run(1, RUN_LOAD);
	for (uint8_t i = 1; i <= 40; i++) {
		rig_record(i, POS, "x");
		add_row(i, i % 2 == 0 ? NEWER : OLDER, "y");
	}
	assert_true(changes_plan(rig.run));
	for (size_t i = 0; i < rig.run->task_count; i++) {
		planned += rig.run->tasks[i].stage == TASK_PLANNED;
	}
	assert_int_equal(planned, 20);
	assert_int_equal(HASH_COUNT(rig.run->items), 20);
	assert_int_equal(ledger_open_count(&rig.part->ledger), 20);
	rig_end();
}

static void a_new_assignment_is_created(void **state)
{
	const struct task *task;

	(void)state;
	rig_begin();
	rig_run(1, RUN_LOAD);
	rig_record(9, POS, "x");
	task = prepare_one();
	assert_int_equal(task->stage, TASK_PLANNED);
	assert_int_equal(task->op->request, OP_CREATE);
	assert_int_equal(task->op->incarnation, 1);
	assert_string_equal(task->values.pending_pos, POS);
	assert_ptr_equal(task->item, rig.run->items);
	rig_end();
}

static void a_changed_assignment_updates_the_event_of_its_row(void **state)
{
	const struct task *task;

	(void)state;
	rig_begin();
	rig_run(1, RUN_LOAD);
	rig_record(9, POS, "new");
	add_row(9, OLDER, "old");
	task = prepare_one();
	assert_int_equal(task->stage, TASK_PLANNED);
	assert_int_equal(task->op->request, OP_UPDATE);
	assert_string_equal(task->op->event_id, "AAMk=");
	assert_int_equal(task->op->incarnation, 4);
	rig_end();
}

static void a_record_without_news_teaches_the_row_its_position_alone(void **state)
{
	const struct task *task;

	(void)state;
	rig_begin();
	rig_run(1, RUN_LOAD);
	rig_record(9, POS, "same");
	add_row(9, OLDER, "same");
	task = prepare_one();
	assert_int_equal(task->stage, TASK_RECORD);
	assert_string_equal(task->values.event_id, "AAMk=");
	assert_string_equal(task->values.change_key, "ck");
	assert_string_equal(task->values.applied_pos, POS);
	assert_int_equal(ledger_open_count(&rig.part->ledger), 1);
	rig_end();
}

static void a_removed_assignment_deletes_the_event_of_its_row(void **state)
{
	const struct task *task;

	(void)state;
	rig_begin();
	rig_run(1, RUN_LOAD);
	rig_record(9, POS, "x")->change->is_gone = true;
	add_row(9, OLDER, "x");
	task = prepare_one();
	assert_int_equal(task->stage, TASK_PLANNED);
	assert_int_equal(task->op->request, OP_DELETE);
	assert_string_equal(task->op->event_id, "AAMk=");
	rig_end();
}

/* ---- what the last sync's read of the tables had seen ---- */

static struct item *seen_record(const char *snapshot, const char *notes)
{
	struct item *item = rig_record(9, POS, notes);

	item->change->has_xid = true;
	item->change->xid = XID;
	rig.run->connection.snapshot = strdup(snapshot);
	return item;
}

static void a_record_that_the_sync_had_seen_never_takes_the_calendar_back(void **state)
{
	const struct task *task;

	(void)state;
	rig_begin();
	rig_run(1, RUN_LOAD);
	seen_record("1001:1001:", "as it was");
	add_row(9, OLDER, "as the tables had it");
	task = prepare_one();
	assert_int_equal(task->stage, TASK_RECORD);
	assert_string_equal(task->values.event_id, "AAMk=");
	assert_string_equal(task->values.applied_pos, POS);
	assert_string_equal(task->values.hash, rig.run->rows->is.hash);
	rig_end();
}

static void a_record_that_the_sync_had_not_seen_is_sent(void **state)
{
	(void)state;
	rig_begin();
	rig_run(1, RUN_LOAD);
	seen_record("1000:1001:1000", "news");
	add_row(9, OLDER, "as the tables had it");
	assert_int_equal(plan_one()->stage, TASK_PLANNED);
	rig_end();
}

static void a_record_that_the_sync_had_seen_and_needs_no_event_for_is_done(void **state)
{
	(void)state;
	rig_begin();
	rig_run(1, RUN_LOAD);
	seen_record("1001:1001:", "re-assigned since");
	expect_done();
	rig_end();
}

static void a_seen_record_leaves_an_uncertain_row_alone(void **state)
{
	struct row *row;

	(void)state;
	rig_begin();
	rig_run(1, RUN_LOAD);
	seen_record("1001:1001:", "as it was");
	row = add_row(9, OLDER, "as the tables had it");
	row->is.is_dirty = true;
	expect_done();
	rig_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_old_record_is_done_at_once),
	    cmocka_unit_test(old_and_new_records_of_one_user_part_ways),
	    cmocka_unit_test(a_new_assignment_is_created),
	    cmocka_unit_test(a_changed_assignment_updates_the_event_of_its_row),
	    cmocka_unit_test(a_record_without_news_teaches_the_row_its_position_alone),
	    cmocka_unit_test(a_removed_assignment_deletes_the_event_of_its_row),
	    cmocka_unit_test(a_record_that_the_sync_had_seen_never_takes_the_calendar_back),
	    cmocka_unit_test(a_record_that_the_sync_had_not_seen_is_sent),
	    cmocka_unit_test(a_record_that_the_sync_had_seen_and_needs_no_event_for_is_done),
	    cmocka_unit_test(a_seen_record_leaves_an_uncertain_row_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
