/* test_http.c - requests against a scripted server on the same loop; bad inputs 44, 46 and 51. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/http.h"

#define WATCHDOG_MS 20000
#define PEERS_MAX   700

/* Answers every connection that has sent a whole head with the same bytes, then closes or waits. */
struct peer {
	uv_tcp_t tcp;
	uv_write_t write;
	struct rig *rig;
	struct buf head;
	char chunk[2048];
};

struct rig {
	struct loop loop;
	struct http *http;
	uv_timer_t watchdog;
	uv_timer_t timer;
	uv_tcp_t server;
	int port;
	struct peer *peers[PEERS_MAX];
	int peer_count;
	const char *script; /* NULL: never answers */
	size_t script_length;
	bool keeps_open;
	uv_check_t check; /* runs in each turn of the loop behind all sockets */
	char head[2048];  /* of the last request */
	int left;
};

struct call {
	struct http_request request;
	struct rig *rig;
	char url[256];
	char body[256];
	int status;
	int64_t retry_after_ms;
	char www_authenticate[1024];
	char request_id[64];
	struct fault fault;
	bool returned;
	int answers;
	void (*then)(struct call *call);
};

static void on_watchdog(uv_timer_t *timer)
{
	(void)timer;
	fputs("the loop waits for something that never comes\n", stderr);
	abort();
}

static void on_allocate(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
	struct peer *peer = container_of((uv_tcp_t *)handle, struct peer, tcp);

	(void)wanted;
	*buffer = uv_buf_init(peer->chunk, sizeof peer->chunk);
}

static void peer_close(struct peer *peer)
{
	if (!uv_is_closing((uv_handle_t *)&peer->tcp)) {
		uv_close((uv_handle_t *)&peer->tcp, NULL);
	}
}

static void on_written(uv_write_t *write, int status)
{
	struct peer *peer = container_of(write, struct peer, write);

	(void)status;
	if (!peer->rig->keeps_open) {
		peer_close(peer);
	}
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
	struct peer *peer = container_of((uv_tcp_t *)stream, struct peer, tcp);
	struct rig *rig = peer->rig;
	union {
		const char *from;
		char *to;
	} script = {.from = rig->script};
	uv_buf_t answer = uv_buf_init(script.to, (unsigned)rig->script_length);

	if (got < 0) {
		peer_close(peer);
		return;
	}
	buf_add(&peer->head, buffer->base, (size_t)got);
	if (rig->script == NULL || strstr(buf_string(&peer->head), "\r\n\r\n") == NULL) {
		return;
	}
	snprintf(rig->head, sizeof rig->head, "%s", buf_string(&peer->head));
	buf_reset(&peer->head);
	uv_write(&peer->write, stream, &answer, 1, on_written);
}

static void on_connection(uv_stream_t *server, int status)
{
	struct rig *rig = container_of((uv_tcp_t *)server, struct rig, server);
	struct peer *peer = calloc(1, sizeof *peer);

	assert_int_equal(status, 0);
	assert_in_range(rig->peer_count, 0, PEERS_MAX - 1);
	rig->peers[rig->peer_count++] = peer;
	peer->rig = rig;
	buf_init(&peer->head, 65536);
	uv_tcp_init(&rig->loop.uv, &peer->tcp);
	assert_int_equal(uv_accept(server, (uv_stream_t *)&peer->tcp), 0);
	uv_read_start((uv_stream_t *)&peer->tcp, on_allocate, on_read);
}

static int rig_begin(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);
	struct sockaddr_in address;
	int length = sizeof address;

	loop_init(&rig->loop);
	rig->http = http_new(&rig->loop, "unit-test");
	uv_timer_init(&rig->loop.uv, &rig->timer);
	uv_timer_init(&rig->loop.uv, &rig->watchdog);
	uv_timer_start(&rig->watchdog, on_watchdog, WATCHDOG_MS, 0);
	uv_ip4_addr("0.0.0.0", 0, &address);
	uv_tcp_init(&rig->loop.uv, &rig->server);
	uv_tcp_bind(&rig->server, (const struct sockaddr *)&address, 0);
	uv_listen((uv_stream_t *)&rig->server, 1024, on_connection);
	uv_tcp_getsockname(&rig->server, (struct sockaddr *)&address, &length);
	rig->port = ntohs(address.sin_port);
	*state = rig;
	return 0;
}

