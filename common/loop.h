/* loop.h - libuv glue: deferred calls, timers that own themselves, watched descriptors.
 *
 * Every handle here is embedded by its owner, who may reuse or free that memory only after its
 * closed callback (libuv's law), or never, for handles that live as long as the program. */
#ifndef CALRELAY_COMMON_LOOP_H
#define CALRELAY_COMMON_LOOP_H

#include <stdint.h>
#include <uv.h>

#define container_of(pointer, type, member)                                                        \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Calls back once, from the loop, never before this returns.  Borrows call until then. */
struct loop_call {
	struct loop_call *next;
	void (*fn)(struct loop_call *call);
};

struct loop {
	uv_loop_t uv;
	uv_idle_t idle; /* active only while calls wait */
	struct loop_call *first;
	struct loop_call **last;
	uv_signal_t term;
	uv_signal_t interrupt;
	void (*on_stop)(struct loop *loop); /* first SIGTERM or SIGINT; a second one exits 130 */
	int stops;
};

void loop_init(struct loop *loop); /* ends the program where the kernel refuses */
void loop_defer(struct loop *loop, struct loop_call *call, void (*fn)(struct loop_call *call));
void loop_watch_signals(struct loop *loop, void (*on_stop)(struct loop *loop));

/* Runs until loop_stop.  */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Closes every handle that is still open, runs their close callbacks and the calls that still wait,
 * closes the loop. */
void loop_close(struct loop *loop);

#endif
