/* guard.h - who is asking, and whether a request that changes something is really theirs. */
#ifndef CALRELAY_CONNECT_GUARD_H
#define CALRELAY_CONNECT_GUARD_H

#include <stdbool.h>

#include "connect/app.h"
#include "connect/session.h"

/* The Bearer token's user, or the cookie's; a Bearer token that is no good is not made good by a
 * cookie.  False after answering 401. */
bool guard_session(struct httpd_request *request, struct session *session) MUST_CHECK;

/* For requests that change something: a cookie, which browsers send along with anybody's form,
 * needs our Origin and the session's CSRF token as well.  False after answering 401 or 403. */
bool guard_change(struct httpd_request *request, struct session *session) MUST_CHECK;

/* The token of `Authorization: Bearer <token>`, or NULL. */
const char *guard_bearer(const struct httpd_request *request);

/* A browser's form, which wants a page back and not JSON. */
bool guard_is_form(const struct httpd_request *request, const struct session *session);

#endif
