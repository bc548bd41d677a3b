/* entra.h - the HTTP side of identity: /{tenant}/... */
#ifndef CALRELAY_FAKE_ENTRA_H
#define CALRELAY_FAKE_ENTRA_H

#include "common/httpd.h"

void entra_handle(struct httpd_request *request); /* any path that no other route takes */

#endif
