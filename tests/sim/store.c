/* store.c - worker/store.h on the simulated PostgreSQL: each statement does what its SQL does. */
#include "worker/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "tests/sim/db.h"
#include "tests/sim/host.h"
#include "tests/sim/process.h"
#include "tests/sim/sim.h"
#include "worker/run.h"
#include "worker/worker.h"

#define STORE_LEASE_MS 40000

/* A run's statement: what it was given is copied, what it found is handed over by its answer. */
struct run_statement {
	struct statement base; /* first */
	struct run *run;
	int user;
	struct uuid connection;
	struct uuid ids[DB_ROWS_MAX];
	int id_count;
	bool everything;
	struct connection found;
	struct row *rows[DB_ROWS_MAX];
	int row_count;
	struct db_request requests[RUN_REQUESTS_MAX];
	int request_count;
};

static struct run_statement *run_statement_new(struct run *run)
{
	struct run_statement *it = statement_new(sizeof *it, process_of(run->worker));

	it->run = run;
	it->user = host_user(run->lane->user_text);
	it->connection = run->connection.id;
	return it;
}

static void rows_free(struct statement *base)
{
	struct run_statement *it = (struct run_statement *)base;

	for (int i = 0; i < it->row_count; i++) {
		free(it->rows[i]);
	}
	free(it->found.access_sealed);
	free(it->found.refresh_sealed);
	free(it->found.snapshot);
}

static void run_answered(struct statement *base)
{
	struct run_statement *it = (struct run_statement *)base;

	it->run->fault = base->fault;
	run_resume(it->run);
}

/* ---- load and rows ---- */

static void find_row(struct run_statement *it, const struct db_row *from)
{
	struct row *row;

	if (it->row_count == DB_ROWS_MAX) {
		sim_fail("more rows than a simulated user has");
		return;
	}
	row = row_new(&from->row->assignment, &from->row->is, from->row->version);
	row->is_settleable =
	    row->is.is_dirty && (from->due_ms <= sim.now_ms || sim.broken == SIM_NO_QUARANTINE);
	it->rows[it->row_count++] = row;
}

static void statement_ask(struct run_statement *it, const struct uuid *assignment)
{
	if (it->id_count == DB_ROWS_MAX) {
		sim_fail("more rows than a simulated user has");
		return;
	}
	it->ids[it->id_count++] = *assignment;
}

static bool statement_asks(const struct run_statement *it, const struct uuid *assignment)
{
	for (int i = 0; i < it->id_count; i++) {
		if (uuid_compare(&it->ids[i], assignment) == 0) {
			return true;
		}
	}
	return it->everything;
}

static void find_rows(struct run_statement *it, const struct db_connection *connection)
{
	for (size_t i = 0; i < connection->row_count; i++) {
		const struct db_row *row = &connection->rows[i];

		if (statement_asks(it, &row->row->assignment)) {
			find_row(it, row);
		}
	}
}

static void find_connection(struct run_statement *it, const struct db_connection *connection)
{
	it->found = (struct connection){.exists = connection->exists,
					.id = connection->id,
					.status = connection->status,
					.access_sealed = sim_copy(connection->access_sealed),
					.refresh_sealed = sim_copy(connection->refresh_sealed),
					.issued_ms = connection->issued_ms,
					.expires_ms = connection->expires_ms,
					.token_version = connection->token_version,
					.not_before_ms = connection->not_before_ms,
					.time_zone = "UTC",
					.is_adopted = connection->is_adopted,
					.snapshot = sim_copy(connection->snapshot)};
	uuid_format(&connection->id, it->found.id_text);
	if (sim.broken == SIM_OLD_SNAPSHOT) {
		free(it->found.snapshot);
		it->found.snapshot = NULL;
	}
}

static void find_requests(struct run_statement *it)
{
	const struct db_request *request;

	for (size_t i = 0; (request = db_request(i)) != NULL; i++) {
		if (request->user == it->user && request->state <= DB_RUNNING &&
		    request->due_ms <= sim.now_ms && it->request_count < RUN_REQUESTS_MAX) {
			it->requests[it->request_count++] = *request;
		}
	}
}

