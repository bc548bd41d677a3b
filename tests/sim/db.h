/* db.h - the simulated PostgreSQL: tables of the worker, statements that arrive late or answer
 * never. */
#ifndef CALRELAY_TESTS_SIM_DB_H
#define CALRELAY_TESTS_SIM_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/topic.h"
#include "worker/run.h"

#define DB_REQUESTS_MAX 512
#define DB_ROWS_MAX	64 /* of one user */

struct process;

struct db_row {
	struct row *row; /* its version is this row's; is_settleable is not kept here */
	int64_t due_ms;	 /* 0: none */
};

struct db_connection {
	bool exists;
	struct uuid id;
	enum connection_status status;
	int64_t token_version;
	char *access_sealed;
	char *refresh_sealed;
	int64_t issued_ms;
	int64_t expires_ms;
	int64_t not_before_ms; /* 0: none */
	int64_t leased_until_ms;
	char leased_by[UUID_TEXT_SIZE];
	bool is_adopted;
	char *snapshot;
	struct db_row *rows;
	size_t row_count;
};

enum db_request_state { DB_REQUESTED, DB_RUNNING, DB_DONE, DB_FAILED };

struct db_request {
	struct uuid id;
	int user;
	bool is_removal;
	bool removes_events;
	enum db_request_state state;
	int64_t due_ms; /* 0: at once */
};

/* A partition of one topic: the fence and the progress. */
struct db_part {
	int64_t epoch;
	bool has_progress;
	int64_t done;
	int64_t committed; /* -1: null */
	int64_t replay_to; /* -1: null */

	/* what was saved for any one epoch: a save that is executed late may set done back */
	int64_t saved_epoch;
	int64_t saved;
};

/* One statement under way: executed at once and whole, or never. */
struct statement {
	struct process *process;
	void (*execute)(struct statement *statement);
	void (*answer)(struct statement *statement); /* in the process's life; sees fault */
	void (*close)(struct statement *statement);  /* frees what it holds; may be NULL */
	struct fault fault;
	bool is_executed;
	bool is_unheard; /* its answer gets lost */
	bool is_late;	 /* it is executed when nobody waits for it any more */
	int holders;
};

/* size: of the struct that statement is the first member of.  statement_send takes it over. */
void *statement_new(size_t size, struct process *process);
void statement_send(struct statement *statement);
void statement_drop(struct statement *statement); /* instead */

void db_begin(void);
void db_end(void);

struct db_connection *db_connection(int user);
struct db_connection *db_connection_by(const struct uuid *id); /* NULL: none */
int db_user_of(const struct db_connection *connection);
void db_forget_connection(struct db_connection *connection);
struct db_row *db_find_row(struct db_connection *connection, const struct uuid *assignment);

/* Writes values in the place of the row's, or makes the row. */
struct db_row *db_put_row(struct db_connection *connection, const struct uuid *assignment,
			  const struct row_values *values);
struct db_part *db_part(bool requests, int partition);

/* Files a full sync, as anybody does; the log hears of it.  due_ms 0: at once. */
void db_file(int user, int64_t due_ms);
struct db_request *db_request(size_t index); /* NULL behind the last */

/* connect's doings: a new connection, or new tokens for the one there is; its end. */
void db_connects(int user);
void db_disconnects(int user, bool removes_events);

/* No request is open, no row dirty or under way; else why not. */
bool db_is_quiet(char *why, size_t size);

#endif
