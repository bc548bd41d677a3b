/* oauth_flow.c - the return from Microsoft, as a chain of steps.
 *
 * take state ─▶ exchange the code ─▶ who is it (GET /me) ─▶ its time zone, if permitted
 *            ─▶ find the connection ─▶ store
 *
 * STEPS below is that chain, read downwards.  A step's start asks for one thing and its finish,
 * called from the loop with the answer, says which step follows; anything that went wrong is the
 * flow's trouble, and ends it with a 303 to My Schedule. */
#include "connect/oauth_flow.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/skew.h"
#include "common/text.h"
#include "common/utf8.h"
#include "connect/approval.h"
#include "connect/consent.h"
#include "connect/guard.h"
#include "connect/oauth_start.h"
#include "connect/page.h"
#include "connect/reply.h"
#include "connect/zone.h"

#define FLOW_CODE_MAX_BYTES  4096
#define FLOW_BODY_MAX_BYTES  32768
#define FLOW_TOKEN_MAX_BYTES 65536
#define FLOW_ME_MAX_BYTES    262144
#define FLOW_HTTP_MAX_MS     15000
#define FLOW_ZONE_MAX_MS     5000 /* nobody waits long for what they can do without */
#define FLOW_TRIES	     3	  /* finds and stores, while others change the same rows */

enum flow_step { FLOW_TAKE, FLOW_EXCHANGE, FLOW_WHO, FLOW_ZONE, FLOW_FIND, FLOW_STORE, FLOW_END };

struct flow {
	struct app *app;
	struct httpd_request *http;
	struct session session;
	enum flow_step step;
	enum trouble trouble;
	int tries;
	struct pg_request pg;
	struct http_request call;
	struct buf url;
	struct buf body;
	struct buf authorization;
	struct store_state state;
	struct oauth_tokens tokens;
	struct consent_claims claims;
	char email[321];
	char time_zone[ZONE_SIZE]; /* "" where it is not known */
	struct store_existing existing;
	char connection_id[UUID_TEXT_SIZE];
};

/* ---- lifetime ---- */

static void secret_buf_close(struct buf *buf)
{
	if (buf->data != NULL) {
		OPENSSL_cleanse(buf->data, buf->capacity);
	}
	buf_close(buf);
}

static struct flow *flow_new(struct httpd_request *request, const struct session *session)
{
	struct flow *flow = calloc(1, sizeof *flow);

	if (flow == NULL) {
		reply_trouble(request, TROUBLE_OTHER);
		return NULL;
	}
	flow->app = httpd_context(request);
	flow->http = request;
	flow->session = *session;
	buf_init(&flow->url, FLOW_BODY_MAX_BYTES);
	buf_init(&flow->body, FLOW_BODY_MAX_BYTES);
	buf_init(&flow->authorization, FLOW_TOKEN_MAX_BYTES);
	app_enter(flow->app);
	return flow;
}

static void flow_free(struct flow *flow)
{
	struct app *app = flow->app;

	oauth_tokens_free(&flow->tokens);
	buf_close(&flow->url);
	secret_buf_close(&flow->body);
	secret_buf_close(&flow->authorization);
	OPENSSL_cleanse(flow, sizeof *flow);
	free(flow);
	app_leave(app);
}

static void log_fault(const struct flow *flow, const char *what, const struct fault *fault)
{
	log_warn(what, LOG_TEXT("user", flow->session.user_id),
		 LOG_TEXT("fault", fault_name(fault->kind)), LOG_TEXT("error", fault->what));
}

/* ---- the chain ---- */

static void flow_enter(struct flow *flow, enum flow_step step);
static void flow_resume(struct flow *flow, const struct fault *fault);

static void on_flow_row(struct pg_request *pg)
{
	struct flow *flow = container_of(pg, struct flow, pg);

	flow_resume(flow, &pg->fault);
}

static void on_flow_answer(struct http_request *call)
{
	struct flow *flow = container_of(call, struct flow, call);

	flow_resume(flow, &call->fault);
}

static enum flow_step flow_fail(struct flow *flow, enum trouble trouble)
{
	flow->trouble = trouble;
	return FLOW_END;
}

