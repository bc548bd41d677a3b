/* test_ops.c - probes tell why not, and metrics are fresh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/http.h"
#include "common/ops.h"

struct rig {
	struct ops ops; /* first: httpd's context */
	struct loop loop;
	struct httpd *httpd;
	struct http *http;
	struct metric *gauge;
	bool ready;
	int status;
	char body[1024];
};

static bool is_ready(struct ops *ops, char reason[128])
{
	snprintf(reason, 128, "PostgreSQL is down");
	return container_of(ops, struct rig, ops)->ready;
}

static void refresh(struct ops *ops)
{
	metric_add(container_of(ops, struct rig, ops)->gauge, NULL, 1);
}

static int rig_begin(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);
	struct fault fault;

	loop_init(&rig->loop);
	rig->http = http_new(&rig->loop, "unit-test");
	rig->ops = (struct ops){.metrics = metrics_new(), .is_ready = is_ready, .refresh = refresh};
	rig->gauge = metric_new(rig->ops.metrics, METRIC_GAUGE, "scrapes", "Scrapes.", "", NULL);
	rig->httpd = ops_serve(&rig->loop, "127.0.0.1:0", &rig->ops, &fault);
	*state = rig;
	return rig->httpd != NULL ? 0 : -1;
}

static int rig_end(void **state)
{
	struct rig *rig = *state;

	http_free(rig->http);
	httpd_free(rig->httpd);
	loop_close(&rig->loop);
	metrics_free(rig->ops.metrics);
	free(rig);
	return 0;
}

struct call {
	struct http_request request;
	struct rig *rig;
};

static void on_done(struct http_request *request)
{
	struct rig *rig = container_of(request, struct call, request)->rig;

	rig->status = request->reply.status;
	snprintf(rig->body, sizeof rig->body, "%s", buf_string(&request->reply.body));
	loop_stop(&rig->loop);
}

static void rig_get(struct rig *rig, const char *path)
{
	char url[128];
	struct call call = {.request = {.method = "GET", .url = url, .done = on_done}, .rig = rig};

	snprintf(url, sizeof url, "http://127.0.0.1:%d%s", httpd_port(rig->httpd), path);
	http_send(rig->http, &call.request, 10000);
	loop_run(&rig->loop);
}

static void livez_is_ok_where_nobody_says_otherwise(void **state)
{
	struct rig *rig = *state;

	rig_get(rig, "/livez");
	assert_int_equal(rig->status, 200);
	assert_string_equal(rig->body, "ok\n");
}

static void readyz_tells_why_not(void **state)
{
	struct rig *rig = *state;

	rig_get(rig, "/readyz");
	assert_int_equal(rig->status, 503);
	assert_string_equal(rig->body, "PostgreSQL is down\n");
	rig->ready = true;
	rig_get(rig, "/readyz");
	assert_int_equal(rig->status, 200);
	assert_string_equal(rig->body, "ok\n");
}

static void metrics_are_brought_up_to_date_before_each_scrape(void **state)
{
	struct rig *rig = *state;

	rig_get(rig, "/metrics");
	assert_non_null(strstr(rig->body, "\nscrapes 1\n"));
	rig_get(rig, "/metrics");
	assert_non_null(strstr(rig->body, "\nscrapes 2\n"));
}

static void nothing_else_is_served(void **state)
{
	struct rig *rig = *state;

	rig_get(rig, "/");
	assert_int_equal(rig->status, 404);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_begin, rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(livez_is_ok_where_nobody_says_otherwise),
	    TEST(readyz_tells_why_not),
	    TEST(metrics_are_brought_up_to_date_before_each_scrape),
	    TEST(nothing_else_is_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
