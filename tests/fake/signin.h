/* signin.h - the sign-in page: who are you, and may the application do this? */
#ifndef CALRELAY_FAKE_SIGNIN_H
#define CALRELAY_FAKE_SIGNIN_H

#include "common/httpd.h"

void signin_handle(struct httpd_request *request, const char *tenant);

/* May it do this for everybody?  The administrator's page. */
void signin_approve(struct httpd_request *request, const char *tenant);

#endif