/* take: the state works once, for the browser session that it was made in */

static void take_start(struct flow *flow)
{
	const char *state = httpd_query(flow->http, "state");
	char hash[SECRET_SIZE];
	char binding[SECRET_SIZE];

	secret_hash("oauth state", state != NULL ? state : "", hash);
	session_binding(&flow->session, binding);
	store_take_state(flow->app->store, &flow->pg, hash, binding, flow->session.user_id);
}

/* What goes to the token endpoint: who we are, the code, and the verifier that only we know. */
static bool take_code(struct flow *flow, const struct oauth_credential *credential)
{
	const char *code = httpd_query(flow->http, "code");
	const struct seal_place place = oauth_start_place(flow->state.hash);
	struct fault fault;
	struct buf verifier;
	bool ok;

	if (code == NULL || strlen(code) > FLOW_CODE_MAX_BYTES) {
		return false;
	}
	buf_init(&verifier, SECRET_SIZE);
	ok = seal_open(flow->app->seal_keys, &place, flow->state.verifier, &verifier, &fault);
	if (ok) {
		oauth_code_body(&flow->body, &flow->app->oauth, credential, code,
				buf_string(&verifier));
	} else {
		log_fault(flow, "a sign-in's verifier does not open", &fault);
	}
	secret_buf_close(&verifier);
	return ok && !flow->body.failed;
}

static enum flow_step take_prove(struct flow *flow)
{
	struct oauth_credential credential;
	struct fault fault;
	enum flow_step next;

	if (client_auth_prove(&flow->app->auth, &flow->app->oauth, &credential, &fault)) {
		next = take_code(flow, &credential) ? FLOW_EXCHANGE : flow_fail(flow, TROUBLE_CODE);
	} else {
		log_fault(flow, "this application can't prove who it is", &fault);
		next = flow_fail(flow, TROUBLE_REGISTRATION);
	}
	oauth_credential_forget(&credential);
	return next;
}

static enum flow_step take_finish(struct flow *flow, const struct fault *fault)
{
	const char *error = httpd_query(flow->http, "error");

	if (fault->kind != FAULT_NONE) {
		log_fault(flow, "a sign-in's state could not be read", fault);
		return flow_fail(flow, TROUBLE_UNAVAILABLE);
	}
	if (!store_read_state(flow->pg.result, &flow->state)) {
		return flow_fail(flow, TROUBLE_STATE);
	}
	if (error != NULL) {
		return flow_fail(
		    flow, consent_error(error, httpd_query(flow->http, "error_description")));
	}
	return take_prove(flow);
}

/* exchange: the code becomes tokens */

static void exchange_start(struct flow *flow)
{
	buf_reset(&flow->url);
	oauth_token_url(&flow->url, &flow->app->oauth);
	flow->call = (struct http_request){
	    .method = "POST",
	    .url = buf_string(&flow->url),
	    .content_type = "application/x-www-form-urlencoded",
	    .body = buf_string(&flow->body),
	    .body_length = flow->body.length,
	    .done = on_flow_answer,
	};
	http_send(flow->app->http, &flow->call, FLOW_HTTP_MAX_MS);
}

static enum trouble exchange_trouble(const struct fault *fault)
{
	switch (fault->kind) {
	case FAULT_AUTH:
		return TROUBLE_CODE; /* expired, redeemed twice, another verifier */
	case FAULT_FATAL:
		return TROUBLE_REGISTRATION;
	default:
		return TROUBLE_MICROSOFT_DOWN;
	}
}

/* Microsoft's own time, where it says it: ours may be off by hours, and nobody shall be kept from
 * connecting by that. */
static int64_t exchange_now_s(const struct flow *flow)
{
	int64_t ours_ms = clock_wall_ms();
	int64_t theirs_s = curl_getdate(flow->call.reply.date, NULL);
	char words[SKEW_WORDS_SIZE];

	if (skew_is_off(flow->call.reply.date, ours_ms, words)) {
		log_warn("our clock differs from Microsoft's", LOG_TEXT("ours_is", words));
	}
	return theirs_s > 0 ? theirs_s : ours_ms / 1000;
}

