/* test_httpd.c - a real server and real clients on one loop, over loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/http.h"
#include "common/httpd.h"
#include "tests/unit/common/raw.h"

#define WATCHDOG_MS 20000

struct rig {
	struct loop loop;
	struct httpd *httpd;
	struct http *http;
	uv_timer_t watchdog;
	struct httpd_request *held; /* a request whose handler did not answer */
	struct loop_call later;
	void (*when_held)(struct rig *rig);
	int answered;
	int last_answered;
	int left; /* calls that were not answered yet */
	char seen[512];
};

struct call {
	struct http_request request;
	struct rig *rig;
	char url[256];
	char body[512];
	char content_type[64];
	int status;
	enum fault_kind kind;
	bool returned;
	int answers;
};

static struct rig *rig_of(struct httpd_request *request)
{
	return httpd_context(request);
}

static void get_hello(struct httpd_request *request)
{
	const char *name = httpd_query(request, "name");
	char text[128];

	snprintf(text, sizeof text, "hello %s", name != NULL ? name : "nobody");
	httpd_reply_header(request, "X-One", "1");
	httpd_reply_text(request, 200, text);
}

static void post_form(struct httpd_request *request)
{
	const char *one = httpd_form(request, "one");
	const char *two = httpd_form(request, "two words");
	const char *none = httpd_form(request, "three");
	char text[256];

	snprintf(text, sizeof text, "%s|%s|%s", one != NULL ? one : "-", two != NULL ? two : "-",
		 none != NULL ? none : "-");
	httpd_reply_text(request, 200, text);
}

static void post_echo(struct httpd_request *request)
{
	size_t length;
	const char *body = httpd_body(request, &length);

	httpd_reply(request, 201, "application/octet-stream", body, length);
}

static void on_held(struct loop_call *later)
{
	struct rig *rig = container_of(later, struct rig, later);

	rig->when_held(rig);
}

static void any_slow(struct httpd_request *request)
{
	struct rig *rig = rig_of(request);

	rig->held = request;
	httpd_set_data(request, rig);
	loop_defer(&rig->loop, &rig->later, on_held);
}

static void get_asked(struct httpd_request *request)
{
	const char *cookie = httpd_cookie(request, "session");
	const char *header = httpd_header(request, "X-Asked");

	snprintf(rig_of(request)->seen, sizeof rig_of(request)->seen, "%s %s %s %s %s",
		 httpd_method(request), httpd_path(request), httpd_route_path(request),
		 cookie != NULL ? cookie : "-", header != NULL ? header : "-");
	httpd_reply_text(request, 200, "asked\n");
}

static void get_away(struct httpd_request *request)
{
	httpd_redirect(request, 302, "https://example.invalid/next?a=b&c=d");
}

static void get_cut(struct httpd_request *request)
{
	httpd_cut(request);
}

static void note_pair(void *context, const char *name, const char *value)
{
	struct rig *rig = context;
	size_t length = strlen(rig->seen);

	snprintf(rig->seen + length, sizeof rig->seen - length, "%s=%s;", name, value);
}

static void get_pairs(struct httpd_request *request)
{
	httpd_query_each(request, note_pair, rig_of(request));
	httpd_reply_text(request, 200, "");
}

static const struct httpd_route ROUTES[] = {
    {"GET", "/cut", get_cut},	  {"GET", "/pairs", get_pairs},	  {"GET", "/hello", get_hello},
    {"POST", "/form", post_form}, {"PUT", "/form", post_echo},	  {"POST", "/echo", post_echo},
    {NULL, "/slow", any_slow},	  {"GET", "/under/*", get_asked}, {"DELETE", "/x/*", get_asked},
    {"GET", "/away", get_away},
};

static void on_answered(struct httpd_request *request, int status)
{
	rig_of(request)->answered++;
	rig_of(request)->last_answered = status;
}

static void on_watchdog(uv_timer_t *timer)
{
	(void)timer;
	fputs("the loop waits for something that never comes\n", stderr);
	abort();
}

static int rig_begin(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);
	struct httpd_settings settings = {.listen = "127.0.0.1:0",
					  .routes = ROUTES,
					  .route_count = sizeof ROUTES / sizeof *ROUTES,
					  .body_max_bytes = 100,
					  .context = rig,
					  .answered = on_answered};
	struct fault fault;

	loop_init(&rig->loop);
	rig->httpd = httpd_new(&rig->loop, &settings, &fault);
	rig->http = http_new(&rig->loop, "unit-test");
	uv_timer_init(&rig->loop.uv, &rig->watchdog);
	uv_timer_start(&rig->watchdog, on_watchdog, WATCHDOG_MS, 0);
	*state = rig;
	return rig->httpd != NULL ? 0 : -1;
}

