/* token.c - a live access token: the stored one, or a refreshed one, by one worker at a time.
 *
 * lease (PostgreSQL) ─▶ refresh (Microsoft) ─▶ renew (PostgreSQL) ─▶ use.  No row lock is held
 * across HTTP; the renewal stores only where token_version is still what was read, before the token
 * is used.  refreshAccessToken of the plan. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/oauth.h"
#include "worker/steps.h"
#include "worker/worker.h"

#define TOKEN_MAX_BYTES	    32768u
#define TOKEN_DEADLINE_MS   30000
#define TOKEN_MARGIN_MS	    INT64_C(300000)
#define TOKEN_LEASE_WAIT_MS 1000

static struct seal_place token_place(const struct run *run, const char *column)
{
	return (struct seal_place){
	    .table = "calendar_connections", .row_id = run->connection.id_text, .column = column};
}

/* Early by five minutes, or a quarter of its life where that is shorter. */
static bool token_is_live(const struct connection *connection, int64_t now_ms)
{
	int64_t quarter_ms = (connection->expires_ms - connection->issued_ms) / 4;
	int64_t margin_ms = quarter_ms < TOKEN_MARGIN_MS ? quarter_ms : TOKEN_MARGIN_MS;

	return now_ms < connection->expires_ms - (margin_ms > 0 ? margin_ms : 0);
}

static void run_set_bearer(struct run *run, const char *access_token)
{
	struct buf bearer;

	if (run->bearer != NULL) {
		OPENSSL_cleanse(run->bearer, strlen(run->bearer));
		free(run->bearer);
	}
	buf_init(&bearer, TOKEN_MAX_BYTES + 16);
	buf_format(&bearer, "Bearer %s", access_token);
	run->bearer = buf_steal(&bearer);
}

static bool run_open_token(struct run *run, const char *column, const char *sealed,
			   struct buf *plain)
{
	struct seal_place place = token_place(run, column);

	buf_init(plain, TOKEN_MAX_BYTES);
	return seal_open(run->worker->keys, &place, sealed, plain, &run->fault);
}

static void forget(struct buf *plain)
{
	if (plain->data != NULL) {
		OPENSSL_cleanse(plain->data, plain->capacity);
	}
	buf_close(plain);
}

/* Nobody but the user can mend a token that does not open. */
static enum run_step token_unusable(struct run *run)
{
	log_error("a stored token does not open", LOG_TEXT("user.id", run->lane->user_text),
		  LOG_TEXT("error", run->fault.what));
	run->fault = (struct fault){0};
	return run_park(run, "token_unreadable", 0, true);
}

enum run_step token_first_step(struct run *run)
{
	struct buf plain;
	bool opened;

	if (run->must_refresh || !token_is_live(&run->connection, clock_wall_ms())) {
		return RUN_LEASE;
	}
	if (run->bearer != NULL) {
		return run->after_token;
	}
	opened = run_open_token(run, "access_token", run->connection.access_sealed, &plain);
	if (opened) {
		run_set_bearer(run, buf_string(&plain));
	}
	forget(&plain);
	return opened ? run->after_token : token_unusable(run);
}

void token_lease_start(struct run *run)
{
	if (!run_is_held(run, &run->worker->login)) {
		store_lease(run);
	}
}

enum run_step token_lease_finish(struct run *run)
{
	if (run->fault.kind == FAULT_NONE) {
		return RUN_REFRESH;
	}
	if (run->fault.kind != FAULT_AUTH) {
		return run_wait(run, 0, RUN_LEASE);
	}
	return run_wait(run, TOKEN_LEASE_WAIT_MS, RUN_END); /* what they store is ours as well */
}

static void on_refreshed(struct http_request *request)
{
	struct run *run = container_of(request, struct run, http);

	run->fault = request->fault;
	OPENSSL_cleanse(run->body.data, run->body.capacity);
	graph_observe(run, "token");
	if (run->fault.kind == FAULT_NONE &&
	    !oauth_answer(&request->reply, &run->tokens, &run->fault)) {
		oauth_tokens_free(&run->tokens);
	}
	run_resume(run);
}

