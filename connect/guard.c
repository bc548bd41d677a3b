/* guard.c - Bearer tokens, session cookies, Origin and CSRF checks. */
#include "connect/guard.h"

#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "connect/reply.h"

const char *guard_bearer(const struct httpd_request *request)
{
	static const char SCHEME[] = "Bearer ";
	const char *header = httpd_header(request, "Authorization");

	if (header == NULL || strncasecmp(header, SCHEME, sizeof SCHEME - 1) != 0) {
		return NULL;
	}
	header += sizeof SCHEME - 1;
	return header + strspn(header, " ");
}

static bool guard_read(struct httpd_request *request, struct session *session)
{
	const struct app *app = httpd_context(request);
	const char *bearer = guard_bearer(request);
	const char *cookie = httpd_cookie(request, app->origin.is_secure ? SESSION_COOKIE_SECURE
									 : SESSION_COOKIE_LOCAL);
	int64_t now_s = clock_wall_ms() / 1000;
	struct identity identity;
	struct fault why; /* not told: it would help only whoever forges one */

	if (bearer != NULL) {
		if (!identity_read(app->identity_key, bearer, now_s, &identity, &why)) {
			return false;
		}
		session_bearer(session, &identity);
		return true;
	}
	return cookie != NULL && session_open(session, app->seal_keys, cookie, now_s, &why);
}

bool guard_session(struct httpd_request *request, struct session *session)
{
	if (!guard_read(request, session)) {
		reply_trouble(request, TROUBLE_SIGNED_OUT);
		return false;
	}
	return true;
}

static const char *guard_csrf_token(struct httpd_request *request)
{
	const char *field = httpd_form(request, "csrf");

	return field != NULL ? field : httpd_header(request, "X-CSRF-Token");
}

bool guard_change(struct httpd_request *request, struct session *session)
{
	const struct app *app = httpd_context(request);

	if (!guard_session(request, session)) {
		return false;
	}
	if (session_is_bearer(session)) {
		return true;
	}
	if (!origin_is_own(&app->origin, httpd_header(request, "Origin"),
			   httpd_header(request, "Sec-Fetch-Site"),
			   httpd_header(request, "Host")) ||
	    !session_csrf_matches(session, guard_csrf_token(request))) {
		reply_trouble(request, TROUBLE_FORBIDDEN);
		return false;
	}
	return true;
}

bool guard_is_form(const struct httpd_request *request, const struct session *session)
{
	static const char FORM[] = "application/x-www-form-urlencoded";
	const char *type = httpd_header(request, "Content-Type");

	return !session_is_bearer(session) && type != NULL &&
	       strncasecmp(type, FORM, sizeof FORM - 1) == 0;
}
