/* store.c - every statement that connect sends to PostgreSQL.
 *
 * Each is one transaction and may be repeated: pg answers FAULT_RETRY where it can't know whether
 * a statement took effect. */
#include "connect/store.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/rowsec.h"
#include "common/utf8.h"

#define STORE_SQL_MAX_BYTES	4096
#define STORE_TABLE_SIZE	(2 * HOSTMAP_NAME_SIZE + 8)
#define STORE_REASONS_MAX_BYTES 65536

struct store {
	struct pg *pg;
	char *add_state; /* names the host's profiles */
	char profiles[STORE_TABLE_SIZE];
};

#define RUNNING "state IN ('requested', 'running') AND (due_at IS NULL OR due_at <= now())"
#define REQUEST_COLUMNS                                                                            \
	"id, kind, state, total, done, failed, error, "                                            \
	"extract(epoch FROM created_at)::bigint AS created_s, "                                    \
	"extract(epoch FROM finished_at)::bigint AS finished_s, remove_events"
#define SECONDS_TO_WAIT                                                                            \
	"ceil(extract(epoch FROM max(created_at) + interval '60 seconds' - now()))::bigint"

#define LEFT_OUT "last_error <> 'the assignment was removed'"

static_assert(VIEW_COOLDOWN_S == 60, "the statements say 60 seconds");
static_assert(VIEW_REASONS == 5, "the statement takes five of each state");

/* A request that is due later waits for its mailbox, not for us: it does not count as running.
 * g holds each state's most frequent reasons as [state, reason, rows]; a tombstone's own reason is
 * why the plan gives it no event, unless its assignment is gone. */
static const char LOAD_VIEW[] =
    "SELECT c.status, c.status_reason, c.outlook_email, "
    "extract(epoch FROM c.created_at)::bigint, extract(epoch FROM c.last_synced_at)::bigint, "
    "CASE WHEN c.status = 'active' AND c.not_before > now() "
    "THEN ceil(extract(epoch FROM c.not_before))::bigint END, "
    "n.in_calendar, n.waiting, n.hidden, n.failed, n.left_out, g.reasons, "
    "greatest(w.wait_s, 0), "
    "r.*, l.* "
    "FROM (SELECT $1::uuid AS user_id) u "
    "LEFT JOIN calendar_connections c ON c.user_id = u.user_id AND c.provider = 'microsoft' "
    "LEFT JOIN LATERAL (SELECT "
    "count(*) FILTER (WHERE state = 'synced' AND external_event_id IS NOT NULL "
    "AND pending_pos IS NULL) AS in_calendar, "
    "count(*) FILTER (WHERE state <> 'failed' AND pending_pos IS NOT NULL) AS waiting, "
    "count(*) FILTER (WHERE state = 'hidden') AS hidden, "
    "count(*) FILTER (WHERE state = 'failed') AS failed, "
    "count(*) FILTER (WHERE state = 'deleted' AND " LEFT_OUT ") AS left_out "
    "FROM synced_calendar_events WHERE connection_id = c.id) n ON true "
    "LEFT JOIN LATERAL (SELECT json_agg(json_build_array(state, left(reason, 255), rows) "
    "ORDER BY rows DESC, reason) AS reasons FROM (SELECT state, coalesce(last_error, '') AS "
    "reason, "
    "count(*) AS rows, row_number() OVER (PARTITION BY state ORDER BY count(*) DESC, last_error) "
    "AS place FROM synced_calendar_events WHERE connection_id = c.id "
    "AND (state = 'failed' OR (state = 'deleted' AND " LEFT_OUT ")) "
    "GROUP BY state, last_error) by_reason WHERE place <= 5) g ON true "
    "LEFT JOIN LATERAL (SELECT " SECONDS_TO_WAIT " AS wait_s "
    "FROM calendar_sync_requests WHERE user_id = u.user_id) w ON true "
    "LEFT JOIN LATERAL (SELECT " REQUEST_COLUMNS " FROM calendar_sync_requests "
    "WHERE user_id = u.user_id AND c.id IS NOT NULL AND " RUNNING
    " ORDER BY (kind = 'disconnect') DESC, (state = 'running') DESC, created_at DESC LIMIT 1) r "
    "ON true "
    "LEFT JOIN LATERAL (SELECT " REQUEST_COLUMNS " FROM calendar_sync_requests "
    "WHERE user_id = u.user_id ORDER BY created_at DESC LIMIT 1) l ON true";

