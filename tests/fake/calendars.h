/* calendars.h - the month view of all people's calendars, a page to look at. */
#ifndef CALRELAY_FAKE_CALENDARS_H
#define CALRELAY_FAKE_CALENDARS_H

#include "common/httpd.h"

void calendars_handle(
    struct httpd_request *request); /* GET /calendars?month=YYYY-MM&person=EMAIL */

#endif
