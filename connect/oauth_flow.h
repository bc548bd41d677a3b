/* oauth_flow.h - the OAuth callback: back from Microsoft with a code. */
#ifndef CALRELAY_CONNECT_OAUTH_FLOW_H
#define CALRELAY_CONNECT_OAUTH_FLOW_H

#include "common/httpd.h"

void oauth_flow_callback(struct httpd_request *request); /* GET /api/auth/microsoft/callback */

#endif
