/* oauth_flow.h - the OAuth routes: off to Microsoft, and back with a code. */
#ifndef CALRELAY_CONNECT_OAUTH_FLOW_H
#define CALRELAY_CONNECT_OAUTH_FLOW_H

#include "common/httpd.h"

void oauth_flow_start(struct httpd_request *request);	 /* GET /api/auth/microsoft */
void oauth_flow_callback(struct httpd_request *request); /* GET /api/auth/microsoft/callback */

#endif