enum {
	VIEW_STATUS,
	VIEW_REASON,
	VIEW_EMAIL,
	VIEW_CONNECTED,
	VIEW_LAST_SYNCED,
	VIEW_NEXT_TRY,
	VIEW_IN_CALENDAR,
	VIEW_WAITING,
	VIEW_HIDDEN,
	VIEW_FAILED,
	VIEW_LEFT_OUT,
	VIEW_WHY,
	VIEW_WAIT,
	VIEW_RUNNING,
	VIEW_LATEST = VIEW_RUNNING + 10,
};

static const char LOAD_REQUEST[] =
    "SELECT " REQUEST_COLUMNS
    " FROM calendar_sync_requests WHERE id = $2::uuid AND user_id = $1::uuid";

/* Many may ask at once, each from a snapshot in which nobody has yet.  All but the first then find
 * updated_at changed when they get the row's lock, and file nothing. */
static const char FILE_SYNC[] =
    "WITH seen AS MATERIALIZED (SELECT id, user_id, status, updated_at FROM calendar_connections "
    "WHERE user_id = $1::uuid AND provider = 'microsoft'), "
    "newest AS MATERIALIZED (SELECT " SECONDS_TO_WAIT " AS wait_s FROM calendar_sync_requests "
    "WHERE user_id = $1::uuid), "
    "busy AS MATERIALIZED (SELECT count(*) > 0 AS is FROM calendar_sync_requests "
    "WHERE user_id = $1::uuid AND " RUNNING "), "
    "claimed AS (UPDATE calendar_connections c SET updated_at = clock_timestamp() "
    "FROM seen, newest, busy WHERE c.id = seen.id AND c.status = 'active' "
    "AND c.updated_at IS NOT DISTINCT FROM seen.updated_at "
    "AND NOT busy.is AND coalesce(newest.wait_s, 0) <= 0 RETURNING c.user_id), "
    "filed AS (INSERT INTO calendar_sync_requests (user_id, kind) "
    "SELECT user_id, 'full' FROM claimed RETURNING id) "
    "SELECT (SELECT id FROM filed), (SELECT status FROM seen), busy.is, "
    "greatest(coalesce(newest.wait_s, 0), 0) FROM newest, busy";

/* The connection ends where the row is inserted: schemas/sql/019. */
static const char FILE_DISCONNECT[] =
    "WITH pending AS MATERIALIZED (SELECT id FROM calendar_sync_requests "
    "WHERE user_id = $1::uuid AND kind = 'disconnect' AND state IN ('requested', 'running') "
    "ORDER BY created_at DESC LIMIT 1), "
    "ending AS MATERIALIZED (SELECT user_id FROM calendar_connections "
    "WHERE user_id = $1::uuid AND provider = 'microsoft' "
    "AND (status <> 'disconnecting' OR NOT EXISTS (SELECT FROM pending)) FOR UPDATE), "
    "filed AS (INSERT INTO calendar_sync_requests (user_id, kind, remove_events) "
    "SELECT user_id, 'disconnect', $2::boolean FROM ending RETURNING id) "
    "SELECT coalesce((SELECT id FROM filed), (SELECT id FROM pending)), "
    "EXISTS (SELECT FROM calendar_connections WHERE user_id = $1::uuid "
    "AND provider = 'microsoft')";

