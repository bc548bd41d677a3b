/* test_pg.c - the pool's states, against a server that speaks just enough of the protocol. */
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
#include "common/log.h"
#include "common/pg.h"
#include "tests/unit/common/pgserver.h"

#define WATCHDOG_MS 20000

/* These replace common/clock.c, so that 30 s need not be waited for. */
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

struct rig {
	struct loop loop;
	struct pg *pg;
	struct pgserver server;
	uv_timer_t watchdog;
	int left;
};

struct call {
	struct pg_request request;
	struct rig *rig;
	void (*then)(struct call *call);
	struct fault fault;
	int answers;
	int rows;
	char text[64];
	char sqlstate[6];
	bool returned;
};

static void on_watchdog(uv_timer_t *timer)
{
	(void)timer;
	fputs("the loop waits for something that never comes\n", stderr);
	abort();
}

static int rig_begin(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);

	log_init("unit-test", LOG_ERROR);
	clock_ahead_ms = 0;
	loop_init(&rig->loop);
	uv_timer_init(&rig->loop.uv, &rig->watchdog);
	uv_timer_start(&rig->watchdog, on_watchdog, WATCHDOG_MS, 0);
	pgserver_init(&rig->server, &rig->loop);
	rig->pg = pg_new(&rig->loop, rig->server.url, "unit-test", 2);
	*state = rig;
	return 0;
}

static int rig_end(void **state)
{
	struct rig *rig = *state;

	if (rig->pg != NULL) {
		pg_free(rig->pg);
	}
	loop_close(&rig->loop);
	pgserver_free(&rig->server);
	free(rig);
	return 0;
}

static void rig_stop_listening(struct rig *rig)
{
	uv_close((uv_handle_t *)&rig->server.tcp, NULL);
	uv_run(&rig->loop.uv, UV_RUN_NOWAIT);
}

static void on_done(struct pg_request *request)
{
	struct call *call = container_of(request, struct call, request);

	assert_true(call->returned);
	call->answers++;
	call->fault = request->fault;
	memcpy(call->sqlstate, request->sqlstate, sizeof call->sqlstate);
	if (request->fault.kind == FAULT_NONE) {
		assert_non_null(request->result);
		call->rows = PQntuples(request->result);
		snprintf(call->text, sizeof call->text, "%s", pg_text(request->result, 0, 0));
	} else {
		assert_null(request->result);
	}
	call->rig->left--;
	if (call->then != NULL) {
		call->then(call);
	}
	if (call->rig->left == 0) {
		loop_stop(&call->rig->loop);
	}
}

static void call_send(struct rig *rig, struct call *call)
{
	call->rig = rig;
	call->request.sql = call->request.sql != NULL ? call->request.sql : "SELECT $1";
	call->request.done = on_done;
	call->returned = false;
	rig->left++;
	pg_send(rig->pg, &call->request);
	call->returned = true;
}

static struct call call_with(const char *param)
{
	return (struct call){.request = {.params = {param}, .param_count = 1}};
}

/* ---- the tests ---- */

static void a_statement_is_answered_with_its_result(void **state)
{
	struct rig *rig = *state;
	struct call call = call_with("hello");

	call_send(rig, &call);
	loop_run(&rig->loop);
	assert_int_equal(call.answers, 1);
	assert_int_equal(call.fault.kind, FAULT_NONE);
	assert_int_equal(call.rows, 1);
	assert_string_equal(call.text, "hello");
	assert_true(pg_is_up(rig->pg));
}

static void parameters_are_copied_when_the_request_is_sent(void **state)
{
	struct rig *rig = *state;
	char param[] = "before";
	struct call call = call_with(param);
	struct call null = call_with(NULL);

	call_send(rig, &call);
	call_send(rig, &null);
	memcpy(param, "after!", sizeof param);
	loop_run(&rig->loop);
	assert_string_equal(call.text, "before");
	assert_string_equal(null.text, "null");
	assert_ptr_equal(call.request.params[0], param); /* and stay the caller's */
}

static void send_once_more(struct call *call)
{
	call->then = NULL;
	call_send(call->rig, call);
}