static int rig_end(void **state)
{
	struct rig *rig = *state;

	if (rig->http != NULL) {
		http_free(rig->http);
	}
	loop_close(&rig->loop);
	for (int i = 0; i < rig->peer_count; i++) {
		buf_close(&rig->peers[i]->head);
		free(rig->peers[i]);
	}
	free(rig);
	return 0;
}

static void rig_script(struct rig *rig, const char *bytes)
{
	rig->script = bytes;
	rig->script_length = strlen(bytes);
}

static void on_done(struct http_request *request)
{
	struct call *call = container_of(request, struct call, request);
	const struct http_reply *reply = &request->reply;
	struct rig *rig = call->rig;

	assert_true(call->returned);
	call->answers++;
	call->fault = request->fault;
	call->status = reply->status;
	call->retry_after_ms = reply->retry_after_ms;
	snprintf(call->www_authenticate, sizeof call->www_authenticate, "%s",
		 reply->www_authenticate);
	snprintf(call->request_id, sizeof call->request_id, "%s", reply->request_id);
	snprintf(call->body, sizeof call->body, "%s", buf_string(&reply->body));
	rig->left--;
	if (call->then != NULL) {
		call->then(call);
	}
	if (rig->left == 0) {
		loop_stop(&rig->loop);
	}
}

static void call_to(struct rig *rig, struct call *call, const char *host, int64_t deadline_ms)
{
	snprintf(call->url, sizeof call->url, "http://%s:%d/path", host, rig->port);
	call->rig = rig;
	call->request.method = call->request.method != NULL ? call->request.method : "GET";
	call->request.url = call->url;
	call->request.done = on_done;
	call->returned = false;
	rig->left++;
	http_send(rig->http, &call->request, deadline_ms);
	call->returned = true;
}

static void call_send(struct rig *rig, struct call *call)
{
	call_to(rig, call, "127.0.0.1", 10000);
}

static void an_answer_comes_with_its_headers_and_body(void **state)
{
	struct rig *rig = *state;
	struct call call = {0};

	rig_script(rig, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 10,10\r\n"
			"WWW-Authenticate: Bearer error=\"invalid_token\"\r\n"
			"request-id: abc-1\r\nContent-Length: 5\r\n\r\nhello");
	call_send(rig, &call);
	loop_run(&rig->loop);
	assert_int_equal(call.fault.kind, FAULT_NONE);
	assert_int_equal(call.status, 429);
	assert_int_equal(call.retry_after_ms, 10000);
	assert_string_equal(call.www_authenticate, "Bearer error=\"invalid_token\"");
	assert_string_equal(call.request_id, "abc-1");
	assert_string_equal(call.body, "hello");
}

static void an_answer_without_headers_has_none(void **state)
{
	struct rig *rig = *state;
	struct call call = {0};

	rig_script(rig, "HTTP/1.1 204 No Content\r\n\r\n");
	call_send(rig, &call);
	loop_run(&rig->loop);
	assert_int_equal(call.status, 204);
	assert_int_equal(call.retry_after_ms, -1);
	assert_string_equal(call.www_authenticate, "");
	assert_string_equal(call.request_id, "");
	assert_string_equal(call.body, "");
}

