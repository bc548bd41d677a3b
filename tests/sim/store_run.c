/* store_run.c - the rest of worker/store.h: the host's tables, tokens, requests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "tests/sim/db.h"
#include "tests/sim/flight.h"
#include "tests/sim/host.h"
#include "tests/sim/process.h"
#include "tests/sim/sim.h"
#include "worker/store.h"
#include "worker/worker.h"

#define STORE_LEASE_MS	    40000
#define STORE_SNAPSHOT_SIZE 512

/* ---- the host's tables ---- */

struct read_statement {
	struct statement base; /* first */
	struct run *run;
	int user;
	struct change *changes[HOST_ASSIGNMENTS];
	int count;
	char snapshot[STORE_SNAPSHOT_SIZE];
};

static void read_execute(struct statement *base)
{
	struct read_statement *it = (struct read_statement *)base;

	host_snapshot(it->snapshot, sizeof it->snapshot);
	for (int i = 0; i < HOST_ASSIGNMENTS; i++) {
		const struct host_assignment *row = host_assignment(i);
		struct assignment assignment;
		struct host_texts texts;

		if (row->exists && row->user == it->user) {
			host_describe(row, &texts, &assignment);
			it->changes[it->count] = change_new(&assignment);
			it->changes[it->count++]->id = row->id;
		}
	}
	sim_trace("db: user %d's tables are read, %s", it->user, it->snapshot);
}

static void read_answer(struct statement *base)
{
	struct read_statement *it = (struct read_statement *)base;
	struct run *run = it->run;

	run->fault = base->fault;
	if (base->fault.kind == FAULT_NONE) {
		run->read_snapshot = sim_copy(it->snapshot);
		run->wanted = sim_alloc((size_t)(it->count + 1) * sizeof(struct change *));
		for (int i = 0; i < it->count; i++) {
			run->wanted[i] = it->changes[i];
			run->wanted[i]->user = run->lane->user;
		}
		run->wanted_count = (size_t)it->count;
		it->count = 0;
	}
	run_resume(run);
}

static void read_close(struct statement *base)
{
	struct read_statement *it = (struct read_statement *)base;

	for (int i = 0; i < it->count; i++) {
		free(it->changes[i]);
	}
}

void store_read(struct run *run)
{
	struct read_statement *it = statement_new(sizeof *it, process_of(run->worker));

	it->run = run;
	it->user = host_user(run->lane->user_text);
	it->base.execute = read_execute;
	it->base.answer = read_answer;
	it->base.close = read_close;
	statement_send(&it->base);
}

/* ---- tokens ---- */

struct token_statement {
	struct statement base; /* first */
	struct run *run;
	struct uuid connection;
	int64_t version;
	char member[UUID_TEXT_SIZE];
	char *access_sealed;
	char *refresh_sealed;
	int64_t expires_in_s;
	bool touched;
};

static struct token_statement *token_statement_new(struct run *run)
{
	struct token_statement *it = statement_new(sizeof *it, process_of(run->worker));

	it->run = run;
	it->connection = run->connection.id;
	it->version = run->connection.token_version;
	snprintf(it->member, sizeof it->member, "%s", run->worker->intake.member);
	return it;
}

static void lease_execute(struct statement *base)
{
	struct token_statement *it = (struct token_statement *)base;
	struct db_connection *connection = db_connection_by(&it->connection);

	it->touched = connection != NULL && connection->token_version == it->version &&
		      (connection->leased_until_ms < sim.now_ms ||
		       strcmp(connection->leased_by, it->member) == 0);
	if (it->touched) {
		connection->leased_until_ms = sim.now_ms + STORE_LEASE_MS;
		snprintf(connection->leased_by, sizeof connection->leased_by, "%s", it->member);
	}
}

static void renew_execute(struct statement *base)
{
	struct token_statement *it = (struct token_statement *)base;
	struct db_connection *connection = db_connection_by(&it->connection);

	it->touched = connection != NULL && connection->token_version == it->version;
	if (!it->touched) {
		return;
	}
	free(connection->access_sealed);
	connection->access_sealed = sim_copy(it->access_sealed);
	if (it->refresh_sealed != NULL) {
		free(connection->refresh_sealed);
		connection->refresh_sealed = sim_copy(it->refresh_sealed);
	}
	connection->issued_ms = sim.now_ms;
	connection->expires_ms = sim.now_ms + it->expires_in_s * 1000;
	connection->token_version++;
	connection->leased_until_ms = 0;
	connection->leased_by[0] = '\0';
}

static void token_answer(struct statement *base)
{
	struct token_statement *it = (struct token_statement *)base;

	it->run->fault = base->fault;
	if (base->fault.kind == FAULT_NONE && !it->touched) {
		fault_auth(&it->run->fault, "another one has this connection's tokens");
	}
	run_resume(it->run);
}