static void load_execute(struct statement *base)
{
	struct run_statement *it = (struct run_statement *)base;
	const struct db_connection *connection = db_connection(it->user);

	if (connection->exists) {
		find_connection(it, connection);
		find_rows(it, connection);
	}
	if (it->everything) {
		find_requests(it);
	}
}

static void hand_rows_over(struct run_statement *it)
{
	for (int i = 0; i < it->row_count; i++) {
		run_set_row(it->run, it->rows[i]);
	}
	it->row_count = 0;
}

static void load_answer(struct statement *base)
{
	struct run_statement *it = (struct run_statement *)base;
	struct run *run = it->run;

	if (base->fault.kind == FAULT_NONE) {
		run->connection = it->found;
		it->found = (struct connection){0};
		hand_rows_over(it);
		for (int i = 0; i < it->request_count; i++) {
			const struct db_request *request = &it->requests[i];

			uuid_format(&request->id, run->request_ids[run->request_count++]);
			if (request->is_removal) {
				run->mode = RUN_REMOVE;
			} else if (run->mode != RUN_REMOVE) {
				run->mode = RUN_SYNC;
			}
			run->removes_events |= request->is_removal && request->removes_events;
		}
	}
	run_answered(base);
}

/* NOLINTNEXTLINE(readability-function-size): the nesting is uthash's */
void store_load(struct run *run)
{
	struct run_statement *it = run_statement_new(run);

	it->everything = run->everything;
	for (struct item *item = run->items; item != NULL && !it->everything;
	     item = item->hh.next) {
		statement_ask(it, &item->id);
	}
	it->base.execute = load_execute;
	it->base.answer = load_answer;
	it->base.close = rows_free;
	statement_send(&it->base);
}

static void rows_execute(struct statement *base)
{
	struct run_statement *it = (struct run_statement *)base;
	const struct db_connection *connection = db_connection_by(&it->connection);

	it->found.exists = connection != NULL;
	if (connection != NULL) {
		find_rows(it, connection);
	}
}

static void rows_answer(struct statement *base)
{
	struct run_statement *it = (struct run_statement *)base;

	if (base->fault.kind == FAULT_NONE) {
		for (int i = 0; i < it->id_count; i++) {
			run_drop_row(it->run, &it->ids[i]);
		}
		it->run->connection.exists = it->found.exists;
		for (int i = 0; i < it->row_count; i++) {
			/* the listing, where there is one, is older than these reads */
			it->rows[i]->is_settleable = false;
		}
		hand_rows_over(it);
	}
	run_answered(base);
}

void store_rows(struct run *run)
{
	struct run_statement *it = run_statement_new(run);

	for (int i = 0; i < run->wrote_count; i++) {
		statement_ask(it, &run->wrote[i]->assignment);
	}
	it->base.execute = rows_execute;
	it->base.answer = rows_answer;
	it->base.close = rows_free;
	statement_send(&it->base);
}

/* ---- write ---- */

struct write {
	struct row *to; /* what the row is to say */
	uint32_t version;
	bool begins_quarantine;
	uint32_t written;
};

struct write_statement {
	struct statement base; /* first */
	struct run *run;
	struct uuid connection;
	int partition;
	int64_t epoch;
	bool is_held;
	struct write writes[DB_ROWS_MAX];
	int count;
};

static bool write_finds_its_row(const struct write *write, const struct db_row *row)
{
	if (sim.broken == SIM_NO_COMPARE) {
		return true;
	}
	return write->version == 0 ? row == NULL
				   : row != NULL && row->row->version == write->version;
}

static const char *or_dash(const char *text)
{
	return text != NULL ? text : "-";
}

