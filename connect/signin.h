/* signin.h - POST /session and GET /session?token=: the host's JWT becomes our session cookie. */
#ifndef CALRELAY_CONNECT_SIGNIN_H
#define CALRELAY_CONNECT_SIGNIN_H

#include "common/httpd.h"

/* The JWT as form field `token`, as JSON {"token": …}, or as a Bearer token. */
void signin_post(struct httpd_request *request);

/* For links from the host's page: takes only a JWT with at most SESSION_LINK_MAX_S left, because a
 * URL is easily kept. */
void signin_link(struct httpd_request *request);

#endif
