/* reply.c - headers and bodies of connect's answers. */
#include "connect/reply.h"

#include <string.h>

#include "connect/api.h"
#include "connect/app.h"
#include "connect/page.h"

/* Our one stylesheet and our one script, which asks nobody but us; forms only to ourselves; only
 * whom the operator named may frame the page (click-jacking). */
static const char POLICY[] = "default-src 'none'; script-src 'self'; style-src 'self'; "
			     "connect-src 'self'; form-action 'self'; base-uri 'none'; "
			     "frame-ancestors ";
#define POLICY_MAX_BYTES (sizeof POLICY + FRAMES_SIZE)

static const char PERMISSIONS[] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";

static void reply_protect(struct httpd_request *request, const char *referrer_policy)
{
	httpd_reply_header(request, "Cache-Control", "no-store");
	httpd_reply_header(request, "X-Content-Type-Options", "nosniff");
	httpd_reply_header(request, "Referrer-Policy", referrer_policy);
	httpd_reply_header(request, "Permissions-Policy", PERMISSIONS);
	httpd_reply_header(request, "Vary", "Authorization, Cookie");
}

/* same-origin and not no-referrer: under the latter browsers send `Origin: null` with our forms. */
void reply_page(struct httpd_request *request, int status, const struct buf *html)
{
	const struct app *app = httpd_context(request);
	struct buf policy;

	buf_init(&policy, POLICY_MAX_BYTES);
	buf_format(&policy, "%s%s", POLICY, app->frames.ancestors);
	reply_protect(request, "same-origin");
	httpd_reply_header(request, "Content-Security-Policy", buf_string(&policy));
	if (!app->frames.is_allowed) {
		httpd_reply_header(request, "X-Frame-Options", "DENY"); /* it knows no lists */
	}
	buf_close(&policy);
	httpd_reply(request, status, "text/html; charset=utf-8", buf_string(html),
		    html->failed ? 0 : html->length);
}

void reply_json(struct httpd_request *request, int status, const struct buf *json)
{
	reply_protect(request, "no-referrer");
	httpd_reply(request, status, "application/json", buf_string(json),
		    json->failed ? 0 : json->length);
}

static void reply_asset(struct httpd_request *request, const char *type, const char *text)
{
	httpd_reply_header(request, "Cache-Control", "public, max-age=300");
	httpd_reply_header(request, "X-Content-Type-Options", "nosniff");
	httpd_reply(request, 200, type, text, strlen(text));
}

void reply_css(struct httpd_request *request)
{
	reply_asset(request, "text/css; charset=utf-8", page_css);
}

void reply_js(struct httpd_request *request)
{
	reply_asset(request, "text/javascript; charset=utf-8", page_js);
}

void reply_redirect(struct httpd_request *request, int status, const char *location)
{
	reply_protect(request, "no-referrer");
	httpd_redirect(request, status, location);
}

void reply_trouble(struct httpd_request *request, enum trouble trouble)
{
	static const char API[] = "/api/calendar/";
	int status = words_of(trouble)->status;
	struct buf body;

	buf_init(&body, PAGE_MAX_BYTES);
	if (status == 401) {
		httpd_reply_header(request, "WWW-Authenticate", "Bearer");
	} else if (status == 503) {
		httpd_reply_header(request, "Retry-After", "5");
	}
	if (strncmp(httpd_route_path(request), API, sizeof API - 1) == 0) {
		api_trouble(&body, trouble);
		reply_json(request, status, &body);
	} else {
		page_trouble(&body, trouble);
		reply_page(request, status, &body);
	}
	buf_close(&body);
}

void reply_trouble_redirect(struct httpd_request *request, enum trouble trouble)
{
	struct buf location;

	buf_init(&location, 256);
	buf_format(&location, PAGE_PATH "?error=%s", words_of(trouble)->code);
	reply_redirect(request, 303, buf_string(&location));
	buf_close(&location);
}
