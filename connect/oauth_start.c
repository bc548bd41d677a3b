/* oauth_start.c - makes a sign-in's secrets, keeps what the callback needs, sends the browser off.
 */
#include "connect/oauth_start.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/text.h"
#include "connect/consent.h"
#include "connect/guard.h"
#include "connect/reply.h"

#define START_URL_MAX_BYTES 16384

struct start {
	struct app *app;
	struct httpd_request *http;
	struct session session;
	struct pg_request pg;
	struct consent consent;
	struct store_state state;
};

struct seal_place oauth_start_place(const char *hash)
{
	return (struct seal_place){"calrelay_oauth_states", hash, "code_verifier"};
}

static void start_free(struct start *start)
{
	struct app *app = start->app;

	OPENSSL_cleanse(start, sizeof *start);
	free(start);
	app_leave(app);
}

static void start_fail(struct start *start, const struct fault *fault, enum trouble trouble)
{
	log_warn("a sign-in could not begin", LOG_TEXT("user", start->session.user_id),
		 LOG_TEXT("fault", fault_name(fault->kind)), LOG_TEXT("error", fault->what));
	reply_trouble_redirect(start->http, trouble);
}

static void start_redirect(struct start *start, const struct store_existing *existing)
{
	const struct consent_greeting greeting = {
	    .prompt = consent_prompt(httpd_query(start->http, "prompt"), existing->status),
	    .login_hint = text_or_null(existing->email),
	};
	struct fault fault;
	struct buf url;

	buf_init(&url, START_URL_MAX_BYTES);
	consent_url(&url, &start->app->oauth, &start->consent, &greeting);
	if (url.failed) {
		fault_fatal(&fault, "the authorize URL is too long");
		start_fail(start, &fault, TROUBLE_OTHER);
	} else {
		reply_redirect(start->http, 302, buf_string(&url));
	}
	buf_close(&url);
}

static void on_state_added(struct pg_request *pg)
{
	struct start *start = container_of(pg, struct start, pg);
	struct store_existing existing;

	if (pg->fault.kind != FAULT_NONE) {
		start_fail(start, &pg->fault, TROUBLE_UNAVAILABLE);
	} else if (!store_read_added(pg->result, &existing)) {
		reply_trouble_redirect(start->http, TROUBLE_UNKNOWN_USER);
	} else {
		start_redirect(start, &existing);
	}
	start_free(start);
}

/* What is remembered of a sign-in: hashes of what the browser carries, and the sealed verifier. */
static bool start_make_state(struct start *start, struct fault *fault)
{
	const struct consent *consent = &start->consent;
	struct store_state *state = &start->state;
	const struct seal_place place = oauth_start_place(state->hash);
	struct buf sealed;
	bool ok;

	if (!consent_make(&start->consent, fault)) {
		return false;
	}
	secret_hash("oauth state", consent->state, state->hash);
	session_binding(&start->session, state->binding);
	memcpy(state->user_id, start->session.user_id, sizeof state->user_id);
	memcpy(state->nonce, consent->nonce, sizeof state->nonce);
	buf_init(&sealed, sizeof state->verifier - 1);
	ok = seal_close(start->app->seal_keys, &place, consent->verifier, &sealed, fault);
	snprintf(state->verifier, sizeof state->verifier, "%s", buf_string(&sealed));
	buf_close(&sealed);
	return ok;
}

void oauth_start(struct httpd_request *request)
{
	struct session session;
	struct fault fault;
	struct start *start;

	if (!guard_session(request, &session)) {
		return;
	}
	start = calloc(1, sizeof *start);
	if (start == NULL) {
		reply_trouble(request, TROUBLE_OTHER);
		return;
	}
	start->app = httpd_context(request);
	start->http = request;
	start->session = session;
	app_enter(start->app);
	if (!start_make_state(start, &fault)) {
		start_fail(start, &fault, TROUBLE_OTHER);
		start_free(start);
		return;
	}
	start->pg.done = on_state_added;
	store_add_state(start->app->store, &start->pg, &start->state);
}
