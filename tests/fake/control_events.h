/* control_events.h - the control API's view of a calendar, and what a person does to it by hand. */
#ifndef CALRELAY_FAKE_CONTROL_EVENTS_H
#define CALRELAY_FAKE_CONTROL_EVENTS_H

#include "common/httpd.h"

void control_get_events(struct httpd_request *request);
void control_create_event(struct httpd_request *request);
void control_update_event(struct httpd_request *request);
void control_delete_event(struct httpd_request *request);

#endif
