/* httpd.h - the small HTTP server in every program: /metrics, probes, connect, the fake.
 *
 * libmicrohttpd without threads: its epoll descriptor is watched by the loop.  A handler may answer
 * at once or later; until it answers the connection is suspended.  Requests whose head or body is
 * not complete within 60 s are cut off. */
#ifndef CALRELAY_COMMON_HTTPD_H
#define CALRELAY_COMMON_HTTPD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/fault.h"
#include "common/loop.h"

struct httpd;
struct httpd_request; /* one exchange: lives from the handler's call until httpd_reply */

struct httpd_route {
	const char *method; /* "GET" also serves HEAD; NULL: any */
	const char *path;   /* exact, or ending in a slash and a star: that prefix */
	void (*handle)(struct httpd_request *request);
};

struct httpd_settings {
	const char *listen;		  /* "127.0.0.1:8080", "[::1]:0", "0.0.0.0:9401" */
	const struct httpd_route *routes; /* first match wins; borrowed */
	size_t route_count;
	size_t body_max_bytes; /* larger: 413 */
	void *context;	       /* httpd_context in handlers */
	/* Called after each answer, for metrics and access logs; may be NULL. */
	void (*answered)(struct httpd_request *request, int status);
};

/* NULL with FAULT_FATAL where the address is malformed or taken. */
struct httpd *httpd_new(struct loop *loop, const struct httpd_settings *settings,
			struct fault *fault) MUST_CHECK;
int httpd_port(const struct httpd *httpd); /* the real one, for port 0 */

/* Open requests are cut off, those that wait for their handler with a 503: what could still answer
 * them (pg_free, http_free) has to end before.  Not from inside a handler. */
void httpd_free(struct httpd *httpd);

/* A path known with another method answers 405 with Allow, an unknown path 404, by itself. */

void *httpd_context(const struct httpd_request *request);
const char *httpd_method(const struct httpd_request *request);
const char *httpd_path(const struct httpd_request *request); /* decoded, without the query */
const char *
httpd_route_path(const struct httpd_request *request); /* the route's own text: bounded */
const char *httpd_query(const struct httpd_request *request,
			const char *name); /* decoded or NULL */
void httpd_query_each(const struct httpd_request *request,
		      void (*each)(void *context, const char *name, const char *value),
		      void *context);
const char *httpd_header(const struct httpd_request *request, const char *name); /* or NULL */
const char *httpd_cookie(const struct httpd_request *request, const char *name); /* or NULL */
const char *httpd_body(const struct httpd_request *request, size_t *length);

/* A field of an application/x-www-form-urlencoded body, decoded; NULL where absent or of another
 * content type. */
const char *httpd_form(struct httpd_request *request, const char *name);

/* The caller's own pointer, carried from handler to callback. */
void httpd_set_data(struct httpd_request *request, void *data);
void *httpd_data(const struct httpd_request *request);

/* Headers first, then exactly one reply, at once or later.  body is copied. */
void httpd_reply_header(struct httpd_request *request, const char *name, const char *value);
void httpd_reply(struct httpd_request *request, int status, const char *content_type,
		 const char *body, size_t length);
void httpd_reply_text(struct httpd_request *request, int status, const char *text);
void httpd_redirect(struct httpd_request *request, int status, const char *location);

/* Instead of a reply: closes the connection without one, as a network that fails does. */
void httpd_cut(struct httpd_request *request);

#endif