static enum flow_step exchange_finish(struct flow *flow, const struct fault *fault)
{
	struct oauth_tokens *tokens = &flow->tokens;
	enum trouble trouble;
	struct fault why = *fault;

	if (fault->kind != FAULT_NONE || !oauth_answer(&flow->call.reply, tokens, &why)) {
		log_fault(flow, "Microsoft gave no tokens for a code", &why);
		return flow_fail(flow, exchange_trouble(&why));
	}
	if (tokens->id_token == NULL) {
		return flow_fail(flow, TROUBLE_IDENTITY);
	}
	trouble = consent_claims_read(tokens->id_token, &flow->app->oauth, flow->state.nonce,
				      exchange_now_s(flow), &flow->claims);
	if (trouble != TROUBLE_NONE) {
		return flow_fail(flow, trouble);
	}
	if (tokens->refresh_token == NULL || !consent_scopes_suffice(tokens->scope)) {
		return flow_fail(flow, TROUBLE_SCOPES);
	}
	return FLOW_WHO;
}

/* who: getUserInfo, the e-mail that the page shows */

static void graph_get(struct flow *flow, const char *path, int64_t deadline_ms)
{
	buf_reset(&flow->url);
	buf_format(&flow->url, "%s/v1.0%s", flow->app->config.graph_url, path);
	flow->call = (struct http_request){
	    .method = "GET",
	    .url = buf_string(&flow->url),
	    .authorization = buf_string(&flow->authorization),
	    .done = on_flow_answer,
	};
	http_send(flow->app->http, &flow->call, deadline_ms);
}

static void who_start(struct flow *flow)
{
	buf_format(&flow->authorization, "Bearer %s", flow->tokens.access_token);
	graph_get(flow, "/me", FLOW_HTTP_MAX_MS);
}

/* The first name that is one: mail, userPrincipalName, the id_token's own for the account. */
static void who_read_email(struct flow *flow, const struct http_reply *reply)
{
	static const char *const NAMES[] = {"mail", "userPrincipalName"};
	struct fault ignored; /* the name is for people: the id_token's will do */
	cJSON *me = NULL;
	const char *email = NULL;

	if (reply != NULL && reply->status == 200) {
		me = json_parse(buf_string(&reply->body), reply->body.length, FLOW_ME_MAX_BYTES,
				&ignored);
	}
	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES && email == NULL; i++) {
		const char *name = json_text(me, NAMES[i]);

		email = name != NULL ? text_or_null(name) : NULL;
	}
	utf8_copy(flow->email, sizeof flow->email, email != NULL ? email : flow->claims.username);
	cJSON_Delete(me);
}

/* What was granted; without a word of it, what was asked (RFC 6749 5.1). */
static void flow_scopes(const struct flow *flow, struct buf *out)
{
	if (flow->tokens.scope != NULL) {
		buf_text(out, flow->tokens.scope);
	} else {
		scope_write(out, flow->app->oauth.mailbox);
	}
}

static bool flow_may_read_zone(const struct flow *flow)
{
	struct buf scopes;
	bool may;

	buf_init(&scopes, FLOW_BODY_MAX_BYTES);
	flow_scopes(flow, &scopes);
	may = scope_mailbox_granted(buf_string(&scopes)) != SCOPE_MAILBOX_NONE;
	buf_close(&scopes);
	return may;
}

/* Graph that is down is no reason against connecting; an answer that refuses us is.  A 401 may
 * carry claims (continuous access evaluation): signing in again is what satisfies them. */
static enum flow_step who_finish(struct flow *flow, const struct fault *fault)
{
	bool answered = fault->kind == FAULT_NONE;
	int status = answered ? flow->call.reply.status : 0;

	if (status >= 300 && status < 500 && status != 429) {
		log_warn("Graph refused GET /me to fresh tokens", LOG_NUMBER("status", status),
			 LOG_TEXT("user", flow->session.user_id));
		return flow_fail(flow, status == 401 ? TROUBLE_CHALLENGED : TROUBLE_GRAPH);
	}
	who_read_email(flow, answered ? &flow->call.reply : NULL);
	if (flow->email[0] == '\0') {
		return flow_fail(flow, TROUBLE_MICROSOFT_DOWN);
	}
	return flow_may_read_zone(flow) ? FLOW_ZONE : FLOW_FIND;
}

