/* loop.c - the uv loop of a program: deferred calls, stop signals, a clean end. */
#include "common/loop.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void loop_must(int status, const char *what)
{
	if (status != 0) {
		fprintf(stderr, "the event loop can't %s: %s\n", what, uv_strerror(status));
		exit(71);
	}
}

/* Runs the calls that wait now; those they defer run in the next turn. */
static void on_idle(uv_idle_t *idle)
{
	struct loop *loop = container_of(idle, struct loop, idle);
	struct loop_call *call = loop->first;

	loop->first = NULL;
	loop->last = &loop->first;
	while (call != NULL) {
		struct loop_call *next = call->next;

		call->next = NULL;
		call->fn(call);
		call = next;
	}
	if (loop->first == NULL) {
		uv_idle_stop(idle);
	}
}

void loop_init(struct loop *loop)
{
	*loop = (struct loop){0};
	loop->last = &loop->first;
	loop_must(uv_loop_init(&loop->uv), "start");
	loop_must(uv_idle_init(&loop->uv, &loop->idle), "defer calls");
	signal(SIGPIPE, SIG_IGN);
}

void loop_defer(struct loop *loop, struct loop_call *call, void (*fn)(struct loop_call *call))
{
	call->fn = fn;
	call->next = NULL;
	*loop->last = call;
	loop->last = &call->next;
	uv_idle_start(&loop->idle, on_idle);
}

static void loop_signalled(struct loop *loop)
{
	if (++loop->stops > 1) {
		_exit(130);
	}
	loop->on_stop(loop);
}

static void on_term(uv_signal_t *handle, int number)
{
	(void)number;
	loop_signalled(container_of(handle, struct loop, term));
}

static void on_interrupt(uv_signal_t *handle, int number)
{
	(void)number;
	loop_signalled(container_of(handle, struct loop, interrupt));
}

void loop_watch_signals(struct loop *loop, void (*on_stop)(struct loop *loop))
{
	loop->on_stop = on_stop;
	loop_must(uv_signal_init(&loop->uv, &loop->term), "watch signals");
	loop_must(uv_signal_init(&loop->uv, &loop->interrupt), "watch signals");
	loop_must(uv_signal_start(&loop->term, on_term, SIGTERM), "watch SIGTERM");
	loop_must(uv_signal_start(&loop->interrupt, on_interrupt, SIGINT), "watch SIGINT");
	uv_unref((uv_handle_t *)&loop->term);
	uv_unref((uv_handle_t *)&loop->interrupt);
}

void loop_run(struct loop *loop)
{
	uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

static void close_handle(uv_handle_t *handle, void *context)
{
	if (handle != context && !uv_is_closing(handle)) {
		uv_close(handle, NULL);
	}
}

/* To the end, even where somebody asked for a stop that nobody waited for any more. */
static void loop_drain(struct loop *loop)
{
	while (uv_run(&loop->uv, UV_RUN_DEFAULT) != 0) {
	}
}

void loop_close(struct loop *loop)
{
	do { /* a close callback may defer a call, and that call open or close something */
		uv_walk(&loop->uv, close_handle, &loop->idle);
		loop_drain(loop);
	} while (loop->first != NULL);
	uv_close((uv_handle_t *)&loop->idle, NULL);
	loop_drain(loop);
	loop_must(uv_loop_close(&loop->uv), "close");
}