/* Ten minutes is what a sign-in may take; a person has at most 20 under way. */
static const char ADD_STATE[] =
    "WITH old AS (DELETE FROM calrelay_oauth_states WHERE state_hash IN ("
    "SELECT state_hash FROM calrelay_oauth_states WHERE created_at < now() - interval '10 minutes' "
    "LIMIT 100 FOR UPDATE SKIP LOCKED)), "
    "surplus AS (DELETE FROM calrelay_oauth_states WHERE state_hash IN ("
    "SELECT state_hash FROM calrelay_oauth_states WHERE user_id = $3::uuid "
    "ORDER BY created_at DESC OFFSET 19 FOR UPDATE SKIP LOCKED)) "
    "INSERT INTO calrelay_oauth_states (state_hash, session_hash, user_id, code_verifier, nonce) "
    "SELECT $1, $2, p.\"%s\", $4, $5 FROM \"%s\".\"%s\" p WHERE p.\"%s\" = $3::uuid "
    "RETURNING (SELECT status FROM calendar_connections c "
    "WHERE c.user_id = $3::uuid AND provider = 'microsoft'), "
    "(SELECT outlook_email FROM calendar_connections c "
    "WHERE c.user_id = $3::uuid AND provider = 'microsoft')";

/* Another browser's or person's state is not theirs to use up: to them it does not exist. */
static const char TAKE_STATE[] =
    "DELETE FROM calrelay_oauth_states WHERE state_hash = $1 AND session_hash = $2 "
    "AND user_id = $3::uuid RETURNING state_hash, code_verifier, nonce, "
    "created_at > now() - interval '10 minutes'";

static const char FIND_CONNECTION[] =
    "SELECT c.id, c.status, c.tenant_id, c.account_id, EXISTS (SELECT FROM calendar_connections "
    "WHERE tenant_id = $2 AND account_id = $3 AND user_id <> $1::uuid) "
    "FROM (SELECT $1::uuid AS user_id) u LEFT JOIN calendar_connections c "
    "ON c.user_id = u.user_id AND c.provider = 'microsoft'";

/* not_before stays: signing in again does not lift Graph's throttling.  A disconnect that had begun
 * may have removed events already, so their listing has to be read again. */
static const char KEEP_CONNECTION[] =
    "WITH kept AS (UPDATE calendar_connections SET access_token = $3, refresh_token = $4, "
    "token_expires_at = now() + make_interval(secs => $5), outlook_email = $6, scopes = $7, "
    "time_zone = coalesce($8, time_zone), "
    "adopted_at = CASE status WHEN 'disconnecting' THEN NULL ELSE adopted_at END, "
    "status = 'active', status_reason = NULL, token_version = token_version + 1, "
    "refresh_lease_until = NULL, refresh_lease_by = NULL, refreshed_at = clock_timestamp(), "
    "updated_at = clock_timestamp() "
    "WHERE id = $1::uuid AND user_id = $2::uuid RETURNING user_id), "
    "cancelled AS (UPDATE calendar_sync_requests r SET state = 'failed', finished_at = now(), "
    "error = 'Cancelled: the calendar was connected again.' FROM kept "
    "WHERE r.user_id = kept.user_id AND r.kind = 'disconnect' "
    "AND r.state IN ('requested', 'running')) "
    "INSERT INTO calendar_sync_requests (user_id, kind) SELECT user_id, 'full' FROM kept "
    "RETURNING id";

/* The count makes the old row go before the new one comes; a row that is not the one we found
 * stays, and the new one then violates the unique (user_id, provider). */
static const char REPLACE_CONNECTION[] =
    "WITH gone AS (DELETE FROM calendar_connections WHERE id = $11::uuid AND user_id = $2::uuid "
    "AND status <> 'disconnecting' RETURNING id), "
    "added AS (INSERT INTO calendar_connections (id, user_id, access_token, refresh_token, "
    "token_expires_at, outlook_email, scopes, time_zone, tenant_id, account_id) "
    "SELECT $1::uuid, $2::uuid, $3, $4, now() + make_interval(secs => $5), $6, $7, $8, $9, $10 "
    "WHERE (SELECT count(*) FROM gone) >= 0 RETURNING user_id) "
    "INSERT INTO calendar_sync_requests (user_id, kind) SELECT user_id, 'full' FROM added "
    "RETURNING id";

