/* db.c - the simulated PostgreSQL: its tables, and how statements come and go. */
#include "tests/sim/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/seal.h"
#include "tests/sim/graph.h"
#include "tests/sim/host.h"
#include "tests/sim/process.h"
#include "tests/sim/sim.h"

#define DB_GIVEN_UP_MS 30000 /* as common/pg.h says */

static struct {
	struct db_connection connections[HOST_USERS];
	struct db_part parts[2][TOPIC_PARTITIONS_MAX];
	struct db_request requests[DB_REQUESTS_MAX];
	size_t request_count;
	uint32_t version;
} db;

/* ---- statements ---- */

void *statement_new(size_t size, struct process *process)
{
	struct statement *statement = sim_alloc(size);

	statement->process = process;
	return statement;
}

static void statement_release(void *context)
{
	struct statement *statement = context;

	if (--statement->holders > 0) {
		return;
	}
	if (statement->close != NULL) {
		statement->close(statement);
	}
	free(statement);
}

void statement_drop(struct statement *statement)
{
	statement->holders = 1;
	statement_release(statement);
}

static void on_execute(void *context)
{
	struct statement *statement = context;

	statement->execute(statement);
	statement->is_executed = true;
	statement_release(statement);
}

static void on_answer(void *context)
{
	struct statement *statement = context;

	if (!statement->is_executed || statement->is_unheard) {
		fault_retry(&statement->fault, "the connection broke");
	}
	statement->answer(statement);
	statement_release(statement);
}

/* Executed after execute_ms (below 0: never), answered after answer_ms. */
static void statement_plan(struct statement *statement, int64_t execute_ms, int64_t answer_ms)
{
	statement->holders = 1;
	if (execute_ms >= 0) {
		statement->holders++;
		sim_after(execute_ms, &(struct sim_call){.run = on_execute,
							 .drop = statement_release,
							 .context = statement});
	}
	sim_after(answer_ms, &(struct sim_call){.process = statement->process,
						.run = on_answer,
						.drop = statement_release,
						.context = statement});
}

void statement_send(struct statement *statement)
{
	int64_t execute_ms = sim_between(1, 15);

	if (sim_fault_chance(15)) {
		execute_ms = sim_between(2000, 12000);
	}
	if (sim_fault_chance(20)) {
		statement_plan(statement, -1, execute_ms);
	} else if (sim_fault_chance(20)) {
		statement->is_unheard = true;
		statement_plan(statement, execute_ms, execute_ms + sim_between(1, 3000));
	} else if (sim_fault_chance(5)) {
		/* the server is at it still when the client has given up */
		statement->is_late = true;
		statement_plan(statement, DB_GIVEN_UP_MS + sim_below(5000), DB_GIVEN_UP_MS);
	} else {
		statement_plan(statement, execute_ms, execute_ms + sim_between(1, 10));
	}
}

/* ---- tables ---- */

struct db_connection *db_connection(int user)
{
	return &db.connections[user];
}

struct db_connection *db_connection_by(const struct uuid *id)
{
	for (int user = 0; user < HOST_USERS; user++) {
		if (db.connections[user].exists &&
		    uuid_compare(&db.connections[user].id, id) == 0) {
			return &db.connections[user];
		}
	}
	return NULL;
}

int db_user_of(const struct db_connection *connection)
{
	return (int)(connection - db.connections);
}

struct db_part *db_part(bool requests, int partition)
{
	return &db.parts[requests][partition];
}

struct db_row *db_find_row(struct db_connection *connection, const struct uuid *assignment)
{
	for (size_t i = 0; i < connection->row_count; i++) {
		if (uuid_compare(&connection->rows[i].row->assignment, assignment) == 0) {
			return &connection->rows[i];
		}
	}
	return NULL;
}

struct db_row *db_put_row(struct db_connection *connection, const struct uuid *assignment,
			  const struct row_values *values)
{
	struct db_row *row = db_find_row(connection, assignment);
	struct row *fresh = row_new(assignment, values, ++db.version);

	if (row == NULL) {
		connection->rows =
		    sim_grow(connection->rows, connection->row_count, sizeof *connection->rows);
		row = &connection->rows[connection->row_count++];
		*row = (struct db_row){0};
	}
	free(row->row);
	row->row = fresh;
	return row;
}

struct db_request *db_request(size_t index)
{
	return index < db.request_count ? &db.requests[index] : NULL;
}

