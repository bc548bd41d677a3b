/* signin.c - hands out session cookies. */
#include "connect/signin.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "connect/guard.h"
#include "connect/page.h"
#include "connect/reply.h"

#define SIGNIN_BODY_MAX_BYTES 16384

/* The cookie on the answer; false where the system can't make one. */
static bool signin_set_cookie(struct httpd_request *request, const struct identity *identity,
			      int64_t now_s)
{
	const struct app *app = httpd_context(request);
	struct session session;
	struct fault fault;
	struct buf value;
	struct buf cookie;
	bool ok;

	buf_init(&value, SESSION_COOKIE_MAX);
	buf_init(&cookie, SESSION_COOKIE_MAX + 256);
	ok = session_begin(&session, identity, now_s, &fault) &&
	     session_seal(&session, app->seal_keys, &value, &fault);
	if (ok) {
		session_set_cookie(&cookie, buf_string(&value), app->origin.is_secure,
				   session.expires_s - now_s);
		httpd_reply_header(request, "Set-Cookie", buf_string(&cookie));
	} else {
		log_error("no session could be made", LOG_TEXT("error", fault.what));
	}
	buf_close(&value);
	buf_close(&cookie);
	return ok;
}

static void signin_with(struct httpd_request *request, const char *token, int64_t most_left_s)
{
	const struct app *app = httpd_context(request);
	int64_t now_s = clock_wall_ms() / 1000;
	struct identity identity;
	struct fault why;

	if (token == NULL || !identity_read(app->identity_key, token, now_s, &identity, &why) ||
	    identity.expires_s - now_s > most_left_s) {
		reply_trouble(request, TROUBLE_SIGNED_OUT);
	} else if (!signin_set_cookie(request, &identity, now_s)) {
		reply_trouble(request, TROUBLE_OTHER);
	} else {
		reply_redirect(request, 303, PAGE_PATH);
	}
}

void signin_post(struct httpd_request *request)
{
	const char *token = httpd_form(request, "token");
	struct fault ignored; /* no JSON is the same as no token */
	size_t length;
	const char *body = httpd_body(request, &length);
	cJSON *document = NULL;

	if (token == NULL) {
		token = guard_bearer(request);
	}
	if (token == NULL) {
		document = json_parse(body, length, SIGNIN_BODY_MAX_BYTES, &ignored);
		token = json_text(document, "token");
	}
	signin_with(request, token, INT64_MAX);
	cJSON_Delete(document);
}

void signin_link(struct httpd_request *request)
{
	signin_with(request, httpd_query(request, "token"), SESSION_LINK_MAX_S);
}