static const char COUNT_CONNECTIONS[] =
    "SELECT status, count(*) FROM calendar_connections GROUP BY status";

static const char SEE_PROFILES[] = "SELECT " ROWSEC_HIDES("to_regclass($1)");

struct store *store_new(struct pg *pg, const struct hostmap *map, struct fault *fault)
{
	struct store *store = calloc(1, sizeof *store);
	struct buf sql;

	buf_init(&sql, STORE_SQL_MAX_BYTES);
	buf_format(&sql, ADD_STATE, map->profiles.id, map->schema, map->profiles.table,
		   map->profiles.id);
	if (store == NULL || sql.failed) {
		buf_close(&sql);
		free(store);
		fault_fatal(fault, "out of memory");
		return NULL;
	}
	store->pg = pg;
	store->add_state = buf_steal(&sql);
	snprintf(store->profiles, sizeof store->profiles, "\"%s\".\"%s\"", map->schema,
		 map->profiles.table);
	return store;
}

void store_free(struct store *store)
{
	if (store != NULL) {
		free(store->add_state);
	}
	free(store);
}

/* ---- sending ---- */

static void store_send(struct store *store, struct pg_request *request, const char *sql, int count,
		       const char *const *params)
{
	request->sql = sql;
	request->param_count = count;
	for (int i = 0; i < count; i++) {
		request->params[i] = params[i];
	}
	pg_send(store->pg, request);
}

#define SEND(store_, request_, sql_, ...)                                                          \
	store_send((store_), (request_), (sql_),                                                   \
		   (int)(sizeof(const char *[]){__VA_ARGS__} / sizeof(const char *)),              \
		   (const char *const[]){__VA_ARGS__})

void store_load_view(struct store *store, struct pg_request *request, const char *user_id)
{
	SEND(store, request, LOAD_VIEW, user_id);
}

void store_load_request(struct store *store, struct pg_request *request, const char *user_id,
			const char *request_id)
{
	SEND(store, request, LOAD_REQUEST, user_id, request_id);
}

void store_file_sync(struct store *store, struct pg_request *request, const char *user_id)
{
	SEND(store, request, FILE_SYNC, user_id);
}

void store_file_disconnect(struct store *store, struct pg_request *request, const char *user_id,
			   bool removes_events)
{
	SEND(store, request, FILE_DISCONNECT, user_id, removes_events ? "true" : "false");
}

void store_add_state(struct store *store, struct pg_request *request,
		     const struct store_state *state)
{
	SEND(store, request, store->add_state, state->hash, state->binding, state->user_id,
	     state->verifier, state->nonce);
}

void store_take_state(struct store *store, struct pg_request *request, const char *hash,
		      const char *binding, const char *user_id)
{
	SEND(store, request, TAKE_STATE, hash, binding, user_id);
}

void store_find_connection(struct store *store, struct pg_request *request, const char *user_id,
			   const char *tenant_id, const char *account_id)
{
	SEND(store, request, FIND_CONNECTION, user_id, tenant_id, account_id);
}

void store_keep_connection(struct store *store, struct pg_request *request,
			   const struct store_connection *connection)
{
	char expires_in_s[24];

	snprintf(expires_in_s, sizeof expires_in_s, "%" PRId64, connection->expires_in_s);
	SEND(store, request, KEEP_CONNECTION, connection->id, connection->user_id,
	     connection->access_token, connection->refresh_token, expires_in_s, connection->email,
	     connection->scopes, connection->time_zone);
}

void store_replace_connection(struct store *store, struct pg_request *request,
			      const struct store_connection *connection)
{
	char expires_in_s[24];

	snprintf(expires_in_s, sizeof expires_in_s, "%" PRId64, connection->expires_in_s);
	SEND(store, request, REPLACE_CONNECTION, connection->id, connection->user_id,
	     connection->access_token, connection->refresh_token, expires_in_s, connection->email,
	     connection->scopes, connection->time_zone, connection->tenant_id,
	     connection->account_id, connection->replaces);
}