static void token_close(struct statement *base)
{
	struct token_statement *it = (struct token_statement *)base;

	free(it->access_sealed);
	free(it->refresh_sealed);
}

void store_lease(struct run *run)
{
	struct token_statement *it = token_statement_new(run);

	it->base.execute = lease_execute;
	it->base.answer = token_answer;
	statement_send(&it->base);
}

void store_renew(struct run *run, const char *access_sealed, const char *refresh_sealed,
		 int64_t expires_in_s)
{
	struct token_statement *it = token_statement_new(run);

	it->access_sealed = sim_copy(access_sealed);
	it->refresh_sealed = sim_copy(refresh_sealed);
	it->expires_in_s = expires_in_s;
	it->base.execute = renew_execute;
	it->base.answer = token_answer;
	it->base.close = token_close;
	statement_send(&it->base);
}

/* ---- requests ---- */

struct request_statement {
	struct statement base; /* first */
	struct run *run;
	bool has_connection;
	struct uuid connection;
	struct uuid ids[RUN_REQUESTS_MAX];
	int id_count;
	bool has_error;
	bool goes; /* the connection */
	bool has_read_tables;
	int partition;
	int64_t epoch;
	bool is_held;
	char snapshot[STORE_SNAPSHOT_SIZE];
	int64_t version;
	int64_t until_ms;
	bool needs_person;
	bool touched;
};

static struct request_statement *request_statement_new(struct run *run)
{
	struct request_statement *it = statement_new(sizeof *it, process_of(run->worker));

	it->run = run;
	it->has_connection = run->connection.exists;
	it->connection = run->connection.id;
	for (int i = 0; i < run->request_count; i++) {
		if (!uuid_parse(run->request_ids[i], &it->ids[it->id_count++])) {
			sim_fail("a request without an id");
		}
	}
	return it;
}

static struct db_connection *its_connection(const struct request_statement *it)
{
	return it->has_connection ? db_connection_by(&it->connection) : NULL;
}

/* The requests of the statement that are open still. */
static struct db_request *its_request(const struct request_statement *it, int index)
{
	struct db_request *request;

	for (size_t i = 0; (request = db_request(i)) != NULL; i++) {
		if (uuid_compare(&request->id, &it->ids[index]) == 0) {
			return request->state <= DB_RUNNING ? request : NULL;
		}
	}
	return NULL;
}

static int its_requests_become(const struct request_statement *it, enum db_request_state state)
{
	int count = 0;

	for (int i = 0; i < it->id_count; i++) {
		struct db_request *request = its_request(it, i);

		if (request != NULL) {
			request->state = state;
			count++;
		}
	}
	return count;
}

static void request_answer(struct statement *base)
{
	struct request_statement *it = (struct request_statement *)base;

	it->run->fault = base->fault;
	run_resume(it->run);
}

static void progress_execute(struct statement *base)
{
	its_requests_become((struct request_statement *)base, DB_RUNNING);
}

void store_progress(struct run *run)
{
	struct request_statement *it = request_statement_new(run);

	it->base.execute = progress_execute;
	it->base.answer = request_answer;
	statement_send(&it->base);
}

/* ---- finish ---- */

static bool has_request_behind(int user, int64_t due_ms)
{
	const struct db_request *request;

	for (size_t i = 0; (request = db_request(i)) != NULL; i++) {
		if (request->user == user && !request->is_removal &&
		    request->state == DB_REQUESTED && request->due_ms > sim.now_ms && due_ms > 0 &&
		    request->due_ms >= due_ms) {
			return true;
		}
	}
	return false;
}

/* For rows that are dirty still, somebody comes back. */
static void finish_again(const struct request_statement *it, struct db_connection *connection)
{
	int64_t due_ms = 0;

	for (size_t i = 0; i < connection->row_count; i++) {
		const struct db_row *row = &connection->rows[i];

		if (row->row->is.is_dirty && (row->due_ms > sim.now_ms || !it->has_error) &&
		    !has_request_behind(db_user_of(connection), row->due_ms)) {
			int64_t least_ms = sim.now_ms + SIM_QUARANTINE_S * 1000;

			due_ms = row->due_ms > due_ms ? row->due_ms : due_ms;
			due_ms = least_ms > due_ms ? least_ms : due_ms;
		}
	}
	if (due_ms > 0 && sim.broken != SIM_NO_FOLLOW_UP) {
		db_file(db_user_of(connection), due_ms);
	}
}

