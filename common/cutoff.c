/* cutoff.c - a list of connections with the time since when each owes us a request. */
#include "common/cutoff.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/clock.h"

#define CUTOFF_SWEEP_EVERY_MS 5000

struct cutoff_connection {
	struct cutoff_connection *next;
	struct cutoff_connection *previous;
	int64_t since_ms; /* connected, or done with the previous request */
	int fd;
	bool is_answering;
};

static void on_sweep(uv_timer_t *timer)
{
	struct cutoff *cutoff = container_of(timer, struct cutoff, sweep);
	int64_t now_ms = clock_mono_ms();

	for (struct cutoff_connection *at = cutoff->first; at != NULL; at = at->next) {
		if (!at->is_answering &&
		    now_ms - at->since_ms > CUTOFF_WITHIN_MS - CUTOFF_SWEEP_EVERY_MS) {
			shutdown(at->fd, SHUT_RDWR); /* libmicrohttpd sees the end and closes it */
		}
	}
}

void cutoff_init(struct cutoff *cutoff, struct loop *loop)
{
	cutoff->first = NULL;
	uv_timer_init(&loop->uv, &cutoff->sweep);
	uv_timer_start(&cutoff->sweep, on_sweep, CUTOFF_SWEEP_EVERY_MS, CUTOFF_SWEEP_EVERY_MS);
}

static struct cutoff_connection *connection_add(struct cutoff *cutoff, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct cutoff_connection *connection = info != NULL ? calloc(1, sizeof *connection) : NULL;

	if (connection == NULL) {
		return NULL;
	}
	connection->fd = info->connect_fd;
	connection->since_ms = clock_mono_ms();
	connection->next = cutoff->first;
	if (connection->next != NULL) {
		connection->next->previous = connection;
	}
	cutoff->first = connection;
	return connection;
}

static void connection_remove(struct cutoff *cutoff, struct cutoff_connection *connection)
{
	if (connection->previous != NULL) {
		connection->previous->next = connection->next;
	} else {
		cutoff->first = connection->next;
	}
	if (connection->next != NULL) {
		connection->next->previous = connection->previous;
	}
	free(connection);
}

void cutoff_on_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*socket_context = connection_add(context, mhd);
	} else if (*socket_context != NULL) {
		connection_remove(context, *socket_context);
		*socket_context = NULL;
	}
}

void cutoff_mark(struct MHD_Connection *mhd, bool is_answering)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct cutoff_connection *connection = info != NULL ? info->socket_context : NULL;

	if (connection != NULL) {
		connection->is_answering = is_answering;
		connection->since_ms = clock_mono_ms();
	}
}