void store_see_profiles(struct store *store, struct pg_request *request)
{
	SEND(store, request, SEE_PROFILES, store->profiles);
}

void store_count_connections(struct store *store, struct pg_request *request)
{
	store_send(store, request, COUNT_CONNECTIONS, 0, NULL);
}

/* ---- reading ---- */

static void read_text(char *out, size_t size, const PGresult *result, int row, int column)
{
	const char *text = pg_text(result, row, column);

	utf8_copy(out, size, text != NULL ? text : "");
}

static bool read_bool(const PGresult *result, int row, int column)
{
	const char *text = pg_text(result, row, column);

	return text != NULL && strcmp(text, "t") == 0;
}

/* The ten columns of REQUEST_COLUMNS, from first on. */
static void read_request(struct view_request *request, const PGresult *result, int first)
{
	read_text(request->id, sizeof request->id, result, 0, first);
	read_text(request->kind, sizeof request->kind, result, 0, first + 1);
	read_text(request->state, sizeof request->state, result, 0, first + 2);
	request->total = pg_integer(result, 0, first + 3, 0);
	request->done = pg_integer(result, 0, first + 4, 0);
	request->failed = pg_integer(result, 0, first + 5, 0);
	read_text(request->error, sizeof request->error, result, 0, first + 6);
	request->created_s = pg_integer(result, 0, first + 7, 0);
	request->finished_s = pg_integer(result, 0, first + 8, 0);
	request->is_removal = read_bool(result, 0, first + 9);
}

static void add_reason(struct view *view, const cJSON *group)
{
	const char *state = json_item_text(group, 0);
	const char *told = json_item_text(group, 1);
	struct view_reasons *reasons = &view->failed;
	struct view_reason *reason;

	if (state != NULL && strcmp(state, "deleted") == 0) {
		reasons = &view->left_out;
	}
	if (reasons->most_count < VIEW_REASONS) {
		reason = &reasons->most[reasons->most_count++];
		utf8_copy(reason->told, sizeof reason->told, told != NULL ? told : "");
		reason->count = (int64_t)cJSON_GetNumberValue(cJSON_GetArrayItem(group, 2));
	}
}

static bool read_reasons(struct view *view, const PGresult *result, struct fault *fault)
{
	const char *text = pg_text(result, 0, VIEW_WHY);
	cJSON *document;
	const cJSON *group;

	if (text == NULL) {
		return true; /* all is well */
	}
	document = json_parse(text, strlen(text), STORE_REASONS_MAX_BYTES, fault);
	if (document == NULL) {
		return false;
	}
	cJSON_ArrayForEach(group, document)
	{
		add_reason(view, group);
	}
	cJSON_Delete(document);
	return true;
}

/* What a full synchronisation has still to look at waits too, though it has no rows yet. */
static void read_waiting(struct view *view)
{
	const struct view_request *running = &view->running;
	int64_t left = running->total - running->done - running->failed;

	if (strcmp(running->kind, "full") == 0 && left > view->waiting) {
		view->waiting = left;
	}
}

bool store_read_view(const PGresult *result, struct view *view, struct fault *fault)
{
	*view = (struct view){0};
	read_text(view->status, sizeof view->status, result, 0, VIEW_STATUS);
	view->is_connected = view->status[0] != '\0';
	if (!view->is_connected) {
		snprintf(view->status, sizeof view->status, "not_connected");
	}
	read_text(view->status_reason, sizeof view->status_reason, result, 0, VIEW_REASON);
	read_text(view->email, sizeof view->email, result, 0, VIEW_EMAIL);
	view->connected_s = pg_integer(result, 0, VIEW_CONNECTED, 0);
	view->last_synced_s = pg_integer(result, 0, VIEW_LAST_SYNCED, 0);
	view->next_try_s = pg_integer(result, 0, VIEW_NEXT_TRY, 0);
	view->in_calendar = pg_integer(result, 0, VIEW_IN_CALENDAR, 0);
	view->waiting = pg_integer(result, 0, VIEW_WAITING, 0);
	view->hidden = pg_integer(result, 0, VIEW_HIDDEN, 0);
	view->failed.count = pg_integer(result, 0, VIEW_FAILED, 0);
	view->left_out.count = pg_integer(result, 0, VIEW_LEFT_OUT, 0);
	view->wait_s = pg_integer(result, 0, VIEW_WAIT, 0);
	read_request(&view->running, result, VIEW_RUNNING);
	read_request(&view->latest, result, VIEW_LATEST);
	read_waiting(view);
	if (view->running.id[0] != '\0' && view->wait_s < VIEW_BUSY_S) {
		view->wait_s = VIEW_BUSY_S;
	}
	return read_reasons(view, result, fault);
}

