/* test_loop.c - deferred calls: once, in order, later; signals; a clean end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/loop.h"

struct note {
	struct loop_call call;
	struct loop *loop;
	char letter;
	int again; /* how often it defers itself once more */
	bool ends;
};

static char notes[64];

static void write_note(char letter)
{
	size_t length = strlen(notes);

	assert_in_range(length, 0, sizeof notes - 2);
	notes[length] = letter;
	notes[length + 1] = '\0';
}

static void on_call(struct loop_call *call)
{
	struct note *note = container_of(call, struct note, call);

	write_note(note->letter);
	if (note->again-- > 0) {
		loop_defer(note->loop, &note->call, on_call);
	}
	if (note->ends) {
		loop_stop(note->loop);
	}
}

static int begin(void **state)
{
	struct loop *loop = malloc(sizeof *loop);

	loop_init(loop);
	notes[0] = '\0';
	*state = loop;
	return 0;
}

static int end(void **state)
{
	loop_close(*state);
	free(*state);
	return 0;
}

static void calls_run_once_in_order_and_not_before_defer_returns(void **state)
{
	struct loop *loop = *state;
	struct note a = {.loop = loop, .letter = 'a'};
	struct note b = {.loop = loop, .letter = 'b'};
	struct note c = {.loop = loop, .letter = 'c'};

	loop_defer(loop, &a.call, on_call);
	loop_defer(loop, &b.call, on_call);
	loop_defer(loop, &c.call, on_call);
	assert_string_equal(notes, "");
	loop_run(loop);
	assert_string_equal(notes, "abc");
	loop_run(loop);
	assert_string_equal(notes, "abc");
}

static void a_call_deferred_by_a_call_waits_for_the_others(void **state)
{
	struct loop *loop = *state;
	struct note a = {.loop = loop, .letter = 'a', .again = 2};
	struct note b = {.loop = loop, .letter = 'b', .again = 1};

	loop_defer(loop, &a.call, on_call);
	loop_defer(loop, &b.call, on_call);
	loop_run(loop);
	assert_string_equal(notes, "ababa");
}

static void on_last_call(struct loop_call *call)
{
	free(container_of(call, struct note, call));
}

static void a_call_may_free_its_own_memory(void **state)
{
	struct loop *loop = *state;

	for (int i = 0; i < 3; i++) {
		struct note *note = calloc(1, sizeof *note);

		loop_defer(loop, &note->call, on_last_call);
	}
	loop_run(loop);
}

static void on_timer(uv_timer_t *timer)
{
	write_note('t');
	uv_timer_stop(timer);
}

static void deferring_does_not_starve_timers(void **state)
{
	struct loop *loop = *state;
	struct note a = {.loop = loop, .letter = 'a', .again = 20};
	uv_timer_t timer;

	uv_timer_init(&loop->uv, &timer);
	uv_timer_start(&timer, on_timer, 0, 0);
	loop_defer(loop, &a.call, on_call);
	loop_run(loop);
	assert_int_equal(notes[0], 't');
	uv_close((uv_handle_t *)&timer, NULL);
	loop_run(loop);
}

static void stop_ends_the_run_and_the_rest_waits(void **state)
{
	struct loop *loop = *state;
	struct note a = {.loop = loop, .letter = 'a', .again = 1, .ends = true};

	loop_defer(loop, &a.call, on_call);
	loop_run(loop);
	assert_string_equal(notes, "a");
	loop_run(loop);
	assert_string_equal(notes, "aa");
}

static void an_idle_loop_ends_by_itself(void **state)
{
	loop_run(*state);
}

static void closing_runs_the_calls_that_still_wait(void **state)
{
	struct loop loop;
	struct note a = {.loop = &loop, .letter = 'a', .again = 1};

	(void)state;
	loop_init(&loop);
	notes[0] = '\0';
	loop_defer(&loop, &a.call, on_call);
	loop_close(&loop);
	assert_string_equal(notes, "aa");
}

static struct note closing_note = {.letter = 'c'};

static void on_closed(uv_handle_t *handle)
{
	loop_defer(container_of(handle->loop, struct loop, uv), &closing_note.call, on_call);
}

static void closing_runs_what_a_close_callback_defers(void **state)
{
	struct loop loop;
	uv_timer_t open;
	uv_timer_t closing;

	(void)state;
	loop_init(&loop);
	notes[0] = '\0';
	uv_timer_init(&loop.uv, &open);
	uv_timer_start(&open, on_timer, 1000000, 0);
	uv_timer_init(&loop.uv, &closing);
	uv_close((uv_handle_t *)&closing, on_closed);
	loop_stop(&loop); /* a stop that nobody waited for any more */
	loop_close(&loop);
	assert_string_equal(notes, "c");
}

static void on_stop(struct loop *loop)
{
	write_note('s');
	loop_stop(loop);
}

static void sigterm_and_sigint_stop_in_an_orderly_way(void **state)
{
	static const int SIGNALS[] = {SIGTERM, SIGINT};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct loop loop;
		uv_timer_t holds;

		loop_init(&loop);
		notes[0] = '\0';
		loop_watch_signals(&loop, on_stop);
		uv_timer_init(&loop.uv, &holds);
		uv_timer_start(&holds, on_timer, 10000, 0);
		raise(SIGNALS[i]);
		loop_run(&loop);
		assert_string_equal(notes, "s");
		loop_close(&loop);
	}
}

static void on_stop_that_takes_long(struct loop *loop)
{
	(void)loop;
	raise(SIGTERM);
}

static void a_second_signal_ends_at_once_with_130(void **state)
{
	pid_t child = fork();
	int status = 0;

	(void)state;
	if (child == 0) {
		struct loop loop;
		uv_timer_t holds;

		loop_init(&loop);
		loop_watch_signals(&loop, on_stop_that_takes_long);
		uv_timer_init(&loop.uv, &holds);
		uv_timer_start(&holds, on_timer, 10000, 0);
		raise(SIGTERM);
		loop_run(&loop);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 130);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(calls_run_once_in_order_and_not_before_defer_returns),
	    TEST(a_call_deferred_by_a_call_waits_for_the_others),
	    TEST(a_call_may_free_its_own_memory),
	    TEST(deferring_does_not_starve_timers),
	    TEST(stop_ends_the_run_and_the_rest_waits),
	    TEST(an_idle_loop_ends_by_itself),
	    cmocka_unit_test(closing_runs_the_calls_that_still_wait),
	    cmocka_unit_test(closing_runs_what_a_close_callback_defers),
	    cmocka_unit_test(sigterm_and_sigint_stop_in_an_orderly_way),
	    cmocka_unit_test(a_second_signal_ends_at_once_with_130),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
