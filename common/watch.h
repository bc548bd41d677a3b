/* watch.h - a watched descriptor with a life of its own, for libraries that close theirs at will.
 *
 * A duplicate is watched: a library may close its own inside any call (libpq does, when it sees the
 * connection end), and uv aborts the program where a descriptor it watches is gone.  uv closes a
 * handle later, so it can't be embedded in what the library's callbacks free. */
#ifndef CALRELAY_COMMON_WATCH_H
#define CALRELAY_COMMON_WATCH_H

#include <stdbool.h>

#include "common/loop.h"

struct watch {
	uv_poll_t poll;
	int fd;	       /* the library's; only a name by now */
	int duplicate; /* owned */
	void *owner;
	void (*ready)(struct watch *watch, int status, int events);
};

/* NULL where memory or the kernel refuses.  fd is borrowed for the call only.  Named end:
 * watch_free; until then the connection behind it stays open. */
struct watch *watch_new(struct loop *loop, int fd, void *owner,
			void (*ready)(struct watch *watch, int status, int events));

/* events: UV_READABLE | UV_WRITABLE, or 0 for none; replaces those asked for before. */
bool watch_start(struct watch *watch, int events);

/* Never calls ready again; the memory goes when uv lets it.  NULL is fine. */
void watch_free(struct watch *watch);

#endif
