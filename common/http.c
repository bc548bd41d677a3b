/* http.c - drives libcurl's multi interface from the uv loop.
 *
 * curl tells which sockets and which timeout it wants (on_socket, on_timer); uv tells when they are
 * due; finished transfers are answered from a deferred call, never from inside curl. */
#include "common/http.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/clock.h"
#include "common/watch.h"

#define HTTP_CONNECT_TIMEOUT_MS	  10000L
#define HTTP_CONNECTION_AGE_MAX_S 300L
#define HTTP_CONNECTIONS_MAX	  512L
#define HTTP_IDLE_HANDLES_MAX	  256
#define HTTP_RETRY_AFTER_MAX_MS	  3600000.0
#define HTTP_LATE_EVERY_MS	  1000

struct http_transfer {
	CURL *easy;
	struct curl_slist *headers;
	struct http *http;
	struct http_request *request;
	struct http_transfer *next; /* among those under way */
	struct http_transfer *previous;
	struct http_transfer *next_ended;
	bool is_ended;
	int64_t deadline_mono_ms;
	CURLcode code;
	char error[CURL_ERROR_SIZE];
};

struct http {
	struct loop *loop;
	CURLM *multi;
	uv_timer_t timer;
	uv_timer_t late;
	int open_handles;
	struct loop_call sweep;
	bool sweep_due;
	const char *user_agent;
	const char *ca_file; /* NULL: the system's certificates */
	struct http_transfer *under_way;
	struct http_transfer *ended; /* those of them that curl doesn't hold and nobody answered */
	CURL *idle[HTTP_IDLE_HANDLES_MAX];
	int idle_count;
};

static void http_sweep_later(struct http *http);

/* ---- what curl tells us, what uv tells curl ---- */

static void http_act(struct http *http, curl_socket_t socket, int events)
{
	int running;

	curl_multi_socket_action(http->multi, socket, events, &running);
	http_sweep_later(http);
}

static void on_readiness(struct watch *watch, int status, int events)
{
	int flags = status < 0 ? CURL_CSELECT_ERR : 0;

	flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
	flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
	http_act(watch->owner, watch->fd, flags);
}

static void on_due(uv_timer_t *timer)
{
	http_act(container_of(timer, struct http, timer), CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct http *http = context;

	(void)multi;
	if (timeout_ms < 0) {
		uv_timer_stop(&http->timer);
	} else {
		uv_timer_start(&http->timer, on_due, (uint64_t)timeout_ms, 0);
	}
	return 0;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *assigned)
{
	struct http *http = context;
	struct watch *watch = assigned;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		curl_multi_assign(http->multi, socket, NULL);
		watch_free(watch);
		return 0;
	}
	if (watch == NULL) {
		watch = watch_new(http->loop, socket, http, on_readiness);
		curl_multi_assign(http->multi, socket, watch);
	}
	events |= what != CURL_POLL_IN ? UV_WRITABLE : 0;
	events |= what != CURL_POLL_OUT ? UV_READABLE : 0;
	return watch != NULL && watch_start(watch, events) ? 0 : -1;
}

/* ---- one transfer ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct http_transfer *transfer = context;
	struct buf *body = &transfer->request->reply.body;

	buf_add(body, bytes, size * count);
	return body->failed ? 0 : size * count;
}

/* The value of a header line if it is called name; NUL-terminated copy in value. */
static bool header_is(const char *line, size_t length, const char *name, char *value, size_t size)
{
	size_t name_length = strlen(name);
	const char *at = line + name_length + 1;
	const char *end = line + length;

	if (length <= name_length || line[name_length] != ':' ||
	    strncasecmp(line, name, name_length) != 0) {
		return false;
	}
	while (at < end && (*at == ' ' || *at == '\t')) {
		at++;
	}
	while (end > at && strchr(" \t\r\n", end[-1]) != NULL) {
		end--;
	}
	snprintf(value, size, "%.*s", (int)(end - at), at);
	return true;
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
	struct http_transfer *transfer = context;
	struct http_reply *reply = &transfer->request->reply;
	size_t length = size * count;
	char value[128];

	if (header_is(line, length, "retry-after", value, sizeof value)) {
		reply->retry_after_ms = http_retry_after_ms(value, clock_wall_ms());
	}
	header_is(line, length, "www-authenticate", reply->www_authenticate,
		  sizeof reply->www_authenticate);
	header_is(line, length, "request-id", reply->request_id, sizeof reply->request_id);
	header_is(line, length, "date", reply->date, sizeof reply->date);
	return length;
}

static int on_connected(void *context, char *remote, char *local, int remote_port, int local_port)
{
	const struct http_transfer *transfer = context;

	(void)remote;
	(void)local;
	(void)remote_port;
	(void)local_port;
	return transfer->request->may_send(transfer->request) ? CURL_PREREQFUNC_OK
							      : CURL_PREREQFUNC_ABORT;
}

