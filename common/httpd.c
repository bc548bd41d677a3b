/* httpd.c - libmicrohttpd on the uv loop, without a thread.
 *
 * The life of a request: head (on_access, first call) ─▶ body (on_access with data) ─▶ handler ─▶
 * [suspended until httpd_reply] ─▶ answer queued ─▶ on_completed frees it. */
#include "common/httpd.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/address.h"
#include "common/cutoff.h"
#include "common/form.h"

#define HTTPD_CONNECTIONS_MAX	8192u
#define HTTPD_CONNECTION_BYTES	(32u << 10) /* head of a request; more answers 431 */
#define HTTPD_REPLY_HEADERS_MAX 16

struct httpd_request {
	struct httpd *httpd;
	struct MHD_Connection *connection;
	const struct httpd_route *route;
	const char *method;
	char *path;
	struct buf body;
	struct form form; /* made on demand */
	void *data;
	struct MHD_Response *response;
	const char *header_names[HTTPD_REPLY_HEADERS_MAX];
	char *header_values[HTTPD_REPLY_HEADERS_MAX];
	int header_count;
	int status;
	bool is_suspended;
	bool is_dispatched;
	bool is_cut;		    /* no answer will come: the connection closes */
	struct httpd_request *next; /* among the suspended */
	struct httpd_request *previous;
};

struct httpd {
	struct loop *loop;
	struct httpd_settings settings;
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
	uv_timer_t timer;
	struct cutoff cutoff;
	struct loop_call run;
	bool run_due;
	bool is_stopping;
	int open_handles;
	struct httpd_request *suspended;
};

/* ---- driving libmicrohttpd ---- */

static void httpd_run_later(struct httpd *httpd);

static void on_due(uv_timer_t *timer)
{
	httpd_run_later(container_of(timer, struct httpd, timer));
}

static void on_run(struct loop_call *call)
{
	struct httpd *httpd = container_of(call, struct httpd, run);
	MHD_UNSIGNED_LONG_LONG timeout_ms;

	httpd->run_due = false;
	if (httpd->daemon == NULL) {
		return; /* freed since */
	}
	MHD_run(httpd->daemon);
	if (MHD_get_timeout(httpd->daemon, &timeout_ms) == MHD_YES) {
		uv_timer_start(&httpd->timer, on_due, timeout_ms, 0);
	} else {
		uv_timer_stop(&httpd->timer);
	}
}

static void httpd_run_later(struct httpd *httpd)
{
	if (!httpd->run_due) {
		httpd->run_due = true;
		loop_defer(httpd->loop, &httpd->run, on_run);
	}
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	httpd_run_later(container_of(poll, struct httpd, poll));
}

/* ---- one request ---- */

static bool route_has_path(const struct httpd_route *route, const char *path)
{
	size_t length = strlen(route->path);

	if (length >= 2 && strcmp(route->path + length - 2, "/*") == 0) {
		return strncmp(route->path, path, length - 1) == 0;
	}
	return strcmp(route->path, path) == 0;
}