bool store_read_request(const PGresult *result, struct view_request *found)
{
	*found = (struct view_request){0};
	if (PQntuples(result) == 0) {
		return false;
	}
	read_request(found, result, 0);
	return true;
}

static enum trouble sync_trouble(const char *status, bool is_busy, int64_t wait_s)
{
	if (status[0] == '\0') {
		return TROUBLE_NOT_CONNECTED;
	}
	if (strcmp(status, "disconnecting") == 0) {
		return TROUBLE_DISCONNECTING;
	}
	if (strcmp(status, "needs_reconnect") == 0) {
		return TROUBLE_NEEDS_RECONNECT;
	}
	if (is_busy) {
		return TROUBLE_BUSY;
	}
	return wait_s > 0 ? TROUBLE_COOLDOWN : TROUBLE_OTHER;
}

void store_read_sync(const PGresult *result, struct store_filed *filed)
{
	char status[20];
	bool is_busy = read_bool(result, 0, 2);

	*filed = (struct store_filed){.wait_s = pg_integer(result, 0, 3, 0)};
	read_text(filed->id, sizeof filed->id, result, 0, 0);
	read_text(status, sizeof status, result, 0, 1);
	if (is_busy && filed->wait_s < VIEW_BUSY_S) {
		filed->wait_s = VIEW_BUSY_S;
	}
	if (filed->id[0] == '\0') {
		filed->trouble = sync_trouble(status, is_busy, filed->wait_s);
	}
}

void store_read_disconnect(const PGresult *result, struct store_filed *filed)
{
	*filed = (struct store_filed){0};
	read_text(filed->id, sizeof filed->id, result, 0, 0);
	if (filed->id[0] == '\0') {
		filed->trouble = read_bool(result, 0, 1) ? TROUBLE_OTHER : TROUBLE_NOT_CONNECTED;
	}
}

bool store_read_added(const PGresult *result, struct store_existing *existing)
{
	*existing = (struct store_existing){0};
	if (PQntuples(result) != 1) {
		return false;
	}
	read_text(existing->status, sizeof existing->status, result, 0, 0);
	read_text(existing->email, sizeof existing->email, result, 0, 1);
	return true;
}

bool store_read_state(const PGresult *result, struct store_state *state)
{
	*state = (struct store_state){0};
	if (PQntuples(result) != 1) {
		return false;
	}
	read_text(state->hash, sizeof state->hash, result, 0, 0);
	read_text(state->verifier, sizeof state->verifier, result, 0, 1);
	read_text(state->nonce, sizeof state->nonce, result, 0, 2);
	return read_bool(result, 0, 3);
}

void store_read_existing(const PGresult *result, struct store_existing *existing)
{
	*existing = (struct store_existing){0};
	if (PQntuples(result) == 1) {
		read_text(existing->id, sizeof existing->id, result, 0, 0);
		read_text(existing->status, sizeof existing->status, result, 0, 1);
		read_text(existing->tenant_id, sizeof existing->tenant_id, result, 0, 2);
		read_text(existing->account_id, sizeof existing->account_id, result, 0, 3);
		existing->is_taken = read_bool(result, 0, 4);
	}
}

bool store_read_connected(const PGresult *result)
{
	return PQntuples(result) == 1;
}

bool store_read_hidden(const PGresult *result)
{
	return PQntuples(result) == 1 && read_bool(result, 0, 0);
}