static void transfer_header(struct http_transfer *transfer, const char *name, const char *value)
{
	struct curl_slist *longer;
	struct buf line;

	if (value == NULL) {
		return;
	}
	buf_init(&line, 65536);
	buf_format(&line, "%s: %s", name, value);
	longer = curl_slist_append(transfer->headers, buf_string(&line));
	if (longer != NULL) {
		transfer->headers = longer;
	}
	buf_close(&line);
}

static void transfer_set_request(struct http_transfer *transfer)
{
	const struct http_request *request = transfer->request;
	CURL *easy = transfer->easy;

	transfer_header(transfer, "Content-Type", request->content_type);
	transfer_header(transfer, "Authorization", request->authorization);
	transfer_header(transfer, "Prefer", request->prefer);
	transfer_header(transfer, "Accept", "application/json");
	transfer_header(transfer, "Expect", ""); /* no 100-continue round trip */
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	if (request->content_type != NULL) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)request->body_length);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	if (request->may_send != NULL) {
		curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
		curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
	}
}

/* Plain http is for loopback alone, even where a link in somebody's answer says otherwise. */
static const char *url_protocols(const char *url)
{
	CURLU *parsed = curl_url();
	char *host = NULL;
	bool is_loopback = false;

	if (parsed != NULL && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
		is_loopback = strcmp(host, "127.0.0.1") == 0 || strcmp(host, "[::1]") == 0 ||
			      strcasecmp(host, "localhost") == 0;
	}
	curl_free(host);
	curl_url_cleanup(parsed);
	return is_loopback ? "http,https" : "https";
}

static void transfer_set_rules(struct http_transfer *transfer, int64_t deadline_ms)
{
	CURL *easy = transfer->easy;

	curl_easy_setopt(easy, CURLOPT_USERAGENT, transfer->http->user_agent);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, url_protocols(transfer->request->url));
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (transfer->http->ca_file != NULL) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, transfer->http->ca_file);
	}
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, HTTP_CONNECTION_AGE_MAX_S);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, HTTP_CONNECT_TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
			 deadline_ms > 0 ? (long)deadline_ms : 1L); /* 0 would be for ever */
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
}

static void transfer_release(struct http_transfer *transfer)
{
	struct http *http = transfer->http;

	curl_slist_free_all(transfer->headers);
	if (transfer->easy != NULL && http->idle_count < HTTP_IDLE_HANDLES_MAX) {
		curl_easy_reset(transfer->easy);
		http->idle[http->idle_count++] = transfer->easy;
	} else {
		curl_easy_cleanup(transfer->easy);
	}
	free(transfer);
}

static void transfer_unlink(struct http *http, struct http_transfer *transfer)
{
	if (transfer == http->under_way) {
		http->under_way = transfer->next;
	} else {
		transfer->previous->next = transfer->next;
	}
	if (transfer->next != NULL) {
		transfer->next->previous = transfer->previous;
	}
}

/* Unlinks and frees the transfer first: the callback may send again or destroy its owner. */
static void transfer_answer(struct http *http, struct http_transfer *transfer)
{
	struct http_request *request = transfer->request;
	long status = 0;

	transfer_unlink(http, transfer);
	if (transfer->code == CURLE_OK) {
		curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
		request->reply.status = (int)status;
	} else {
		fault_retry(&request->fault, "no HTTP answer: %s",
			    transfer->error[0] != '\0' ? transfer->error
						       : curl_easy_strerror(transfer->code));
	}
	request->transfer = NULL;
	transfer_release(transfer);
	request->done(request);
}

/* done may free the request, so its body is moved out and closed here. */
static void transfer_finish(struct http *http, struct http_transfer *transfer)
{
	struct http_request *request = transfer->request;
	struct buf body = request->reply.body;

	transfer_answer(http, transfer);
	buf_close(&body);
}

static void on_sweep(struct loop_call *call)
{
	struct http *http = container_of(call, struct http, sweep);
	CURLMsg *message;
	int left;

	http->sweep_due = false;
	while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
		struct http_transfer *transfer = NULL;

		if (message->msg != CURLMSG_DONE) {
			continue;
		}
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
		transfer->code = message->data.result;
		curl_multi_remove_handle(http->multi, transfer->easy);
		transfer_finish(http, transfer);
	}
	while (http->ended != NULL) {
		struct http_transfer *transfer = http->ended;

		http->ended = transfer->next_ended;
		transfer_finish(http, transfer);
	}
}

static void http_sweep_later(struct http *http)
{
	if (!http->sweep_due) {
		http->sweep_due = true;
		loop_defer(http->loop, &http->sweep, on_sweep);
	}
}

/* Curl doesn't hold it, or no longer: it is answered by the next sweep. */
static void transfer_end(struct http_transfer *transfer, CURLcode code)
{
	transfer->code = code;
	transfer->is_ended = true;
	transfer->next_ended = transfer->http->ended;
	transfer->http->ended = transfer;
	http_sweep_later(transfer->http);
}