static bool route_has_method(const struct httpd_route *route, const char *method)
{
	return route->method == NULL || strcmp(route->method, method) == 0 ||
	       (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

/* What no handler has answered. */
static void request_refuse(struct httpd_request *request, int status, const char *text)
{
	httpd_reply_header(request, "Cache-Control", "no-store");
	httpd_reply_header(request, "X-Content-Type-Options", "nosniff");
	httpd_reply_text(request, status, text);
}

static void request_refuse_method(struct httpd_request *request)
{
	const struct httpd_settings *settings = &request->httpd->settings;
	struct buf allowed;

	buf_init(&allowed, 256);
	for (size_t i = 0; i < settings->route_count; i++) {
		const struct httpd_route *route = &settings->routes[i];

		if (route_has_path(route, request->path) && route->method != NULL) {
			buf_format(&allowed, "%s%s", allowed.length > 0 ? ", " : "", route->method);
		}
	}
	if (allowed.length > 0) {
		httpd_reply_header(request, "Allow", buf_string(&allowed));
		request_refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed\n");
	} else {
		request_refuse(request, MHD_HTTP_NOT_FOUND, "not found\n");
	}
	buf_close(&allowed);
}

static void request_dispatch(struct httpd_request *request)
{
	const struct httpd_settings *settings = &request->httpd->settings;

	request->is_dispatched = true;
	cutoff_mark(request->connection, true);
	if (request->httpd->is_stopping) {
		request_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "stopping\n");
		return;
	}
	if (request->body.failed) {
		request_refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large\n");
		return;
	}
	/* two lengths: a proxy before us may have read another end of it (RFC 9112 6.1) */
	if (httpd_header(request, "Transfer-Encoding") != NULL &&
	    httpd_header(request, "Content-Length") != NULL) {
		httpd_reply_header(request, "Connection", "close");
		httpd_reply_text(request, MHD_HTTP_BAD_REQUEST, "two lengths of one body\n");
		return;
	}
	for (size_t i = 0; i < settings->route_count; i++) {
		const struct httpd_route *route = &settings->routes[i];

		if (route_has_path(route, request->path) &&
		    route_has_method(route, request->method)) {
			request->route = route;
			route->handle(request);
			return;
		}
	}
	request_refuse_method(request);
}

static enum MHD_Result request_queue_reply(struct httpd_request *request)
{
	enum MHD_Result queued =
	    MHD_queue_response(request->connection, (unsigned)request->status, request->response);

	MHD_destroy_response(request->response);
	request->response = NULL;
	return queued;
}

static struct httpd_request *request_new(struct httpd *httpd, struct MHD_Connection *connection,
					 const char *path, const char *method)
{
	static const char *const METHODS[] = {"GET",   "HEAD",	 "POST",   "PUT",
					      "PATCH", "DELETE", "OPTIONS"};
	struct httpd_request *request = calloc(1, sizeof *request);

	if (request == NULL) {
		return NULL;
	}
	request->httpd = httpd;
	request->connection = connection;
	request->method = "OTHER";
	for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++) {
		if (strcmp(METHODS[i], method) == 0) {
			request->method = METHODS[i];
		}
	}
	request->path = strdup(path);
	if (request->path == NULL) {
		free(request);
		return NULL;
	}
	buf_init(&request->body, httpd->settings.body_max_bytes);
	return request;
}