static void finish_keep(const struct request_statement *it, struct db_connection *connection)
{
	if (it->has_error && it->snapshot[0] == '\0') {
		return;
	}
	connection->not_before_ms = 0;
	connection->is_adopted = true;
	if (it->snapshot[0] != '\0') {
		free(connection->snapshot);
		flights_synced(db_user_of(connection));
		if (it->base.is_late) { /* it may put an older snapshot in a newer one's place */
			flights_loosen(db_user_of(connection));
		}
		connection->snapshot =
		    strcmp(it->snapshot, "none") != 0 ? sim_copy(it->snapshot) : NULL;
	}
}

static void finish_execute(struct statement *base)
{
	struct request_statement *it = (struct request_statement *)base;
	struct db_connection *connection = its_connection(it);

	it->is_held = db_part(false, it->partition)->epoch == it->epoch;
	if (!it->is_held && sim.broken != SIM_NO_FENCE) {
		return;
	}
	if (connection != NULL && !it->goes) {
		finish_again(it, connection);
		finish_keep(it, connection);
	}
	if (connection != NULL && it->goes && connection->status == CONNECTION_DISCONNECTING) {
		sim_trace("db: user %d's connection is gone", db_user_of(connection));
		db_forget_connection(connection);
	}
	if (it->id_count > 0 && !it->has_error && !it->goes && !it->has_read_tables) {
		sim_fail("a sync ends that has not looked at the tables");
	}
	its_requests_become(it, it->has_error && !it->goes ? DB_FAILED : DB_DONE);
}

static void finish_answer(struct statement *base)
{
	struct request_statement *it = (struct request_statement *)base;

	it->run->is_fenced |= base->fault.kind == FAULT_NONE && !it->is_held;
	request_answer(base);
}

void store_finish(struct run *run)
{
	struct request_statement *it = request_statement_new(run);

	it->has_error = run->error[0] != '\0';
	it->goes = run->mode == RUN_REMOVE;
	it->has_read_tables = run->mode == RUN_SYNC && run->read_snapshot != NULL;
	text_copy(it->snapshot, sizeof it->snapshot,
		  run->mode == RUN_REPLAY ? "none" : run->read_snapshot);
	sim_trace("worker %d: user %s finishes, mode %d, %d requests%s%s",
		  process_of(run->worker)->number, run->lane->user_text, run->mode,
		  run->request_count, it->has_error ? ": " : "", run->error);
	it->partition = run->part->partition;
	it->epoch = run->epoch;
	it->base.execute = finish_execute;
	it->base.answer = finish_answer;
	statement_send(&it->base);
}

/* ---- park ---- */

static void park_requests(const struct request_statement *it, int user)
{
	int held = its_requests_become(it, it->needs_person ? DB_FAILED : DB_REQUESTED);
	const struct db_request *request;

	for (int i = 0; i < it->id_count && !it->needs_person; i++) {
		struct db_request *mine = its_request(it, i);

		if (mine != NULL) {
			mine->due_ms = it->until_ms;
		}
	}
	if (it->needs_person || held > 0) {
		return;
	}
	for (size_t i = 0; (request = db_request(i)) != NULL; i++) {
		if (request->user == user && !request->is_removal &&
		    request->state == DB_REQUESTED && request->due_ms <= it->until_ms) {
			return;
		}
	}
	db_file(user, it->until_ms);
}

static void park_execute(struct statement *base)
{
	struct request_statement *it = (struct request_statement *)base;
	struct db_connection *connection = its_connection(it);

	it->touched =
	    connection != NULL && (connection->token_version == it->version || !it->needs_person);
	if (!it->touched) {
		return;
	}
	sim_trace("db: user %d is parked %s", db_user_of(connection),
		  it->needs_person ? "until they reconnect" : "for a while");
	if (it->needs_person && connection->status == CONNECTION_ACTIVE) {
		connection->status = CONNECTION_NEEDS_RECONNECT;
	}
	if (!it->needs_person && connection->not_before_ms < it->until_ms) {
		connection->not_before_ms = it->until_ms;
	}
	connection->leased_until_ms = 0;
	connection->leased_by[0] = '\0';
	park_requests(it, db_user_of(connection));
}

static void park_answer(struct statement *base)
{
	struct request_statement *it = (struct request_statement *)base;

	it->run->fault = base->fault;
	if (base->fault.kind == FAULT_NONE && !it->touched) {
		fault_auth(&it->run->fault, "another one has this connection's tokens");
	}
	run_resume(it->run);
}

void store_park(struct run *run)
{
	struct request_statement *it = request_statement_new(run);

	it->version = run->connection.token_version;
	it->until_ms = run->park_until_ms;
	it->needs_person = run->park_needs_person;
	it->base.execute = park_execute;
	it->base.answer = park_answer;
	statement_send(&it->base);
}