static void request_add(const struct db_request *request)
{
	if (db.request_count == DB_REQUESTS_MAX) {
		sim_fail("more requests than anybody should file");
		return;
	}
	db.requests[db.request_count] = *request;
	db.requests[db.request_count++].id = sim_uuid();
	host_request_inserted(request->user);
}

void db_file(int user, int64_t due_ms)
{
	sim_trace("db: a request of user %d, due in %.1f s", user,
		  due_ms > 0 ? (double)(due_ms - sim.now_ms) / 1000.0 : 0.0);
	request_add(&(struct db_request){.user = user, .due_ms = due_ms});
}

void db_forget_connection(struct db_connection *connection)
{
	for (size_t i = 0; i < connection->row_count; i++) {
		free(connection->rows[i].row);
	}
	free(connection->rows);
	free(connection->access_sealed);
	free(connection->refresh_sealed);
	free(connection->snapshot);
	*connection = (struct db_connection){0};
}

/* ---- connect ---- */

static char *seal(const struct db_connection *connection, const char *column, const char *plain)
{
	struct seal_place place = {.table = "calendar_connections", .column = column};
	char id[UUID_TEXT_SIZE];
	struct fault fault;
	struct buf sealed;

	uuid_format(&connection->id, id);
	place.row_id = id;
	buf_init(&sealed, 4096);
	if (!seal_close(process_keys(), &place, plain, &sealed, &fault)) {
		sim_fail("a token can't be sealed: %s", fault.what);
	}
	return buf_steal(&sealed);
}

static void take_tokens(struct db_connection *connection, int user)
{
	char access[64];
	char refresh[64];

	graph_sign_in(user, access, refresh, sizeof access);
	free(connection->access_sealed);
	free(connection->refresh_sealed);
	connection->access_sealed = seal(connection, "access_token", access);
	connection->refresh_sealed = seal(connection, "refresh_token", refresh);
	connection->issued_ms = sim.now_ms;
	connection->expires_ms = sim.now_ms + graph_token_life_ms();
	connection->token_version++;
	connection->leased_until_ms = 0;
	connection->leased_by[0] = '\0';
}

static void cancel_removals(int user)
{
	for (size_t i = 0; i < db.request_count; i++) {
		struct db_request *request = &db.requests[i];

		if (request->user == user && request->is_removal && request->state <= DB_RUNNING) {
			request->state = DB_FAILED;
		}
	}
}

void db_connects(int user)
{
	struct db_connection *connection = &db.connections[user];

	sim_trace("db: user %d connects", user);
	if (!connection->exists) {
		connection->exists = true;
		connection->id = sim_uuid();
	} else if (connection->status == CONNECTION_DISCONNECTING) {
		connection->is_adopted = false;
	}
	connection->status = CONNECTION_ACTIVE;
	take_tokens(connection, user);
	cancel_removals(user);
	db_file(user, 0);
}

void db_disconnects(int user, bool removes_events)
{
	struct db_connection *connection = &db.connections[user];

	if (!connection->exists || connection->status == CONNECTION_DISCONNECTING) {
		return;
	}
	sim_trace("db: user %d disconnects, %s the events", user,
		  removes_events ? "and removes" : "but keeps");
	connection->status = CONNECTION_DISCONNECTING;
	request_add(&(struct db_request){
	    .user = user, .is_removal = true, .removes_events = removes_events});
}

/* ---- questions ---- */

bool db_is_quiet(char *why, size_t size)
{
	for (size_t i = 0; i < db.request_count; i++) {
		if (db.requests[i].state <= DB_RUNNING) {
			snprintf(why, size, "a request of user %d is open", db.requests[i].user);
			return false;
		}
	}
	for (int user = 0; user < HOST_USERS; user++) {
		for (size_t i = 0; i < db.connections[user].row_count; i++) {
			const struct row_values *is = &db.connections[user].rows[i].row->is;

			if (is->is_dirty || is->pending_pos != NULL) {
				snprintf(why, size, "a row of user %d is %s", user,
					 is->is_dirty ? "dirty" : "under way");
				return false;
			}
		}
	}
	return true;
}

void db_begin(void)
{
	memset(&db, 0, sizeof db);
	for (int i = 0; i < TOPIC_PARTITIONS_MAX; i++) {
		for (int requests = 0; requests < 2; requests++) {
			db.parts[requests][i].committed = -1;
			db.parts[requests][i].replay_to = -1;
		}
	}
}

void db_end(void)
{
	for (int user = 0; user < HOST_USERS; user++) {
		db_forget_connection(&db.connections[user]);
	}
}