static void request_suspend(struct httpd_request *request)
{
	request->is_suspended = true;
	request->next = request->httpd->suspended;
	if (request->next != NULL) {
		request->next->previous = request;
	}
	request->httpd->suspended = request;
	MHD_suspend_connection(request->connection);
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are what libmicrohttpd calls with */
static enum MHD_Result on_access(void *context, struct MHD_Connection *connection, const char *path,
				 const char *method, const char *version, const char *data,
				 size_t *data_length, void **request_context)
{
	struct httpd *httpd = context;
	struct httpd_request *request = *request_context;

	(void)version;
	if (request == NULL) {
		request = request_new(httpd, connection, path, method);
		*request_context = request;
		return request != NULL ? MHD_YES : MHD_NO;
	}
	if (*data_length > 0) {
		buf_add(&request->body, data, *data_length); /* past the ceiling it only fails */
		*data_length = 0;
		return MHD_YES;
	}
	if (!request->is_dispatched) {
		request_dispatch(request);
		if (request->response == NULL && !request->is_cut) {
			request_suspend(request);
			return MHD_YES;
		}
	}
	return request->response != NULL ? request_queue_reply(request) : MHD_NO;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request_context,
			 enum MHD_RequestTerminationCode code)
{
	struct httpd_request *request = *request_context;

	(void)context;
	(void)connection;
	(void)code;
	if (request == NULL) {
		return;
	}
	cutoff_mark(request->connection, false);
	if (request->response != NULL) {
		MHD_destroy_response(request->response);
	}
	for (int i = 0; i < request->header_count; i++) {
		free(request->header_values[i]);
	}
	buf_close(&request->body);
	form_close(&request->form);
	free(request->path);
	free(request);
	*request_context = NULL;
}

/* ---- start and end ---- */

static void httpd_watch(struct httpd *httpd)
{
	const union MHD_DaemonInfo *info =
	    MHD_get_daemon_info(httpd->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	uv_poll_init(&httpd->loop->uv, &httpd->poll, info->epoll_fd);
	uv_poll_start(&httpd->poll, UV_READABLE, on_readable);
	uv_timer_init(&httpd->loop->uv, &httpd->timer);
	cutoff_init(&httpd->cutoff, httpd->loop);
	httpd->open_handles = 3;
	httpd_run_later(httpd);
}

struct httpd *httpd_new(struct loop *loop, const struct httpd_settings *settings,
			struct fault *fault)
{
	struct sockaddr_storage address;
	struct httpd *httpd;
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;

	if (!address_resolve(settings->listen, &address, fault)) {
		return NULL;
	}
	httpd = calloc(1, sizeof *httpd);
	if (httpd == NULL) {
		fault_fatal(fault, "out of memory");
		return NULL;
	}
	httpd->loop = loop;
	httpd->settings = *settings;
	flags |= address.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0;
	httpd->daemon = MHD_start_daemon(
	    flags, 0, NULL, NULL, on_access, httpd, MHD_OPTION_SOCK_ADDR, &address,
	    MHD_OPTION_CONNECTION_LIMIT, HTTPD_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
	    CUTOFF_WITHIN_MS / 1000, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)HTTPD_CONNECTION_BYTES, MHD_OPTION_NOTIFY_CONNECTION, cutoff_on_connection,
	    &httpd->cutoff, MHD_OPTION_NOTIFY_COMPLETED, on_completed, httpd, MHD_OPTION_END);
	if (httpd->daemon == NULL) {
		fault_fatal(fault, "CALRELAY_HTTP_LISTEN: can't listen on %.60s: is it taken?",
			    settings->listen);
		free(httpd);
		return NULL;
	}
	httpd_watch(httpd);
	return httpd;
}

int httpd_port(const struct httpd *httpd)
{
	return MHD_get_daemon_info(httpd->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

static void on_last_run(struct loop_call *call)
{
	free(container_of(call, struct httpd, run));
}

static void httpd_handle_closed(struct httpd *httpd)
{
	if (--httpd->open_handles > 0) {
		return;
	}
	if (httpd->run_due) {
		httpd->run.fn = on_last_run; /* a call that waits must not outlive its memory */
	} else {
		free(httpd);
	}
}

static void on_poll_closed(uv_handle_t *handle)
{
	httpd_handle_closed(container_of(handle, struct httpd, poll));
}

static void on_timer_closed(uv_handle_t *handle)
{
	httpd_handle_closed(container_of(handle, struct httpd, timer));
}

static void on_sweep_closed(uv_handle_t *handle)
{
	httpd_handle_closed(container_of(handle, struct httpd, cutoff.sweep));
}

void httpd_free(struct httpd *httpd)
{
	/* libmicrohttpd may not be stopped while a connection is suspended, not even by one that
	 * comes in while the others get their answer */
	httpd->is_stopping = true;
	while (httpd->suspended != NULL) {
		request_refuse(httpd->suspended, MHD_HTTP_SERVICE_UNAVAILABLE, "stopping\n");
	}
	uv_poll_stop(&httpd->poll);
	MHD_run(httpd->daemon);
	MHD_stop_daemon(httpd->daemon);
	httpd->daemon = NULL;
	uv_close((uv_handle_t *)&httpd->poll, on_poll_closed);
	uv_close((uv_handle_t *)&httpd->timer, on_timer_closed);
	uv_close((uv_handle_t *)&httpd->cutoff.sweep, on_sweep_closed);
}

/* ---- what handlers read ---- */

void *httpd_context(const struct httpd_request *request)
{
	return request->httpd->settings.context;
}

const char *httpd_method(const struct httpd_request *request)
{
	return request->method;
}

const char *httpd_path(const struct httpd_request *request)
{
	return request->path;
}

const char *httpd_route_path(const struct httpd_request *request)
{
	return request->route != NULL ? request->route->path : "other";
}

const char *httpd_query(const struct httpd_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

struct query_walk {
	void (*each)(void *context, const char *name, const char *value);
	void *context;
};

static enum MHD_Result on_query_value(void *context, enum MHD_ValueKind kind, const char *name,
				      const char *value)
{
	const struct query_walk *walk = context;

	(void)kind;
	walk->each(walk->context, name, value != NULL ? value : "");
	return MHD_YES;
}

void httpd_query_each(const struct httpd_request *request,
		      void (*each)(void *context, const char *name, const char *value),
		      void *context)
{
	struct query_walk walk = {each, context};

	MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, on_query_value,
				  &walk);
}

const char *httpd_header(const struct httpd_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *httpd_cookie(const struct httpd_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND, name);
}

const char *httpd_body(const struct httpd_request *request, size_t *length)
{
	*length = request->body.length;
	return buf_string(&request->body);
}

const char *httpd_form(struct httpd_request *request, const char *name)
{
	const char *type = httpd_header(request, "Content-Type");

	if (type == NULL || strncasecmp(type, "application/x-www-form-urlencoded", 33) != 0) {
		return NULL;
	}
	if (request->form.pairs == NULL &&
	    !form_parse(&request->form, buf_string(&request->body), request->body.length)) {
		return NULL;
	}
	return form_field(&request->form, name);
}

void httpd_set_data(struct httpd_request *request, void *data)
{
	request->data = data;
}

void *httpd_data(const struct httpd_request *request)
{
	return request->data;
}

/* ---- what handlers answer ---- */

void httpd_reply_header(struct httpd_request *request, const char *name, const char *value)
{
	char *copy = strdup(value);

	if (request->header_count == HTTPD_REPLY_HEADERS_MAX || copy == NULL) {
		fputs("too many headers in an answer\n", stderr);
		abort();
	}
	request->header_names[request->header_count] = name;
	request->header_values[request->header_count++] = copy;
}

static void request_resume(struct httpd_request *request)
{
	request->is_suspended = false;
	if (request->previous != NULL) {
		request->previous->next = request->next;
	} else {
		request->httpd->suspended = request->next;
	}
	if (request->next != NULL) {
		request->next->previous = request->previous;
	}
	MHD_resume_connection(request->connection);
	httpd_run_later(request->httpd);
}

void httpd_reply(struct httpd_request *request, int status, const char *content_type,
		 const char *body, size_t length)
{
	union {
		const char *from;
		void *to;
	} bytes = {.from = body}; /* MUST_COPY reads it only */
	struct MHD_Response *response =
	    MHD_create_response_from_buffer(length, bytes.to, MHD_RESPMEM_MUST_COPY);

	if (response == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	if (content_type != NULL) {
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	}
	for (int i = 0; i < request->header_count; i++) {
		MHD_add_response_header(response, request->header_names[i],
					request->header_values[i]);
	}
	request->response = response;
	request->status = status;
	if (request->httpd->settings.answered != NULL) {
		request->httpd->settings.answered(request, status);
	}
	if (request->is_suspended) {
		request_resume(request);
	}
}

void httpd_reply_text(struct httpd_request *request, int status, const char *text)
{
	httpd_reply(request, status, "text/plain; charset=utf-8", text, strlen(text));
}

void httpd_redirect(struct httpd_request *request, int status, const char *location)
{
	httpd_reply_header(request, "Location", location);
	httpd_reply(request, status, NULL, "", 0);
}

void httpd_cut(struct httpd_request *request)
{
	request->is_cut = true;
	if (request->is_suspended) {
		request_resume(request);
	}
}