static void a_request_carries_what_was_asked_and_nothing_else(void **state)
{
	struct rig *rig = *state;
	struct call call = {.request = {.method = "PATCH",
					.content_type = "application/json",
					.authorization = "Bearer token",
					.prefer = "IdType=\"ImmutableId\"",
					.body = "{}",
					.body_length = 2}};

	rig_script(rig, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	call_send(rig, &call);
	loop_run(&rig->loop);
	assert_int_equal(strncmp(rig->head, "PATCH /path HTTP/1.1\r\n", 22), 0);
	assert_non_null(strstr(rig->head, "\r\nAuthorization: Bearer token\r\n"));
	assert_non_null(strstr(rig->head, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(rig->head, "\r\nPrefer: IdType=\"ImmutableId\"\r\n"));
	assert_non_null(strstr(rig->head, "\r\nContent-Length: 2\r\n"));
	assert_non_null(strstr(rig->head, "\r\nUser-Agent: unit-test\r\n"));
	assert_null(strstr(rig->head, "\r\nExpect:"));
	assert_null(strstr(rig->head, "\r\nCookie:"));
}

static void a_redirect_is_handed_over_and_not_followed(void **state)
{
	struct rig *rig = *state;
	struct call call = {0};

	rig_script(rig, "HTTP/1.1 302 Found\r\nLocation: /else\r\nContent-Length: 0\r\n\r\n");
	call_send(rig, &call);
	loop_run(&rig->loop);
	assert_int_equal(call.status, 302);
	assert_int_equal(rig->peer_count, 1);
}

static void an_answer_cut_short_is_no_answer(void **state)
{
	struct rig *rig = *state;
	struct call call = {0};

	rig_script(rig, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"value\":[");
	call_send(rig, &call);
	loop_run(&rig->loop);
	assert_int_equal(call.fault.kind, FAULT_RETRY);
	assert_int_equal(call.status, 0);
}

static void an_answer_above_the_ceiling_is_no_answer(void **state)
{
	struct rig *rig = *state;
	struct call call = {0};
	size_t size = HTTP_REPLY_MAX_BYTES + 1024;
	char *bytes = malloc(size);
	int head = snprintf(bytes, size, "HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n",
			    HTTP_REPLY_MAX_BYTES + 1);

	memset(bytes + head, 'x', size - (size_t)head);
	rig->script = bytes;
	rig->script_length = size;
	call_send(rig, &call);
	loop_run(&rig->loop);
	assert_int_equal(call.fault.kind, FAULT_RETRY);
	http_free(rig->http);
	rig->http = NULL;
	peer_close(rig->peers[0]);
	uv_run(&rig->loop.uv, UV_RUN_NOWAIT);
	free(bytes);
}

static void a_small_answer_that_unpacks_to_a_huge_one_is_no_answer(void **state)
{
	static const char BOMB[] =
	    "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n\x9f\xff\xff\xbf\xf8\x27\x00\xe2\xb1"
	    "\x40\x20\xf7\xfe\x17"; /* 12 MiB */
	struct rig *rig = *state;
	struct call call = {0};

	rig->script = BOMB;
	rig->script_length = sizeof BOMB - 1;
	call_send(rig, &call);
	loop_run(&rig->loop);
	assert_int_equal(call.fault.kind, FAULT_RETRY);
}

static void an_unreachable_server_is_tried_again_later(void **state)
{
	struct rig *rig = *state;
	struct call call = {0};

	uv_close((uv_handle_t *)&rig->server, NULL);
	uv_run(&rig->loop.uv, UV_RUN_NOWAIT);
	call_send(rig, &call);
	loop_run(&rig->loop);
	assert_int_equal(call.fault.kind, FAULT_RETRY);
	assert_int_equal(call.status, 0);
	assert_int_equal(call.answers, 1);
}

static void a_server_that_never_answers_ends_at_the_deadline(void **state)
{
	struct rig *rig = *state;
	struct call call = {0};
	int64_t began_ms = clock_mono_ms();

	call_to(rig, &call, "127.0.0.1", 100);
	loop_run(&rig->loop);
	assert_int_equal(call.fault.kind, FAULT_RETRY);
	assert_in_range(clock_mono_ms() - began_ms, 90, 5000);
}

static void a_deadline_that_has_passed_is_not_for_ever(void **state)
{
	struct rig *rig = *state;
	struct call zero = {0};
	struct call negative = {0};

	call_to(rig, &zero, "127.0.0.1", 0);
	call_to(rig, &negative, "127.0.0.1", -5);
	loop_run(&rig->loop);
	assert_int_equal(zero.fault.kind, FAULT_RETRY);
	assert_int_equal(negative.fault.kind, FAULT_RETRY);
}

static void the_deadline_also_counts_while_no_connection_is_free(void **state)
{
	struct rig *rig = *state;
	struct call *calls = calloc(600, sizeof *calls);
	struct call *last = &calls[599];
	int64_t began_ms = clock_mono_ms();

	for (size_t i = 0; i < 599; i++) {
		call_to(rig, &calls[i], "127.0.0.1", 3000);
	}
	call_to(rig, last, "127.0.0.1", 200);
	while (last->answers == 0) {
		uv_run(&rig->loop.uv, UV_RUN_ONCE);
	}
	assert_in_range(clock_mono_ms() - began_ms, 150, 2500);
	http_free(rig->http);
	rig->http = NULL;
	for (size_t i = 0; i < 600; i++) {
		assert_int_equal(calls[i].fault.kind, FAULT_RETRY);
		assert_int_equal(calls[i].answers, 1);
	}
	free(calls);
}

static void plain_http_never_leaves_loopback(void **state)
{
	static const char *const HOSTS[] = {"127.0.0.2", "localhost:x@127.0.0.2", "0.0.0.0"};
	struct rig *rig = *state;

	rig_script(rig, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	for (size_t i = 0; i < sizeof HOSTS / sizeof *HOSTS; i++) {
		struct call call = {0};

		call_to(rig, &call, HOSTS[i], 5000);
		loop_run(&rig->loop);
		assert_int_equal(call.fault.kind, FAULT_RETRY);
	}
	assert_int_equal(rig->peer_count, 0);
}

static void a_connection_is_used_again(void **state)
{
	struct rig *rig = *state;
	struct call first = {0};
	struct call second = {0};

	rig->keeps_open = true;
	rig_script(rig, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	call_send(rig, &first);
	loop_run(&rig->loop);
	call_send(rig, &second);
	loop_run(&rig->loop);
	assert_int_equal(second.status, 200);
	assert_int_equal(rig->peer_count, 1);
}

static void send_once_more(struct call *call)
{
	call->then = NULL;
	call_send(call->rig, call);
}

static void a_callback_may_send_its_own_request_again(void **state)
{
	struct rig *rig = *state;
	struct call call = {.then = send_once_more};

	rig_script(rig, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	call_send(rig, &call);
	loop_run(&rig->loop);
	assert_int_equal(call.answers, 2);
	assert_string_equal(call.body, "ok");
}

static void free_the_client(struct call *call)
{
	struct http *http = call->rig->http;

	call->rig->http = NULL;
	if (http != NULL) {
		http_free(http);
	}
}

static void a_callback_may_free_the_client_and_the_others_are_answered(void **state)
{
	struct rig *rig = *state;
	struct call calls[8] = {0};

	rig_script(rig, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	for (size_t i = 0; i < 8; i++) {
		calls[i].then = free_the_client;
		call_send(rig, &calls[i]);
	}
	loop_run(&rig->loop);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(calls[i].answers, 1);
	}
}

static void on_time_to_free(uv_timer_t *timer)
{
	struct rig *rig = container_of(timer, struct rig, timer);

	http_free(rig->http);
	rig->http = NULL;
}

static void freeing_the_client_answers_all_that_is_under_way(void **state)
{
	struct rig *rig = *state;
	struct call calls[8] = {0};

	for (size_t i = 0; i < 8; i++) {
		call_send(rig, &calls[i]);
	}
	uv_timer_start(&rig->timer, on_time_to_free, 50, 0);
	loop_run(&rig->loop);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(calls[i].answers, 1);
		assert_int_equal(calls[i].fault.kind, FAULT_RETRY);
	}
}

static void on_turn_ends(uv_check_t *check)
{
	struct rig *rig = container_of(check, struct rig, check);

	if (rig->peer_count > 0 && rig->http != NULL) {
		http_free(rig->http);
		rig->http = NULL;
	}
}

/* Curl was busy in the same turn of the loop, so that its deferred sweep still waits. */
static void freeing_the_client_between_two_turns_of_the_loop_is_clean(void **state)
{
	struct rig *rig = *state;
	struct call calls[8] = {0};

	uv_check_init(&rig->loop.uv, &rig->check);
	uv_check_start(&rig->check, on_turn_ends);
	for (size_t i = 0; i < 8; i++) {
		call_send(rig, &calls[i]);
	}
	loop_run(&rig->loop);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(calls[i].answers, 1);
	}
}

static void retry_after_is_read_in_every_form(void **state)
{
	const int64_t NOW_MS = 784111777000; /* Sun, 06 Nov 1994 08:49:37 GMT */
	static const struct {
		const char *value;
		int64_t wanted_ms;
	} CASES[] = {
	    {"0", 0},
	    {"10", 10000},
	    {" 7", 7000},
	    {"1.5", 1500},
	    {"0.0001", 1},
	    {"10,10", 10000},
	    {"10, 20", 10000},
	    {"-3", 0},
	    {"7200", 3600000},
	    {"99999999999999999999", 3600000},
	    {"Sun, 06 Nov 1994 08:49:47 GMT", 10000},
	    {"Sun, 06 Nov 1994 08:49:27 GMT", 0},
	    {"Sunday, 06-Nov-94 08:49:47 GMT", 10000},
	    {"Mon, 07 Nov 1994 08:49:37 GMT", 3600000},
	    {"", -1},
	    {"soon", -1},
	    {"10s", -1},
	    {"inf", -1},
	    {"nan", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		if (http_retry_after_ms(CASES[i].value, NOW_MS) != CASES[i].wanted_ms) {
			fail_msg("'%s' gave %lld", CASES[i].value,
				 (long long)http_retry_after_ms(CASES[i].value, NOW_MS));
		}
	}
}

static void encoding_spares_only_the_unreserved(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 256);
	http_encode(&out, "AZaz09-._~");
	assert_string_equal(buf_string(&out), "AZaz09-._~");
	buf_reset(&out);
	http_encode(&out, "a b/c?d=e&f+%\xC3\xA4'");
	assert_string_equal(buf_string(&out), "a%20b%2Fc%3Fd%3De%26f%2B%25%C3%A4%27");
	buf_close(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_begin, rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_answer_comes_with_its_headers_and_body),
	    TEST(an_answer_without_headers_has_none),
	    TEST(a_request_carries_what_was_asked_and_nothing_else),
	    TEST(a_redirect_is_handed_over_and_not_followed),
	    TEST(an_answer_cut_short_is_no_answer),
	    TEST(an_answer_above_the_ceiling_is_no_answer),
	    TEST(a_small_answer_that_unpacks_to_a_huge_one_is_no_answer),
	    TEST(an_unreachable_server_is_tried_again_later),
	    TEST(a_server_that_never_answers_ends_at_the_deadline),
	    TEST(a_deadline_that_has_passed_is_not_for_ever),
	    TEST(the_deadline_also_counts_while_no_connection_is_free),
	    TEST(plain_http_never_leaves_loopback),
	    TEST(a_connection_is_used_again),
	    TEST(a_callback_may_send_its_own_request_again),
	    TEST(a_callback_may_free_the_client_and_the_others_are_answered),
	    TEST(freeing_the_client_answers_all_that_is_under_way),
	    TEST(freeing_the_client_between_two_turns_of_the_loop_is_clean),
	    cmocka_unit_test(retry_after_is_read_in_every_form),
	    cmocka_unit_test(encoding_spares_only_the_unreserved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