static int rig_end(void **state)
{
	struct rig *rig = *state;

	if (rig->http != NULL) {
		http_free(rig->http);
	}
	if (rig->httpd != NULL) {
		httpd_free(rig->httpd);
	}
	loop_close(&rig->loop);
	free(rig);
	return 0;
}

static void rig_finish_one(struct rig *rig)
{
	if (--rig->left == 0) {
		loop_stop(&rig->loop);
	}
}

static void on_call_done(struct http_request *request)
{
	struct call *call = container_of(request, struct call, request);

	assert_true(call->returned);
	call->answers++;
	call->kind = request->fault.kind;
	call->status = request->reply.status;
	snprintf(call->body, sizeof call->body, "%s", buf_string(&request->reply.body));
	rig_finish_one(call->rig);
}

static void call_send(struct rig *rig, struct call *call, const char *method, const char *path)
{
	snprintf(call->url, sizeof call->url, "http://127.0.0.1:%d%s", httpd_port(rig->httpd),
		 path);
	call->rig = rig;
	call->request.method = method;
	call->request.url = call->url;
	call->request.done = on_call_done;
	rig->left++;
	http_send(rig->http, &call->request, 10000);
	call->returned = true;
}

static void call_post(struct rig *rig, struct call *call, const char *path, const char *type,
		      const char *body)
{
	call->request.content_type = type;
	call->request.body = body;
	call->request.body_length = strlen(body);
	call_send(rig, call, "POST", path);
}

static void on_raw_done(struct raw *raw)
{
	rig_finish_one(raw->owner);
}

static void raw_send(struct rig *rig, struct raw *raw, const char *bytes)
{
	rig->left++;
	raw_begin(raw, &rig->loop, httpd_port(rig->httpd), bytes);
	raw->owner = rig;
	raw->done = on_raw_done;
}

static void a_get_is_answered_at_once(void **state)
{
	struct rig *rig = *state;
	struct call call = {0};

	call_send(rig, &call, "GET", "/hello?name=two%20words");
	loop_run(&rig->loop);
	assert_int_equal(call.kind, FAULT_NONE);
	assert_int_equal(call.status, 200);
	assert_string_equal(call.body, "hello two words");
	assert_int_equal(call.answers, 1);
	assert_int_equal(rig->answered, 1);
	assert_int_equal(rig->last_answered, 200);
}

static void many_gets_share_the_loop(void **state)
{
	struct rig *rig = *state;
	struct call calls[40] = {0};

	for (size_t i = 0; i < 40; i++) {
		call_send(rig, &calls[i], "GET", "/hello");
	}
	loop_run(&rig->loop);
	for (size_t i = 0; i < 40; i++) {
		assert_int_equal(calls[i].status, 200);
	}
}

static void a_form_is_decoded(void **state)
{
	struct rig *rig = *state;
	struct call call = {0};

	call_post(rig, &call, "/form", "application/x-www-form-urlencoded; charset=utf-8",
		  "flag&one=a%2Bb+c=d&two+words=%C3%A4");
	loop_run(&rig->loop);
	assert_string_equal(call.body, "a+b c=d|\xC3\xA4|-");
}

static void a_form_of_another_type_has_no_fields(void **state)
{
	struct rig *rig = *state;
	struct call call = {0};

	call_post(rig, &call, "/form", "text/plain", "one=1");
	loop_run(&rig->loop);
	assert_string_equal(call.body, "-|-|-");
}

static void a_body_at_the_ceiling_passes_and_one_byte_more_is_413(void **state)
{
	struct rig *rig = *state;
	struct call at = {0};
	struct call above = {0};
	char body[102];

	memset(body, 'x', sizeof body);
	body[101] = '\0';
	call_post(rig, &above, "/echo", "text/plain", body);
	loop_run(&rig->loop);
	assert_int_equal(above.status, 413);
	body[100] = '\0';
	call_post(rig, &at, "/echo", "text/plain", body);
	loop_run(&rig->loop);
	assert_int_equal(at.status, 201);
	assert_string_equal(at.body, body);
}

static void a_path_nobody_serves_is_404(void **state)
{
	struct rig *rig = *state;
	struct call unknown = {0};
	struct call beside = {0};

	call_send(rig, &unknown, "GET", "/nothing");
	call_send(rig, &beside, "GET", "/under"); /* the prefix ends in a slash */
	loop_run(&rig->loop);
	assert_int_equal(unknown.status, 404);
	assert_int_equal(beside.status, 404);
}