/* zone: in which the mailbox's owner lives; what is stored stays where it can't be read */

static void zone_start(struct flow *flow)
{
	graph_get(flow, "/me/mailboxSettings", FLOW_ZONE_MAX_MS);
}

static enum flow_step zone_finish(struct flow *flow, const struct fault *fault)
{
	const struct http_reply *reply = &flow->call.reply;
	int status = fault->kind == FAULT_NONE ? reply->status : 0;
	struct fault ignored; /* what is no JSON names no zone */
	cJSON *settings = NULL;

	if (status == 200) {
		settings = json_parse(buf_string(&reply->body), reply->body.length,
				      FLOW_ME_MAX_BYTES, &ignored);
	}
	if (!zone_copy(flow->time_zone, json_text(settings, "timeZone"))) {
		log_warn("the mailbox's time zone could not be read", LOG_NUMBER("status", status),
			 LOG_TEXT("user", flow->session.user_id));
	}
	cJSON_Delete(settings);
	return FLOW_FIND;
}

/* find: is there a connection already, and to which mailbox? */

static void find_start(struct flow *flow)
{
	store_find_connection(flow->app->store, &flow->pg, flow->session.user_id,
			      flow->claims.tenant_id, flow->claims.account_id);
}

static bool flow_is_same_mailbox(const struct flow *flow)
{
	return flow->existing.id[0] != '\0' &&
	       strcmp(flow->existing.tenant_id, flow->claims.tenant_id) == 0 &&
	       strcmp(flow->existing.account_id, flow->claims.account_id) == 0;
}

static bool flow_has_replaced(const struct flow *flow)
{
	return flow->existing.id[0] != '\0' && !flow_is_same_mailbox(flow);
}

static enum flow_step find_again(struct flow *flow, const struct fault *fault)
{
	if (++flow->tries < FLOW_TRIES) {
		return FLOW_FIND;
	}
	log_fault(flow, "a connection could not be stored", fault);
	return flow_fail(flow, TROUBLE_UNAVAILABLE);
}

static enum flow_step find_finish(struct flow *flow, const struct fault *fault)
{
	struct uuid id;

	if (fault->kind != FAULT_NONE) {
		return find_again(flow, fault);
	}
	store_read_existing(flow->pg.result, &flow->existing);
	if (flow->existing.is_taken) {
		return flow_fail(flow, TROUBLE_TAKEN);
	}
	if (flow_is_same_mailbox(flow)) {
		memcpy(flow->connection_id, flow->existing.id, sizeof flow->connection_id);
		return FLOW_STORE;
	}
	if (strcmp(flow->existing.status, "disconnecting") == 0) {
		return flow_fail(flow, TROUBLE_DISCONNECTING);
	}
	id = uuid_random();
	uuid_format(&id, flow->connection_id);
	return FLOW_STORE;
}

/* store: sealed tokens and a full synchronisation, in one transaction */

static bool store_seal(struct flow *flow, const char *column, const char *token, struct buf *sealed)
{
	struct seal_place place = {"calendar_connections", flow->connection_id, column};
	struct fault fault;

	buf_init(sealed, FLOW_TOKEN_MAX_BYTES);
	if (!seal_close(flow->app->seal_keys, &place, token, sealed, &fault)) {
		log_fault(flow, "a token could not be sealed", &fault);
		buf_reset(sealed);
		return false;
	}
	return true;
}