/* Curl keeps no deadline while a transfer waits for one of HTTP_CONNECTIONS_MAX (seen in 7.88). */
static void on_late(uv_timer_t *timer)
{
	struct http *http = container_of(timer, struct http, late);
	int64_t now_ms = clock_mono_ms();

	if (http->under_way == NULL) {
		uv_timer_stop(timer);
	}
	for (struct http_transfer *at = http->under_way; at != NULL; at = at->next) {
		if (!at->is_ended && now_ms > at->deadline_mono_ms) {
			curl_multi_remove_handle(http->multi, at->easy);
			transfer_end(at, CURLE_OPERATION_TIMEDOUT);
		}
	}
}

/* ---- the public face ---- */

/* OpenSSL's own variable, which libcurl overrides with the path it was built with. */
static const char *ca_file_of_environment(void)
{
	const char *path = getenv("SSL_CERT_FILE");

	return path != NULL && *path != '\0' ? path : NULL;
}

struct http *http_new(struct loop *loop, const char *user_agent)
{
	struct http *http = calloc(1, sizeof *http);

	if (http == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
		fputs("libcurl does not start\n", stderr);
		abort();
	}
	http->loop = loop;
	http->user_agent = user_agent;
	http->ca_file = ca_file_of_environment();
	http->multi = curl_multi_init();
	uv_timer_init(&loop->uv, &http->timer);
	uv_timer_init(&loop->uv, &http->late);
	http->open_handles = 2;
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, HTTP_CONNECTIONS_MAX);
	curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, HTTP_CONNECTIONS_MAX);
	return http;
}

void http_send(struct http *http, struct http_request *request, int64_t deadline_ms)
{
	struct http_transfer *transfer = calloc(1, sizeof *transfer);

	if (transfer == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	request->fault = (struct fault){0};
	request->reply = (struct http_reply){.retry_after_ms = -1};
	buf_init(&request->reply.body, HTTP_REPLY_MAX_BYTES);
	request->transfer = transfer;
	transfer->http = http;
	transfer->request = request;
	transfer->deadline_mono_ms = clock_mono_ms() + deadline_ms;
	transfer->easy = http->idle_count > 0 ? http->idle[--http->idle_count] : curl_easy_init();
	transfer->next = http->under_way;
	if (transfer->next != NULL) {
		transfer->next->previous = transfer;
	}
	http->under_way = transfer;
	transfer_set_rules(transfer, deadline_ms);
	transfer_set_request(transfer);
	if (curl_multi_add_handle(http->multi, transfer->easy) != CURLM_OK) {
		transfer_end(transfer, CURLE_FAILED_INIT);
	}
	if (!uv_is_active((uv_handle_t *)&http->late)) {
		uv_timer_start(&http->late, on_late, HTTP_LATE_EVERY_MS, HTTP_LATE_EVERY_MS);
	}
}

static void on_last_sweep(struct loop_call *call)
{
	free(container_of(call, struct http, sweep));
}

static void http_handle_closed(struct http *http)
{
	if (--http->open_handles > 0) {
		return;
	}
	if (http->sweep_due) {
		http->sweep.fn = on_last_sweep; /* a call that waits must not outlive its memory */
	} else {
		free(http);
	}
}

static void on_timer_closed(uv_handle_t *handle)
{
	http_handle_closed(container_of(handle, struct http, timer));
}

static void on_late_closed(uv_handle_t *handle)
{
	http_handle_closed(container_of(handle, struct http, late));
}

void http_free(struct http *http)
{
	http->ended = NULL; /* each is among those under way */
	while (http->under_way != NULL) {
		struct http_transfer *transfer = http->under_way;

		curl_multi_remove_handle(http->multi, transfer->easy);
		transfer->code = CURLE_ABORTED_BY_CALLBACK;
		transfer_finish(http, transfer);
	}
	while (http->idle_count > 0) {
		curl_easy_cleanup(http->idle[--http->idle_count]);
	}
	curl_multi_cleanup(http->multi);
	http->multi = NULL;
	uv_close((uv_handle_t *)&http->timer, on_timer_closed);
	uv_close((uv_handle_t *)&http->late, on_late_closed);
}

int64_t http_retry_after_ms(const char *value, int64_t wall_ms)
{
	char *end;
	double seconds = strtod(value, &end);
	time_t date;

	if (end == value) {
		date = curl_getdate(value, NULL);
		if (date < 0) {
			return -1;
		}
		seconds = (double)date - (double)wall_ms / 1000.0;
	} else if (*end != '\0' && *end != ',' && *end != ' ') {
		return -1;
	}
	if (!isfinite(seconds)) {
		return -1;
	}
	return seconds <= 0 ? 0 : (int64_t)ceil(fmin(seconds * 1000.0, HTTP_RETRY_AFTER_MAX_MS));
}

void http_encode(struct buf *out, const char *text)
{
	static const char PLAIN[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
		if (strchr(PLAIN, *at) != NULL) {
			buf_char(out, (char)*at);
		} else {
			buf_format(out, "%%%02X", *at);
		}
	}
}
