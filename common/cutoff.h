/* cutoff.h - cuts off HTTP clients whose request is not complete in time.
 *
 * libmicrohttpd's own time-out is of inactivity: one byte a minute would hold a connection for
 * ever. */
#ifndef CALRELAY_COMMON_CUTOFF_H
#define CALRELAY_COMMON_CUTOFF_H

#include <microhttpd.h>
#include <stdbool.h>

#include "common/loop.h"

#define CUTOFF_WITHIN_MS 60000 /* head and body, from the connection or the previous answer on */

struct cutoff {
	uv_timer_t sweep;
	struct cutoff_connection *first;
};

/* Embedded; named end: uv_close on sweep, after the daemon has stopped. */
void cutoff_init(struct cutoff *cutoff, struct loop *loop);

/* An MHD_NotifyConnectionCallback whose context is the struct cutoff. */
void cutoff_on_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
			  enum MHD_ConnectionNotificationCode code);

/* While a request is being answered, the time is its handler's and not the client's. */
void cutoff_mark(struct MHD_Connection *mhd, bool is_answering);

#endif
