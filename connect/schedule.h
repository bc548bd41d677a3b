/* schedule.h - the handlers of My Schedule: the page, its JSON, sync now, disconnect. */
#ifndef CALRELAY_CONNECT_SCHEDULE_H
#define CALRELAY_CONNECT_SCHEDULE_H

#include "common/httpd.h"

void schedule_page(struct httpd_request *request);	 /* GET /my-schedule */
void schedule_connection(struct httpd_request *request); /* GET /api/calendar/connection */
void schedule_request(struct httpd_request *request);	 /* GET /api/calendar/requests/{id} */
void schedule_sync(struct httpd_request *request);	 /* POST /api/calendar/sync */
void schedule_disconnect(struct httpd_request *request); /* POST /api/calendar/disconnect */

#endif