static void a_request_may_be_sent_again_as_it_stands_from_its_own_callback(void **state)
{
	struct rig *rig = *state;
	struct call call = call_with("again");

	call.then = send_once_more;
	call_send(rig, &call);
	loop_run(&rig->loop);
	assert_int_equal(call.answers, 2);
	assert_string_equal(call.text, "again");
}

static void a_statement_is_prepared_once_for_each_connection(void **state)
{
	static const char OTHER[] = "SELECT $1 || 'x'";
	struct rig *rig = *state;

	for (int i = 0; i < 5; i++) {
		struct call one = call_with("1");
		struct call two = call_with("2");

		two.request.sql = OTHER;
		call_send(rig, &one);
		loop_run(&rig->loop);
		call_send(rig, &two);
		loop_run(&rig->loop);
		assert_string_equal(one.text, "1");
		assert_string_equal(two.text, "2");
	}
	assert_int_equal(rig->server.peer_count, 1);
	assert_int_equal(rig->server.parses, 2);
}

static void a_queue_is_worked_off_by_all_connections_and_no_more(void **state)
{
	struct rig *rig = *state;
	struct call calls[100];
	char params[100][16];

	for (int i = 0; i < 100; i++) {
		snprintf(params[i], sizeof params[i], "%d", i);
		calls[i] = call_with(params[i]);
		call_send(rig, &calls[i]);
	}
	loop_run(&rig->loop);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(calls[i].answers, 1);
		assert_string_equal(calls[i].text, params[i]);
	}
	assert_in_range(rig->server.peer_count, 1, 2);
}

static void an_error_asks_for_what_its_code_means_and_the_connection_goes_on(void **state)
{
	static const struct {
		const char *sqlstate;
		enum fault_kind wanted;
	} CASES[] = {{"23505", FAULT_INPUT}, {"42501", FAULT_FATAL}, {"40001", FAULT_RETRY}};
	struct rig *rig = *state;
	struct call last = call_with("fine");

	for (size_t i = 0; i < 3; i++) {
		struct call call = call_with("x");

		rig->server.error = CASES[i].sqlstate;
		call_send(rig, &call);
		loop_run(&rig->loop);
		assert_int_equal(call.fault.kind, CASES[i].wanted);
		assert_string_equal(call.sqlstate, CASES[i].sqlstate);
	}
	rig->server.error = NULL;
	call_send(rig, &last);
	loop_run(&rig->loop);
	assert_string_equal(last.text, "fine");
	assert_string_equal(last.sqlstate, "");
	assert_int_equal(rig->server.peer_count, 1);
	assert_int_equal(rig->server.parses, 1);
}

static void a_statement_that_does_not_prepare_may_be_tried_again(void **state)
{
	struct rig *rig = *state;
	struct call call = call_with("x");

	rig->server.parse_error = "42P01";
	call_send(rig, &call);
	loop_run(&rig->loop);
	assert_int_equal(call.fault.kind, FAULT_FATAL);
	rig->server.parse_error = NULL;
	call_send(rig, &call);
	loop_run(&rig->loop);
	assert_int_equal(call.fault.kind, FAULT_NONE);
	assert_int_equal(rig->server.parses, 2);
}

static void a_server_that_leaves_gets_a_new_session(void **state)
{
	struct rig *rig = *state;
	struct call call = call_with("x");

	rig->server.error = "57P01";
	call_send(rig, &call);
	loop_run(&rig->loop);
	assert_int_equal(call.fault.kind, FAULT_RETRY);
	rig->server.error = NULL;
	call_send(rig, &call);
	loop_run(&rig->loop);
	assert_string_equal(call.text, "x");
	assert_int_equal(rig->server.peer_count, 2);
	assert_int_equal(rig->server.parses, 2);
}

static void a_connection_that_breaks_under_a_statement_answers_retry_and_comes_back(void **state)
{
	struct rig *rig = *state;
	struct call call = call_with("x");

	rig->server.mood = DIES_RUNNING;
	call_send(rig, &call);
	loop_run(&rig->loop);
	assert_int_equal(call.fault.kind, FAULT_RETRY);
	assert_int_equal(call.answers, 1);
	call_send(rig, &call);
	loop_run(&rig->loop);
	assert_string_equal(call.text, "x");
}

