/* approval.h - where an administrator who was asked to approve us comes back to.
 *
 * It proves nothing and changes nothing: anybody can call that address.  Whether the organisation
 * has approved us, the next sign-in shows. */
#ifndef CALRELAY_CONNECT_APPROVAL_H
#define CALRELAY_CONNECT_APPROVAL_H

#include "common/httpd.h"

void approval_answer(struct httpd_request *request);

#endif