static void store_start(struct flow *flow)
{
	struct buf access;
	struct buf refresh;
	struct buf scopes;
	struct store_connection connection = {
	    .id = flow->connection_id,
	    .user_id = flow->session.user_id,
	    .expires_in_s = flow->tokens.expires_in_s,
	    .email = flow->email,
	    .tenant_id = flow->claims.tenant_id,
	    .account_id = flow->claims.account_id,
	    .time_zone = text_or_null(flow->time_zone),
	    .replaces = flow->existing.id[0] != '\0' ? flow->existing.id : NULL,
	};

	buf_init(&scopes, FLOW_BODY_MAX_BYTES);
	flow_scopes(flow, &scopes);
	connection.scopes = buf_string(&scopes);
	/* not sealed is NULL, which no row takes: the statement then fails, and nothing is stored
	 */
	if (store_seal(flow, "access_token", flow->tokens.access_token, &access)) {
		connection.access_token = buf_string(&access);
	}
	if (store_seal(flow, "refresh_token", flow->tokens.refresh_token, &refresh)) {
		connection.refresh_token = buf_string(&refresh);
	}
	if (flow_is_same_mailbox(flow)) {
		store_keep_connection(flow->app->store, &flow->pg, &connection);
	} else {
		store_replace_connection(flow->app->store, &flow->pg, &connection);
	}
	buf_close(&access);
	buf_close(&refresh);
	buf_close(&scopes);
}

static enum flow_step store_finish(struct flow *flow, const struct fault *fault)
{
	if (fault->kind == FAULT_INPUT && strcmp(flow->pg.sqlstate, "23503") == 0) {
		return flow_fail(flow, TROUBLE_UNKNOWN_USER);
	}
	if (fault->kind == FAULT_NONE && store_read_connected(flow->pg.result)) {
		return FLOW_END;
	}
	return find_again(flow, fault); /* broken off, or another tab was faster */
}

static const struct {
	const char *name;
	void (*start)(struct flow *flow);
	enum flow_step (*finish)(struct flow *flow, const struct fault *fault);
} STEPS[] = {
    [FLOW_TAKE] = {"take", take_start, take_finish},
    [FLOW_EXCHANGE] = {"exchange", exchange_start, exchange_finish},
    [FLOW_WHO] = {"who", who_start, who_finish},
    [FLOW_ZONE] = {"zone", zone_start, zone_finish},
    [FLOW_FIND] = {"find", find_start, find_finish},
    [FLOW_STORE] = {"store", store_start, store_finish},
};

/* The redirect is the same for everybody; a cookie makes the page say what was replaced. */
static void flow_reply_connected(const struct flow *flow)
{
	if (flow_has_replaced(flow)) {
		httpd_reply_header(flow->http, "Set-Cookie",
				   flow->app->origin.is_secure ? PAGE_REPLACED "; Secure"
							       : PAGE_REPLACED);
	}
	reply_redirect(flow->http, 303, PAGE_PATH "?connected=1");
}

static void flow_end(struct flow *flow, enum flow_step last)
{
	const char *result = words_of(flow->trouble)->code;

	metric_add(flow->app->callbacks, (const char *const[]){result}, 1);
	log_info("sign-in finished", LOG_TEXT("user", flow->session.user_id),
		 LOG_TEXT("result", result), LOG_TEXT("step", STEPS[last].name));
	if (flow->trouble == TROUBLE_NONE) {
		flow_reply_connected(flow);
	} else {
		reply_trouble_redirect(flow->http, flow->trouble);
	}
	flow_free(flow);
}

static void flow_enter(struct flow *flow, enum flow_step step)
{
	enum flow_step last = flow->step;

	flow->step = step;
	if (step == FLOW_END) {
		flow_end(flow, last);
	} else {
		STEPS[step].start(flow);
	}
}

static void flow_resume(struct flow *flow, const struct fault *fault)
{
	flow_enter(flow, STEPS[flow->step].finish(flow, fault));
}

void oauth_flow_callback(struct httpd_request *request)
{
	const struct app *app = httpd_context(request);
	struct session session;
	struct flow *flow;

	if (consent_is_admins(httpd_query(request, "admin_consent"),
			      httpd_query(request, "state"))) {
		approval_answer(request);
		return;
	}
	if (!guard_session(request, &session)) {
		metric_add(app->callbacks, (const char *const[]){"signed_out"}, 1);
		return;
	}
	flow = flow_new(request, &session);
	if (flow != NULL) {
		flow->pg.done = on_flow_row;
		flow_enter(flow, FLOW_TAKE);
	}
}