void token_refresh_start(struct run *run)
{
	struct worker *worker = run->worker;
	struct oauth_credential credential = {0};
	struct buf plain;

	if (!run_open_token(run, "refresh_token", run->connection.refresh_sealed, &plain) ||
	    !client_auth_prove(&worker->auth, &worker->oauth, &credential, &run->fault)) {
		oauth_credential_forget(&credential);
		forget(&plain);
		run_resume_later(run);
		return;
	}
	buf_reset(&run->url);
	buf_reset(&run->body);
	oauth_token_url(&run->url, &worker->oauth);
	oauth_refresh_body(&run->body, &worker->oauth, &credential, buf_string(&plain),
			   run->connection.mailbox);
	oauth_credential_forget(&credential);
	forget(&plain);
	run->started_exchange_ms = clock_mono_ms();
	run->http = (struct http_request){.method = "POST",
					  .url = buf_string(&run->url),
					  .content_type = "application/x-www-form-urlencoded",
					  .body = buf_string(&run->body),
					  .body_length = run->body.length,
					  .done = on_refreshed};
	http_send(worker->http, &run->http, TOKEN_DEADLINE_MS);
}

/* Our registration's trouble, or our credential's: nobody's connection is to blame, everybody
 * waits. */
static enum run_step token_misconfigured(struct run *run)
{
	if (breaker_trip(&run->worker->login, clock_mono_ms())) {
		log_error("nobody's tokens can be refreshed", LOG_TEXT("error", run->fault.what));
	}
	return run_wait(run, 0, RUN_LEASE);
}

enum run_step token_refresh_finish(struct run *run)
{
	struct breaker *login = &run->worker->login;
	struct stats *stats = &run->worker->stats;

	switch (run->fault.kind) {
	case FAULT_NONE:
		STATS_COUNT(stats->token_refreshes, "ok");
		run_served(run, login);
		return RUN_RENEW;
	case FAULT_AUTH:
		STATS_COUNT(stats->token_refreshes, "refused");
		run_served(run, login);
		return run_park(run, "consent_revoked", 0, true);
	case FAULT_FATAL:
		STATS_COUNT(stats->token_refreshes, "misconfigured");
		return token_misconfigured(run);
	default:
		STATS_COUNT(stats->token_refreshes, "failed");
		log_warn("a token was not refreshed", LOG_TEXT("user.id", run->lane->user_text),
			 LOG_TEXT("error", run->fault.what));
		run_unserved(run, login);
		return run_stuck(run, "unavailable", run->fault.retry_after_ms, RUN_LEASE);
	}
}

void token_renew_start(struct run *run)
{
	const struct seal_keys *keys = run->worker->keys;
	struct seal_place access = token_place(run, "access_token");
	struct seal_place refresh = token_place(run, "refresh_token");
	struct buf access_sealed;
	struct buf refresh_sealed;
	bool ok;

	buf_init(&access_sealed, (size_t)2 * TOKEN_MAX_BYTES);
	buf_init(&refresh_sealed, (size_t)2 * TOKEN_MAX_BYTES);
	ok = seal_close(keys, &access, run->tokens.access_token, &access_sealed, &run->fault) &&
	     (run->tokens.refresh_token == NULL ||
	      seal_close(keys, &refresh, run->tokens.refresh_token, &refresh_sealed, &run->fault));
	if (ok) {
		store_renew(run, buf_string(&access_sealed),
			    run->tokens.refresh_token != NULL ? buf_string(&refresh_sealed) : NULL,
			    run->tokens.expires_in_s);
	} else {
		run_resume_later(run);
	}
	buf_close(&access_sealed);
	buf_close(&refresh_sealed);
}

enum run_step token_renew_finish(struct run *run)
{
	if (run->fault.kind == FAULT_RETRY) {
		return run_wait(run, 0, RUN_RENEW); /* never used before it is stored */
	}
	if (run->fault.kind == FAULT_NONE) {
		int64_t now_ms = clock_wall_ms();

		run->connection.token_version++;
		run->connection.issued_ms = now_ms;
		run->connection.expires_ms = now_ms + run->tokens.expires_in_s * 1000;
		run_set_bearer(run, run->tokens.access_token);
	}
	oauth_tokens_free(&run->tokens);
	run->must_refresh = false;
	if (run->fault.kind != FAULT_NONE) {
		return run_wait(run, TOKEN_LEASE_WAIT_MS, RUN_END); /* a reconnect was faster */
	}
	/* a lifetime of nothing is still good for the call that follows */
	return run->after_token;
}
