/* store.h - connect's SQL: one function per statement, one statement per transaction.
 *
 * Each fills request's sql and params and sends it; request->done is the caller's, set before, and
 * is called exactly once, never before these return.  Inside done, the matching store_read_… takes
 * the values out of the result. */
#ifndef CALRELAY_CONNECT_STORE_H
#define CALRELAY_CONNECT_STORE_H

#include <stdbool.h>

#include "common/hostmap.h"
#include "common/pg.h"
#include "connect/consent.h"
#include "connect/view.h"

struct store; /* the statements that name the host's tables */

/* NULL with FAULT_FATAL out of memory.  Borrows pg. */
struct store *store_new(struct pg *pg, const struct hostmap *map, struct fault *fault) MUST_CHECK;
void store_free(struct store *store);

/* What a person may know. */
void store_load_view(struct store *store, struct pg_request *request, const char *user_id);
bool store_read_view(const PGresult *result, struct view *view, struct fault *fault) MUST_CHECK;

/* One request of that person; another's is as absent as none. */
void store_load_request(struct store *store, struct pg_request *request, const char *user_id,
			const char *request_id);
bool store_read_request(const PGresult *result, struct view_request *found);

/* Files a full synchronisation, unless one runs, one was filed within the cooldown, or the
 * connection is not active; however many ask at once, one is filed. */
void store_file_sync(struct store *store, struct pg_request *request, const char *user_id);

/* Sets the connection's status and files the work, at once; or finds what was filed before. */
void store_file_disconnect(struct store *store, struct pg_request *request, const char *user_id,
			   bool removes_events);

struct store_filed {
	char id[UUID_TEXT_SIZE]; /* "": nothing was filed, trouble says why */
	enum trouble trouble;	 /* TROUBLE_OTHER: another request came between; ask again */
	int64_t wait_s;
};

void store_read_sync(const PGresult *result, struct store_filed *filed);
void store_read_disconnect(const PGresult *result, struct store_filed *filed);

/* A sign-in under way.  verifier is sealed text.  Old ones, and a person's surplus, go. */
struct store_state {
	char hash[SECRET_SIZE];
	char binding[SECRET_SIZE];
	char user_id[UUID_TEXT_SIZE];
	char nonce[SECRET_SIZE];
	char verifier[512];
};

/* The connection as it stands before a sign-in changes it. */
struct store_existing {
	char id[UUID_TEXT_SIZE]; /* "": none */
	char status[20];
	char email[321];
	char tenant_id[64];
	char account_id[64];
	bool is_taken; /* somebody else has connected the mailbox in question */
};

void store_add_state(struct store *store, struct pg_request *request,
		     const struct store_state *state);
/* False: the user has no profile.  Fills status and email, for Microsoft to greet them by. */
bool store_read_added(const PGresult *result, struct store_existing *existing);

/* Takes the state away, so that it works once, for the session and person it was made for.
 * store_read_state: hash, verifier and nonce; false where there was none, or it was too old. */
void store_take_state(struct store *store, struct pg_request *request, const char *hash,
		      const char *binding, const char *user_id);
bool store_read_state(const PGresult *result, struct store_state *state);

/* The connection of that person (all but the e-mail), and whether another person has this mailbox:
 * each of two would take the other's events for orphans. */
void store_find_connection(struct store *store, struct pg_request *request, const char *user_id,
			   const char *tenant_id, const char *account_id);
void store_read_existing(const PGresult *result, struct store_existing *existing);

/* What a finished sign-in leaves behind; borrowed until the store_… call returns. */
struct store_connection {
	const char *id;
	const char *user_id;
	const char *access_token;  /* sealed */
	const char *refresh_token; /* sealed */
	int64_t expires_in_s;
	const char *email;
	const char *scopes;
	const char *tenant_id;
	const char *account_id;
	const char *time_zone; /* NULL: not known; what is stored stays */
	const char *replaces;  /* id of the row of another mailbox, which goes; NULL: none */
};

/* Same mailbox: the row and its mappings stay, a pending disconnect is cancelled, a full
 * synchronisation is filed. */
void store_keep_connection(struct store *store, struct pg_request *request,
			   const struct store_connection *connection);
/* A mailbox that was not connected: a new row with a new id, so that no event id, transaction or
 * mapping of another mailbox can ever be used in it. */
void store_replace_connection(struct store *store, struct pg_request *request,
			      const struct store_connection *connection);
/* False: the rows are not as they were found; find again. */
bool store_read_connected(const PGresult *result);

/* Whether row security hides the host's people from us: then nobody would seem to exist. */
void store_see_profiles(struct store *store, struct pg_request *request);
bool store_read_hidden(const PGresult *result);

/* Connections per status, for the metric: rows of (status, count). */
void store_count_connections(struct store *store, struct pg_request *request);

#endif