static void an_idle_connection_that_breaks_is_made_again_without_a_request(void **state)
{
	struct rig *rig = *state;
	struct call call = call_with("x");

	call_send(rig, &call);
	loop_run(&rig->loop);
	pgserver_hang_up(&rig->server, 0);
	while (rig->server.peer_count == 1 || !pg_is_up(rig->pg)) {
		uv_run(&rig->loop.uv, UV_RUN_ONCE);
	}
	call_send(rig, &call);
	loop_run(&rig->loop);
	assert_string_equal(call.text, "x");
	assert_int_equal(rig->server.peer_count, 2);
}

static void a_statement_that_takes_too_long_answers_retry(void **state)
{
	struct rig *rig = *state;
	struct call call = call_with("x");

	rig->server.mood = HANGS_RUNNING;
	call_send(rig, &call);
	while (rig->server.parses == 0) {
		uv_run(&rig->loop.uv, UV_RUN_ONCE);
	}
	clock_ahead_ms += 31000;
	loop_run(&rig->loop);
	assert_int_equal(call.answers, 1);
	assert_int_equal(call.fault.kind, FAULT_RETRY);
}

/* Three requests to a server in that state: all are tried again later, none before its time. */
static void assert_all_are_put_off(struct rig *rig)
{
	struct call calls[3];

	for (size_t i = 0; i < 3; i++) {
		calls[i] = call_with("x");
		call_send(rig, &calls[i]);
	}
	for (int turn = 0; turn < 20; turn++) {
		uv_run(&rig->loop.uv, UV_RUN_NOWAIT);
	}
	assert_int_equal(rig->left, 3);
	clock_ahead_ms += 31000;
	loop_run(&rig->loop);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(calls[i].answers, 1);
		assert_int_equal(calls[i].fault.kind, FAULT_RETRY);
		assert_int_equal(strncmp(calls[i].fault.what, "PostgreSQL: ", 12), 0);
	}
	assert_false(pg_is_up(rig->pg));
}

static void an_unreachable_server_answers_retry(void **state)
{
	struct rig *rig = *state;

	rig_stop_listening(rig);
	assert_all_are_put_off(rig);
}

static void a_server_that_accepts_and_never_speaks_answers_retry(void **state)
{
	struct rig *rig = *state;

	rig->server.mood = SILENT;
	assert_all_are_put_off(rig);
}

static void a_server_that_slams_the_door_answers_retry(void **state)
{
	struct rig *rig = *state;

	rig->server.mood = SLAMS;
	assert_all_are_put_off(rig);
	assert_in_range(rig->server.peer_count, 1, 6); /* not in a tight loop */
}

static void a_server_that_comes_back_is_found_by_itself(void **state)
{
	struct rig *rig = *state;

	rig->server.mood = SLAMS;
	while (rig->server.peer_count == 0) {
		uv_run(&rig->loop.uv, UV_RUN_ONCE);
	}
	assert_false(pg_is_up(rig->pg));
	rig->server.mood = SERVES;
	clock_ahead_ms += 11000; /* the longest back-off */
	while (!pg_is_up(rig->pg)) {
		uv_run(&rig->loop.uv, UV_RUN_ONCE);
	}
}

static void an_impatient_request_ends_early_and_the_others_keep_their_order(void **state)
{
	struct rig *rig = *state;
	struct call calls[4];

	rig->server.mood = SILENT;
	for (size_t i = 0; i < 4; i++) {
		calls[i] = call_with(i == 0 ? "0" : i == 2 ? "2" : "3");
		calls[i].request.patience_ms = i == 1 ? 2000 : 0;
		call_send(rig, &calls[i]);
	}
	clock_ahead_ms += 2100;
	while (calls[1].answers == 0) {
		uv_run(&rig->loop.uv, UV_RUN_ONCE);
	}
	assert_int_equal(calls[1].fault.kind, FAULT_RETRY);
	assert_int_equal(rig->left, 3);
	rig->server.mood = SERVES;
	clock_ahead_ms += 11000; /* the silent connection is given up */
	loop_run(&rig->loop);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(calls[i].answers, 1);
		assert_int_equal(calls[i].fault.kind, i == 1 ? FAULT_RETRY : FAULT_NONE);
	}
	assert_string_equal(calls[0].text, "0");
	assert_string_equal(calls[2].text, "2");
}

