/* rekey.c - goes through the table: read a batch, seal anew, write row by row. */
#include "connect/rekey.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/program.h"
#include "common/uuid.h"

#define REKEY_BATCH		"200"
#define REKEY_TRIES		5 /* of one row that others write */
#define REKEY_SEALED_MAX_BYTES	65536
#define REKEY_PREFIX_MAX_BYTES	64
#define REKEY_CONNECT_TIMEOUT_S "10"

/* A disconnect that keeps the events has taken the tokens already. */
#define REKEY_SEALED "public.calendar_connections WHERE refresh_token <> ''"

/* $1: the last one seen. */
static const char BATCH_SQL[] = "SELECT id, access_token, refresh_token FROM " REKEY_SEALED
				" AND id > $1::uuid ORDER BY id LIMIT " REKEY_BATCH;

static const char ROW_SQL[] = "SELECT id, access_token, refresh_token"
			      " FROM public.calendar_connections WHERE id = $1::uuid";

/* $2, $3: as they were read.  token_version stays: a refresh that is under way is still the newer
 * one, and stores what it got. */
static const char STORE_SQL[] =
    "UPDATE public.calendar_connections SET access_token = $4, refresh_token = $5"
    " WHERE id = $1::uuid AND access_token = $2 AND refresh_token = $3 RETURNING id";

/* $1: how what the first key sealed begins. */
static const char LEFT_SQL[] =
    "SELECT count(*) FROM " REKEY_SEALED
    " AND NOT (starts_with(access_token, $1) AND starts_with(refresh_token, $1))";

enum row_end { ROW_REKEYED, ROW_ALREADY, ROW_UNREADABLE, ROW_CHANGED, ROW_GONE, ROW_FAILED };

struct rekey {
	PGconn *conn;
	struct seal_keys *keys;
	int64_t total; /* connections, when it began */
	int64_t seen;
	int64_t counts[ROW_FAILED + 1];
	int64_t left; /* with another key, at the end */
};

/* A row as it was read. */
struct row {
	const char *id;
	const char *access;
	const char *refresh;
};

static bool said(const struct rekey *rekey)
{
	fprintf(stderr, "calrelay-connect: PostgreSQL: %s", PQerrorMessage(rekey->conn));
	return false;
}

/* The rows, or NULL: said. */
static PGresult *ask(const struct rekey *rekey, const char *sql, int count,
		     const char *const *params)
{
	PGresult *result = PQexecParams(rekey->conn, sql, count, NULL, params, NULL, NULL, 0);

	if (PQresultStatus(result) != PGRES_TUPLES_OK) {
		said(rekey);
		PQclear(result);
		return NULL;
	}
	return result;
}

static bool ask_number(const struct rekey *rekey, const char *sql, int count,
		       const char *const *params, int64_t *number)
{
	PGresult *result = ask(rekey, sql, count, params);

	if (result != NULL) {
		*number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	}
	PQclear(result);
	return result != NULL;
}

/* ---- one row ---- */

static bool renew(const struct rekey *rekey, const struct row *row, const char *column,
		  struct buf *out)
{
	struct seal_place place = {"calendar_connections", row->id, column};
	const char *sealed = strcmp(column, "access_token") == 0 ? row->access : row->refresh;
	struct fault fault;

	buf_init(out, REKEY_SEALED_MAX_BYTES);
	if (seal_renew(rekey->keys, &place, sealed, out, &fault)) {
		return true;
	}
	printf("%s\t%s\t%s\n", row->id, column, fault.what);
	return false;
}

static enum row_end store(const struct rekey *rekey, const struct row *row, const char *access,
			  const char *refresh)
{
	const char *const params[] = {row->id, row->access, row->refresh, access, refresh};
	PGresult *result;
	enum row_end end;

	if (strcmp(access, row->access) == 0 && strcmp(refresh, row->refresh) == 0) {
		return ROW_ALREADY;
	}
	result = ask(rekey, STORE_SQL, 5, params);
	end = PQntuples(result) == 1 ? ROW_REKEYED : ROW_CHANGED;
	if (result == NULL) {
		end = ROW_FAILED;
	}
	PQclear(result);
	return end;
}

static enum row_end rekey_row(const struct rekey *rekey, const struct row *row)
{
	struct buf access;
	struct buf refresh;
	bool opens = renew(rekey, row, "access_token", &access);
	enum row_end end = ROW_UNREADABLE;

	opens = renew(rekey, row, "refresh_token", &refresh) && opens;
	if (opens) {
		end = store(rekey, row, buf_string(&access), buf_string(&refresh));
	}
	buf_close(&access);
	buf_close(&refresh);
	return end;
}

