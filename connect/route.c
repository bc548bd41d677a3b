/* route.c - URL → handler. */
#include "connect/route.h"

#include "common/ops.h"
#include "connect/oauth_flow.h"
#include "connect/oauth_start.h"
#include "connect/page.h"
#include "connect/reply.h"
#include "connect/schedule.h"
#include "connect/signin.h"

static void route_home(struct httpd_request *request)
{
	reply_redirect(request, 303, PAGE_PATH);
}

/* clang-format off */
const struct httpd_route ROUTES[] = {
	{"GET", "/", route_home},
	{"GET", PAGE_PATH, schedule_page},
	{"GET", PAGE_CSS_PATH, reply_css},
	{"GET", PAGE_JS_PATH, reply_js},
	{"POST", "/session", signin_post},
	{"GET", "/session", signin_link},
	{"GET", "/api/auth/microsoft", oauth_start},
	{"GET", "/api/auth/microsoft/callback", oauth_flow_callback},
	{"GET", "/api/calendar/connection", schedule_connection},
	{"POST", "/api/calendar/sync", schedule_sync},
	{"POST", "/api/calendar/disconnect", schedule_disconnect},
	{"GET", "/api/calendar/requests/*", schedule_request},
	OPS_ROUTES,
};
/* clang-format on */

const size_t ROUTE_COUNT = sizeof ROUTES / sizeof *ROUTES;
