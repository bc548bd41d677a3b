/* http.h - libcurl on the loop: one request, one callback.
 *
 * https only, or plain http to a loopback address; peer and host verified, by SSL_CERT_FILE where
 * it is set, otherwise by the system's certificates; redirects are not followed; no .netrc, no
 * proxy from the environment.  HTTP/2 where it is offered, many requests on one connection. */
#ifndef CALRELAY_COMMON_HTTP_H
#define CALRELAY_COMMON_HTTP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/fault.h"
#include "common/loop.h"

#define HTTP_REPLY_MAX_BYTES (8u << 20)

struct http; /* the multi handle */

struct http_reply {
	int status;		     /* HTTP status */
	int64_t retry_after_ms;	     /* from Retry-After in any of its forms; -1 where absent */
	char www_authenticate[1024]; /* "" where absent */
	char request_id[64];	     /* Microsoft's request-id, for people; "" where absent */
	char date[64];		     /* as the server has it; "" where absent */
	struct buf body;
};

struct http_request {
	const char *method; /* "GET", "POST", ... */
	const char *url;
	const char *content_type;  /* NULL: no body */
	const char *authorization; /* the whole header value, or NULL; never logged */
	const char *prefer;	   /* Prefer header or NULL */
	const char *body;
	size_t body_length;
	void (*done)(struct http_request *request);
	/* NULL, or asked each time right before the request is written: when there is a connection
	 * for it, and again where a kept connection broke without an answer and curl writes it once
	 * more.  false: it is not written (again) and answers FAULT_RETRY.  Must not call http.
	 * Source: CURLOPT_PREREQFUNCTION(3). */
	bool (*may_send)(struct http_request *request);

	/* valid inside done only */
	struct fault fault; /* FAULT_RETRY where no HTTP answer came (unreachable, timed out, too
			     * large, cut short); any HTTP status at all is FAULT_NONE */
	struct http_reply reply;

	struct http_transfer *transfer; /* http's own */
};

struct http *http_new(struct loop *loop, const char *user_agent);

/* Calls request->done exactly once, from the loop, never before this returns.  Borrows the request
 * and all it points to until then.  deadline_ms is from now, for the whole exchange. */
void http_send(struct http *http, struct http_request *request, int64_t deadline_ms);

/* Every request under way answers FAULT_RETRY; then memory goes. */
void http_free(struct http *http);

/* Retry-After as seconds, decimals, an HTTP date or "10,10": milliseconds from now, at least 0, or
 * -1 where it can't be read.  Clamped to one hour. Source: RFC 9110 10.2.3 and Graph's practice. */
int64_t http_retry_after_ms(const char *value, int64_t wall_ms);

/* Percent-encodes one path segment or form value: everything but A-Z a-z 0-9 - . _ ~ */
void http_encode(struct buf *out, const char *text);

#endif
