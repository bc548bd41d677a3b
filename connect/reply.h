/* reply.h - connect's answers: pages, JSON, redirects, each with the headers that protect it. */
#ifndef CALRELAY_CONNECT_REPLY_H
#define CALRELAY_CONNECT_REPLY_H

#include "common/buf.h"
#include "common/httpd.h"
#include "connect/words.h"

void reply_page(struct httpd_request *request, int status, const struct buf *html);
void reply_json(struct httpd_request *request, int status, const struct buf *json);
void reply_css(struct httpd_request *request);
void reply_js(struct httpd_request *request);

/* 303, or 302 to Microsoft.  No Referer goes to where it leads. */
void reply_redirect(struct httpd_request *request, int status, const char *location);

/* What went wrong, as JSON under /api/calendar/, as a page elsewhere. */
void reply_trouble(struct httpd_request *request, enum trouble trouble);

/* 303 to My Schedule with ?error=. */
void reply_trouble_redirect(struct httpd_request *request, enum trouble trouble);

#endif