static void a_malformed_url_answers_retry_and_does_not_crash(void **state)
{
	struct rig *rig = *state;
	struct pg *real = rig->pg;
	struct call call = call_with("x");

	rig->pg = pg_new(&rig->loop, "postgresql://[broken", "unit-test", 1);
	call_send(rig, &call);
	clock_ahead_ms += 31000;
	loop_run(&rig->loop);
	assert_int_equal(call.fault.kind, FAULT_RETRY);
	pg_free(rig->pg);
	rig->pg = real;
}

static void freeing_the_pool_answers_what_runs_and_what_waits(void **state)
{
	struct rig *rig = *state;
	struct call calls[5];

	rig->server.mood = HANGS_RUNNING;
	for (size_t i = 0; i < 5; i++) {
		calls[i] = call_with("x");
		call_send(rig, &calls[i]);
	}
	while (rig->server.parses < 2) {
		uv_run(&rig->loop.uv, UV_RUN_ONCE);
	}
	pg_free(rig->pg);
	rig->pg = NULL;
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(calls[i].answers, 1);
		assert_int_equal(calls[i].fault.kind, FAULT_RETRY);
	}
}

static void freeing_a_pool_that_never_ran_is_clean(void **state)
{
	struct rig *rig = *state;

	pg_free(rig->pg);
	rig->pg = NULL;
}

static void free_the_pool(struct call *call)
{
	if (call->rig->pg != NULL) {
		struct pg *pg = call->rig->pg;

		call->rig->pg = NULL;
		pg_free(pg);
	}
}

static void a_callback_may_free_the_pool_and_the_others_are_answered(void **state)
{
	struct rig *rig = *state;
	struct call calls[8];

	for (size_t i = 0; i < 8; i++) {
		calls[i] = call_with("x");
		calls[i].then = free_the_pool;
		call_send(rig, &calls[i]);
	}
	loop_run(&rig->loop);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(calls[i].answers, 1);
	}
}

static void a_full_queue_answers_retry_and_stops_nobody(void **state)
{
	static struct call calls[65536 + 10];
	struct rig *rig = *state;
	int put_off = 0;

	rig_stop_listening(rig);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		calls[i] = call_with("x");
		call_send(rig, &calls[i]);
	}
	uv_run(&rig->loop.uv, UV_RUN_NOWAIT);
	uv_run(&rig->loop.uv, UV_RUN_NOWAIT);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		put_off += calls[i].answers;
	}
	assert_int_equal(put_off, 10);
	pg_free(rig->pg);
	rig->pg = NULL;
	assert_int_equal(rig->left, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_begin, rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_statement_is_answered_with_its_result),
	    TEST(parameters_are_copied_when_the_request_is_sent),
	    TEST(a_request_may_be_sent_again_as_it_stands_from_its_own_callback),
	    TEST(a_statement_is_prepared_once_for_each_connection),
	    TEST(a_queue_is_worked_off_by_all_connections_and_no_more),
	    TEST(an_error_asks_for_what_its_code_means_and_the_connection_goes_on),
	    TEST(a_statement_that_does_not_prepare_may_be_tried_again),
	    TEST(a_server_that_leaves_gets_a_new_session),
	    TEST(a_connection_that_breaks_under_a_statement_answers_retry_and_comes_back),
	    TEST(an_idle_connection_that_breaks_is_made_again_without_a_request),
	    TEST(a_statement_that_takes_too_long_answers_retry),
	    TEST(an_unreachable_server_answers_retry),
	    TEST(a_server_that_accepts_and_never_speaks_answers_retry),
	    TEST(a_server_that_slams_the_door_answers_retry),
	    TEST(a_server_that_comes_back_is_found_by_itself),
	    TEST(an_impatient_request_ends_early_and_the_others_keep_their_order),
	    TEST(a_malformed_url_answers_retry_and_does_not_crash),
	    TEST(freeing_the_pool_answers_what_runs_and_what_waits),
	    TEST(freeing_a_pool_that_never_ran_is_clean),
	    TEST(a_callback_may_free_the_pool_and_the_others_are_answered),
	    TEST(a_full_queue_answers_retry_and_stops_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
