/* control_reply.h - what all handlers of the control API share: bodies in, answers out. */
#ifndef CALRELAY_FAKE_CONTROL_REPLY_H
#define CALRELAY_FAKE_CONTROL_REPLY_H

#include <cjson/cJSON.h>

#include "common/httpd.h"
#include "tests/fake/account.h"
#include "tests/fake/problem.h"

void control_ok(struct httpd_request *request); /* {} */
void control_refuse(struct httpd_request *request, const struct problem *problem);

/* The body's object, {} where there is none; NULL where the client has been refused. */
cJSON *control_body(struct httpd_request *request);

/* NULL where the client has been refused: no account of that address. */
struct account *control_account(struct httpd_request *request, const char *email);

#endif