static void another_method_is_405_and_allow_names_those_that_are_served(void **state)
{
	struct rig *rig = *state;
	struct raw raw = {0};

	raw_send(rig, &raw, "GET /form HTTP/1.0\r\n\r\n");
	loop_run(&rig->loop);
	assert_non_null(strstr(raw.answer, " 405 "));
	assert_non_null(strstr(raw.answer, "\r\nAllow: POST, PUT\r\n"));
}

static void head_gets_the_head_of_get(void **state)
{
	struct rig *rig = *state;
	struct raw raw = {0};

	raw_send(rig, &raw, "HEAD /hello HTTP/1.0\r\n\r\n");
	loop_run(&rig->loop);
	assert_non_null(strstr(raw.answer, " 200 "));
	assert_non_null(strstr(raw.answer, "\r\nContent-Length: 12\r\n"));
	assert_non_null(strstr(raw.answer, "\r\nX-One: 1\r\n"));
	assert_string_equal(strstr(raw.answer, "\r\n\r\n"), "\r\n\r\n");
}

static void a_handler_sees_method_path_route_cookie_and_header(void **state)
{
	struct rig *rig = *state;
	struct raw raw = {0};

	raw_send(rig, &raw,
		 "GET /under/a%2Fb%20c?q=1 HTTP/1.0\r\nCookie: other=2; session=abc\r\n"
		 "X-Asked: yes\r\n\r\n");
	loop_run(&rig->loop);
	assert_string_equal(rig->seen, "GET /under/a/b c /under/* abc yes");
}

static void a_redirect_keeps_its_location(void **state)
{
	struct rig *rig = *state;
	struct raw raw = {0};

	raw_send(rig, &raw, "GET /away HTTP/1.0\r\n\r\n");
	loop_run(&rig->loop);
	assert_non_null(strstr(raw.answer, " 302 "));
	assert_non_null(
	    strstr(raw.answer, "\r\nLocation: https://example.invalid/next?a=b&c=d\r\n"));
}