static struct row row_at(const PGresult *rows, int index)
{
	return (struct row){PQgetvalue(rows, index, 0), PQgetvalue(rows, index, 1),
			    PQgetvalue(rows, index, 2)};
}

static enum row_end rekey_again(const struct rekey *rekey, const char *id)
{
	const char *const params[] = {id};
	PGresult *rows = ask(rekey, ROW_SQL, 1, params);
	enum row_end end = ROW_GONE;

	if (rows == NULL) {
		return ROW_FAILED;
	}
	if (PQntuples(rows) == 1) {
		struct row row = row_at(rows, 0);

		end = rekey_row(rekey, &row);
	}
	PQclear(rows);
	return end;
}

/* ---- all of them ---- */

static bool rekey_batch(struct rekey *rekey, const PGresult *rows)
{
	for (int i = 0; i < PQntuples(rows); i++) {
		struct row row = row_at(rows, i);
		enum row_end end = rekey_row(rekey, &row);

		for (int tries = 1; end == ROW_CHANGED && tries < REKEY_TRIES; tries++) {
			end = rekey_again(rekey, row.id);
		}
		rekey->counts[end]++;
		rekey->seen++;
		if (end == ROW_FAILED) {
			return false;
		}
	}
	return true;
}

static bool rekey_all(struct rekey *rekey)
{
	char last[UUID_TEXT_SIZE] = "00000000-0000-0000-0000-000000000000";
	const char *const params[] = {last};
	bool ok = true;
	int count;

	do {
		PGresult *rows = ask(rekey, BATCH_SQL, 1, params);

		count = PQntuples(rows);
		ok = rows != NULL && rekey_batch(rekey, rows);
		if (ok && count > 0) {
			snprintf(last, sizeof last, "%s", PQgetvalue(rows, count - 1, 0));
			printf("%" PRId64 " of %" PRId64 " connections\n", rekey->seen,
			       rekey->total);
			fflush(stdout);
		}
		PQclear(rows);
	} while (ok && count > 0);
	return ok;
}

static bool count_left(struct rekey *rekey)
{
	struct buf prefix;
	bool ok;

	buf_init(&prefix, REKEY_PREFIX_MAX_BYTES);
	seal_prefix(rekey->keys, &prefix);
	ok = ask_number(rekey, LEFT_SQL, 1, (const char *const[]){buf_string(&prefix)},
			&rekey->left);
	buf_close(&prefix);
	return ok;
}

static bool open_database(struct rekey *rekey, const char *url)
{
	const char *const keywords[] = {"dbname", "connect_timeout", "fallback_application_name",
					NULL};
	const char *const values[] = {url, REKEY_CONNECT_TIMEOUT_S, "calrelay-connect rekey", NULL};

	rekey->conn = PQconnectdbParams(keywords, values, 1);
	return PQstatus(rekey->conn) == CONNECTION_OK || said(rekey);
}

static int report(const struct rekey *rekey)
{
	int64_t unreadable = rekey->counts[ROW_UNREADABLE];

	printf("rekeyed %" PRId64 ", already %" PRId64 ", unreadable %" PRId64 "\n",
	       rekey->counts[ROW_REKEYED], rekey->counts[ROW_ALREADY], unreadable);
	if (rekey->left > 0) {
		fflush(stdout);
		fprintf(stderr,
			"calrelay-connect: %" PRId64 " connections name another key than the "
			"first: those that do not open, and what a program with an older keyring "
			"stored meanwhile (restart it, then run this again)\n",
			rekey->left);
	}
	return unreadable == 0 && rekey->left == 0 ? 0 : 1;
}

int rekey_run(const struct app_config *config, int argc, char **argv)
{
	struct rekey rekey = {0};
	struct fault fault;
	int status = 1;

	(void)argv;
	if (argc != 0) {
		fputs("usage: calrelay-connect rekey\n", stderr);
		return PROGRAM_EXIT_USAGE;
	}
	rekey.keys = seal_keys_new(config->token_keys, &fault);
	if (rekey.keys == NULL) {
		fprintf(stderr, "calrelay-connect: %s\n", fault.what);
		return PROGRAM_EXIT_CONFIG;
	}
	if (open_database(&rekey, config->database_url) &&
	    ask_number(&rekey, "SELECT count(*) FROM " REKEY_SEALED, 0, NULL, &rekey.total) &&
	    rekey_all(&rekey) && count_left(&rekey)) {
		status = report(&rekey);
	}
	PQfinish(rekey.conn);
	seal_keys_free(rekey.keys);
	return status;
}
