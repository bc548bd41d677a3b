/* watch.h - a watched descriptor with a life of its own, for libraries that close theirs at will.
 *
 * uv closes a handle later than the library closes the descriptor, so the handle can't be embedded
 * in what the library's callbacks free. */
#ifndef CALRELAY_COMMON_WATCH_H
#define CALRELAY_COMMON_WATCH_H

#include <stdbool.h>

#include "common/loop.h"

struct watch {
	uv_poll_t poll;
	int fd;
	void *owner;
	void (*ready)(struct watch *watch, int status, int events);
};

/* NULL where memory or the kernel refuses.  Named end: watch_free, before fd is closed. */
struct watch *watch_new(struct loop *loop, int fd, void *owner,
			void (*ready)(struct watch *watch, int status, int events));

/* events: UV_READABLE | UV_WRITABLE; replaces those asked for before. */
bool watch_start(struct watch *watch, int events);

/* Never calls ready again; the memory goes when uv lets it.  NULL is fine. */
void watch_free(struct watch *watch);

#endif