static void two_requests_on_one_connection_are_both_answered(void **state)
{
	struct rig *rig = *state;
	struct raw raw = {0};

	raw_send(rig, &raw,
		 "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
		 "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	loop_run(&rig->loop);
	assert_non_null(strstr(raw.answer, " 201 "));
	assert_non_null(strstr(raw.answer, "hello nobody"));
}

static void a_broken_request_does_not_stop_the_server(void **state)
{
	struct rig *rig = *state;
	struct raw broken = {0};
	struct call call = {0};

	raw_send(rig, &broken, "NONSENSE\r\n\r\n");
	loop_run(&rig->loop);
	call_send(rig, &call, "GET", "/hello");
	loop_run(&rig->loop);
	assert_int_equal(call.status, 200);
}

static void reply_now(struct rig *rig)
{
	assert_ptr_equal(httpd_data(rig->held), rig);
	httpd_reply_text(rig->held, 202, "late");
	rig->held = NULL;
}

static void a_late_reply_reaches_the_client(void **state)
{
	struct rig *rig = *state;
	struct call get = {0};
	struct call post = {0};

	rig->when_held = reply_now;
	call_send(rig, &get, "GET", "/slow");
	loop_run(&rig->loop);
	assert_int_equal(get.status, 202);
	assert_string_equal(get.body, "late");
	call_post(rig, &post, "/slow", "text/plain", "body");
	loop_run(&rig->loop);
	assert_int_equal(post.status, 202);
	assert_int_equal(rig->answered, 2);
}

static void a_cut_connection_is_no_answer_and_the_server_goes_on(void **state)
{
	struct rig *rig = *state;
	struct raw raw = {0};
	struct call next = {0};

	raw_send(rig, &raw, "GET /cut HTTP/1.1\r\nHost: x\r\n\r\n");
	loop_run(&rig->loop);
	assert_string_equal(raw.answer, "");
	call_send(rig, &next, "GET", "/hello");
	loop_run(&rig->loop);
	assert_int_equal(next.status, 200);
}

static void cut_now(struct rig *rig)
{
	httpd_cut(rig->held);
	rig->held = NULL;
}

static void a_request_that_waits_may_be_cut_too(void **state)
{
	struct rig *rig = *state;
	struct raw raw = {0};

	rig->when_held = cut_now;
	raw_send(rig, &raw, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
	loop_run(&rig->loop);
	assert_string_equal(raw.answer, "");
}

static void every_pair_of_the_query_is_told_in_order(void **state)
{
	struct rig *rig = *state;
	struct call call = {0};

	call_send(rig, &call, "GET", "/pairs?%24top=5&a&b=x%20y&a=2");
	loop_run(&rig->loop);
	assert_string_equal(rig->seen, "$top=5;a=;b=x y;a=2;");
}

static void stop_when_held(struct rig *rig)
{
	loop_stop(&rig->loop);
}

static void freeing_the_server_cuts_off_a_request_that_waits(void **state)
{
	struct rig *rig = *state;
	struct call call = {0};

	rig->when_held = stop_when_held;
	call_send(rig, &call, "GET", "/slow");
	loop_run(&rig->loop);
	assert_non_null(rig->held);
	httpd_free(rig->httpd);
	rig->httpd = NULL;
	loop_run(&rig->loop);
	assert_int_equal(call.answers, 1);
	assert_int_equal(call.status, 503);
}

/* From a timer, the deferred run and the handles' end fall into different turns of the loop. */
static void on_time_to_free(uv_timer_t *timer)
{
	struct rig *rig = container_of(timer, struct rig, watchdog);

	httpd_free(rig->httpd);
	rig->httpd = NULL;
}

static void freeing_the_server_while_requests_come_in_is_clean(void **state)
{
	struct rig *rig = *state;
	struct call calls[20] = {0};

	rig->when_held = stop_when_held;
	for (size_t i = 0; i < 20; i++) {
		call_send(rig, &calls[i], "GET", i % 2 == 0 ? "/slow" : "/hello");
	}
	loop_run(&rig->loop);
	uv_timer_start(&rig->watchdog, on_time_to_free, 0, 0);
	loop_run(&rig->loop);
	for (size_t i = 0; i < 20; i++) {
		assert_int_equal(calls[i].answers, 1);
	}
}

static void a_client_that_leaves_while_its_request_waits_is_survived(void **state)
{
	struct rig *rig = *state;
	struct call call = {0};
	struct call next = {0};

	rig->when_held = stop_when_held;
	call_send(rig, &call, "GET", "/slow");
	loop_run(&rig->loop);
	http_free(rig->http);
	assert_int_equal(call.kind, FAULT_RETRY);
	loop_run(&rig->loop); /* the answer above asked it to stop */
	rig->http = http_new(&rig->loop, "unit-test");
	reply_now(rig);
	call_send(rig, &next, "GET", "/hello");
	loop_run(&rig->loop);
	assert_int_equal(next.status, 200);
}

static void a_taken_port_is_refused(void **state)
{
	struct rig *rig = *state;
	struct httpd_settings settings = {.routes = ROUTES, .route_count = 1};
	struct fault fault;
	char listen[32];

	snprintf(listen, sizeof listen, "127.0.0.1:%d", httpd_port(rig->httpd));
	settings.listen = listen;
	assert_null(httpd_new(&rig->loop, &settings, &fault));
	assert_int_equal(fault.kind, FAULT_FATAL);
	assert_non_null(strstr(fault.what, "CALRELAY_HTTP_LISTEN"));
	assert_non_null(strstr(fault.what, listen));
}

static void a_malformed_address_is_refused(void **state)
{
	static const char *const BAD[] = {"8080", "127.0.0.1", ":8080", "127.0.0.1:http-nonsense"};
	struct rig *rig = *state;
	struct httpd_settings settings = {.routes = ROUTES, .route_count = 1};
	struct fault fault;

	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		settings.listen = BAD[i];
		assert_null(httpd_new(&rig->loop, &settings, &fault));
		assert_int_equal(fault.kind, FAULT_FATAL);
		assert_non_null(strstr(fault.what, "CALRELAY_HTTP_LISTEN"));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_begin, rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_get_is_answered_at_once),
	    TEST(many_gets_share_the_loop),
	    TEST(a_form_is_decoded),
	    TEST(a_form_of_another_type_has_no_fields),
	    TEST(a_body_at_the_ceiling_passes_and_one_byte_more_is_413),
	    TEST(a_path_nobody_serves_is_404),
	    TEST(another_method_is_405_and_allow_names_those_that_are_served),
	    TEST(head_gets_the_head_of_get),
	    TEST(a_handler_sees_method_path_route_cookie_and_header),
	    TEST(a_redirect_keeps_its_location),
	    TEST(two_requests_on_one_connection_are_both_answered),
	    TEST(a_broken_request_does_not_stop_the_server),
	    TEST(a_late_reply_reaches_the_client),
	    TEST(a_cut_connection_is_no_answer_and_the_server_goes_on),
	    TEST(a_request_that_waits_may_be_cut_too),
	    TEST(every_pair_of_the_query_is_told_in_order),
	    TEST(freeing_the_server_cuts_off_a_request_that_waits),
	    TEST(freeing_the_server_while_requests_come_in_is_clean),
	    TEST(a_client_that_leaves_while_its_request_waits_is_survived),
	    TEST(a_taken_port_is_refused),
	    TEST(a_malformed_address_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
