/* watch.c - uv_poll handles that outlive their owners by one turn of the loop. */
#include "common/watch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = container_of(poll, struct watch, poll);

	watch->ready(watch, status, events);
}

static void on_closed(uv_handle_t *handle)
{
	struct watch *watch = container_of((uv_poll_t *)(void *)handle, struct watch, poll);

	close(watch->duplicate);
	free(watch);
}

struct watch *watch_new(struct loop *loop, int fd, void *owner,
			void (*ready)(struct watch *watch, int status, int events))
{
	struct watch *watch = calloc(1, sizeof *watch);

	if (watch == NULL) {
		return NULL;
	}
	watch->duplicate = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (watch->duplicate < 0 || uv_poll_init(&loop->uv, &watch->poll, watch->duplicate) != 0) {
		if (watch->duplicate >= 0) {
			close(watch->duplicate);
		}
		free(watch);
		return NULL;
	}
	watch->fd = fd;
	watch->owner = owner;
	watch->ready = ready;
	return watch;
}

bool watch_start(struct watch *watch, int events)
{
	return uv_poll_start(&watch->poll, events, on_poll) == 0;
}

void watch_free(struct watch *watch)
{
	if (watch != NULL) {
		uv_poll_stop(&watch->poll);
		uv_close((uv_handle_t *)&watch->poll, on_closed);
	}
}
