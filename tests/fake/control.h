/* control.h - the API by which tests set the scene and look behind it: /control/... */
#ifndef CALRELAY_FAKE_CONTROL_H
#define CALRELAY_FAKE_CONTROL_H

#include "common/httpd.h"
#include "tests/fake/control_events.h"

void control_put_account(struct httpd_request *request);
void control_get_accounts(struct httpd_request *request);
void control_get_categories(struct httpd_request *request);
void control_get_bodies(struct httpd_request *request);
void control_get_requests(struct httpd_request *request);
void control_get_stats(struct httpd_request *request);
void control_add_fault(struct httpd_request *request);
void control_clear_faults(struct httpd_request *request);
void control_set_latency(struct httpd_request *request);
void control_revoke(struct httpd_request *request);
void control_get_settings(struct httpd_request *request);
void control_set_settings(struct httpd_request *request);
void control_reset(struct httpd_request *request);

#define CONTROL_ROUTES                                                                             \
	{"PUT", "/control/accounts/*", control_put_account},                                       \
	    {"GET", "/control/accounts", control_get_accounts},                                    \
	    {"GET", "/control/bodies", control_get_bodies},                                        \
	    {"GET", "/control/categories", control_get_categories},                                \
	    {"GET", "/control/events", control_get_events},                                        \
	    {"POST", "/control/events/create", control_create_event},                              \
	    {"POST", "/control/events/update", control_update_event},                              \
	    {"POST", "/control/events/delete", control_delete_event},                              \
	    {"GET", "/control/requests", control_get_requests},                                    \
	    {"GET", "/control/stats", control_get_stats},                                          \
	    {"POST", "/control/faults", control_add_fault},                                        \
	    {"DELETE", "/control/faults", control_clear_faults},                                   \
	    {"POST", "/control/latency", control_set_latency},                                     \
	    {"POST", "/control/revoke", control_revoke},                                           \
	    {"GET", "/control/settings", control_get_settings},                                    \
	    {"POST", "/control/settings", control_set_settings},                                   \
	{                                                                                          \
		"POST", "/control/reset", control_reset                                            \
	}

#endif
