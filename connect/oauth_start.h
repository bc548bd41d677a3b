/* oauth_start.h - GET /api/auth/microsoft: off to Microsoft's sign-in, and what we remember of it.
 *
 * Answers 302 to Microsoft, or 303 to My Schedule with what went wrong. */
#ifndef CALRELAY_CONNECT_OAUTH_START_H
#define CALRELAY_CONNECT_OAUTH_START_H

#include "common/httpd.h"
#include "common/seal.h"

void oauth_start(struct httpd_request *request);

/* Where a sign-in's verifier is sealed to; borrows the state's hash. */
struct seal_place oauth_start_place(const char *hash);

#endif
