/* test_cutoff.c - a client that never completes its request loses its connection, no other does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/httpd.h"

#define WATCHDOG_MS 20000

/* These replace common/clock.c, so that a minute need not be waited for. */
static int64_t clock_ahead_ms;

int64_t clock_mono_ms(void)
{
	return (int64_t)(uv_hrtime() / 1000000) + clock_ahead_ms;
}

int64_t clock_boot_ms(void)
{
	return clock_mono_ms();
}

int64_t clock_wall_us(void)
{
	return clock_mono_ms() * 1000;
}

int64_t clock_wall_ms(void)
{
	return clock_mono_ms();
}

struct client {
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_write_t write;
	const char *sends;
	struct buf answer;
	char chunk[1024];
	bool is_sent;
	bool is_over;
};

static struct loop loop;
static struct httpd *httpd;
static uv_timer_t watchdog;
static struct httpd_request *held;
static int served;

static void get_quick(struct httpd_request *request)
{
	served++;
	httpd_reply_text(request, 200, "quick\n");
}

static void get_slow(struct httpd_request *request)
{
	held = request;
}

static void on_watchdog(uv_timer_t *timer)
{
	(void)timer;
	fputs("the loop waits for something that never comes\n", stderr);
	abort();
}

static int begin(void **state)
{
	static const struct httpd_route ROUTES[] = {{"GET", "/quick", get_quick},
						    {"GET", "/slow", get_slow}};
	struct httpd_settings settings = {
	    .listen = "127.0.0.1:0", .routes = ROUTES, .route_count = 2, .body_max_bytes = 100};
	struct fault fault;

	(void)state;
	clock_ahead_ms = 0;
	served = 0;
	held = NULL;
	loop_init(&loop);
	httpd = httpd_new(&loop, &settings, &fault);
	uv_timer_init(&loop.uv, &watchdog);
	uv_timer_start(&watchdog, on_watchdog, WATCHDOG_MS, 0);
	return httpd != NULL ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	httpd_free(httpd);
	loop_close(&loop);
	return 0;
}

static void on_allocate(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
	struct client *client = container_of((uv_tcp_t *)handle, struct client, tcp);

	(void)wanted;
	*buffer = uv_buf_init(client->chunk, sizeof client->chunk);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
	struct client *client = container_of((uv_tcp_t *)stream, struct client, tcp);

	if (got < 0) {
		client->is_over = true;
		uv_close((uv_handle_t *)stream, NULL);
	} else {
		buf_add(&client->answer, buffer->base, (size_t)got);
	}
}

static void on_written(uv_write_t *write, int status)
{
	(void)status;
	container_of(write, struct client, write)->is_sent = true;
}

static void on_connected(uv_connect_t *connect, int status)
{
	struct client *client = container_of(connect, struct client, connect);
	union {
		const char *from;
		char *to;
	} bytes = {.from = client->sends};
	uv_buf_t out = uv_buf_init(bytes.to, (unsigned)strlen(client->sends));

	assert_int_equal(status, 0);
	uv_read_start((uv_stream_t *)&client->tcp, on_allocate, on_read);
	uv_write(&client->write, (uv_stream_t *)&client->tcp, &out, 1, on_written);
}

static void client_begin(struct client *client, const char *sends)
{
	struct sockaddr_in address;

	*client = (struct client){.sends = sends};
	buf_init(&client->answer, 65536);
	uv_ip4_addr("127.0.0.1", httpd_port(httpd), &address);
	uv_tcp_init(&loop.uv, &client->tcp);
	uv_tcp_connect(&client->connect, &client->tcp, (const struct sockaddr *)&address,
		       on_connected);
	while (!client->is_sent) {
		uv_run(&loop.uv, UV_RUN_ONCE);
	}
}

static void client_end(struct client *client)
{
	if (!client->is_over) {
		uv_close((uv_handle_t *)&client->tcp, NULL);
		uv_run(&loop.uv, UV_RUN_NOWAIT);
	}
	buf_close(&client->answer);
}

static void incomplete_requests_are_cut_off_and_one_that_waits_for_its_handler_is_not(void **state)
{
	struct client silent;
	struct client head;
	struct client body;
	struct client idle;
	struct client slow;

	(void)state;
	client_begin(&silent, "");
	client_begin(&head, "GET /quick HTTP/1.1\r\nHost: x\r\n");
	client_begin(&body, "GET /quick HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf");
	client_begin(&idle, "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n");
	client_begin(&slow, "GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	while (held == NULL || strstr(buf_string(&idle.answer), "quick") == NULL) {
		uv_run(&loop.uv, UV_RUN_ONCE);
	}
	clock_ahead_ms += 61000;
	while (!silent.is_over || !head.is_over || !body.is_over || !idle.is_over) {
		uv_run(&loop.uv, UV_RUN_ONCE);
	}
	assert_int_equal(served, 1);
	assert_false(slow.is_over);
	httpd_reply_text(held, 200, "late\n");
	while (!slow.is_over) {
		uv_run(&loop.uv, UV_RUN_ONCE);
	}
	assert_non_null(strstr(buf_string(&slow.answer), "late\n"));
	client_end(&silent);
	client_end(&head);
	client_end(&body);
	client_end(&idle);
	client_end(&slow);
}

static void a_client_within_its_time_is_left_alone(void **state)
{
	struct client client;
	int64_t began_ms;

	(void)state;
	client_begin(&client, "GET /quick HTTP/1.1\r\nHost: x\r\n");
	clock_ahead_ms += 40000;
	began_ms = clock_mono_ms();
	while (clock_mono_ms() - began_ms < 6000) { /* at least one sweep */
		uv_run(&loop.uv, UV_RUN_ONCE);
	}
	assert_false(client.is_over);
	client_end(&client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(incomplete_requests_are_cut_off_and_one_that_waits_for_its_handler_is_not),
	    TEST(a_client_within_its_time_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