static void write_row(struct write *write, struct db_connection *connection)
{
	struct db_row *row = db_find_row(connection, &write->to->assignment);
	const struct row_values *values = &write->to->is;
	bool is_new = row == NULL;
	char id[UUID_TEXT_SIZE];

	if (!write_finds_its_row(write, row)) {
		return;
	}
	row = db_put_row(connection, &write->to->assignment, values);
	write->written = row->row->version;
	if (write->begins_quarantine && !is_new) {
		row->due_ms = sim.now_ms + SIM_QUARANTINE_S * 1000;
	} else if (!values->is_dirty) {
		row->due_ms = 0;
	}
	uuid_format(&write->to->assignment, id);
	sim_trace("db: user %d row %.8s %s event %s applied %s pending %s%s",
		  db_user_of(connection), id, row_state_name(values->state),
		  or_dash(values->event_id),
		  values->applied_pos != NULL ? values->applied_pos + 18 : "-",
		  values->pending_pos != NULL ? values->pending_pos + 18 : "-",
		  values->is_dirty ? " DIRTY" : "");
}

static bool has_later_request(int user, int64_t not_before_ms)
{
	const struct db_request *request;

	for (size_t i = 0; (request = db_request(i)) != NULL; i++) {
		if (request->user == user && !request->is_removal &&
		    request->state == DB_REQUESTED && request->due_ms > sim.now_ms &&
		    request->due_ms >= not_before_ms) {
			return true;
		}
	}
	return false;
}

static void write_execute(struct statement *base)
{
	struct write_statement *it = (struct write_statement *)base;
	struct db_connection *connection = db_connection_by(&it->connection);
	bool quarantines = false;

	it->is_held = db_part(false, it->partition)->epoch == it->epoch;
	if (!it->is_held && sim.broken == SIM_NO_FENCE) {
		it->is_held = true;
	}
	if (!it->is_held || connection == NULL) {
		sim_trace("db: a write of epoch %d is %s", (int)it->epoch,
			  connection == NULL ? "of nobody's" : "fenced off");
		return;
	}
	if (db_part(false, it->partition)->epoch != it->epoch) {
		sim_fail("rows are written under epoch %d, which is over", (int)it->epoch);
	}
	for (int i = 0; i < it->count; i++) {
		write_row(&it->writes[i], connection);
		quarantines |= it->writes[i].begins_quarantine && it->writes[i].written != 0;
	}
	if (quarantines && sim.broken != SIM_NO_FOLLOW_UP &&
	    !has_later_request(db_user_of(connection), 0)) {
		db_file(db_user_of(connection), sim.now_ms + SIM_QUARANTINE_S * 1000);
	}
}

static void write_answer(struct statement *base)
{
	struct write_statement *it = (struct write_statement *)base;

	it->run->fault = base->fault;
	if (base->fault.kind == FAULT_NONE) {
		it->run->is_fenced |= !it->is_held;
		for (int i = 0; i < it->count; i++) {
			it->run->wrote[i]->version = it->writes[i].written;
		}
	}
	run_resume(it->run);
}

static void write_close(struct statement *base)
{
	struct write_statement *it = (struct write_statement *)base;

	for (int i = 0; i < it->count; i++) {
		free(it->writes[i].to);
	}
}

void store_write(struct run *run)
{
	struct write_statement *it = statement_new(sizeof *it, process_of(run->worker));

	it->run = run;
	it->connection = run->connection.id;
	it->partition = run->part->partition;
	it->epoch = run->epoch;
	if (run->wrote_count > DB_ROWS_MAX) {
		sim_fail("more rows than a simulated user has");
	}
	for (int i = 0; i < run->wrote_count && i < DB_ROWS_MAX; i++) {
		const struct task *task = run->wrote[i];
		const struct row *row = run_row(run, &task->assignment);

		it->writes[it->count++] = (struct write){
		    .to = row_new(&task->assignment, &task->values, 0),
		    .version = row != NULL ? row->version : 0,
		    .begins_quarantine = task->begins_quarantine,
		};
	}
	it->base.execute = write_execute;
	it->base.answer = write_answer;
	it->base.close = write_close;
	statement_send(&it->base);
}
