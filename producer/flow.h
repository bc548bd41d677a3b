/* flow.h - the streaming parts wired together: who tells whom that something may go on.
 *
 * stream ─▶ feed ─▶ emit ─▶ publish ─▶ ack ─▶ stream's status; snapshot and fanout emit, too.
 * One session's worth: relay makes it, starts it, and clears it when anything fails. */
#ifndef CALRELAY_PRODUCER_FLOW_H
#define CALRELAY_PRODUCER_FLOW_H

#include "producer/ack.h"
#include "producer/catalog.h"
#include "producer/emit.h"
#include "producer/fanout.h"
#include "producer/feed.h"
#include "producer/lookup.h"
#include "producer/publish.h"
#include "producer/snapshot.h"
#include "producer/stream.h"

struct flow {
	struct loop *loop;
	struct pg *pg;
	const struct settings *settings;
	struct catalog catalog;
	struct ack ack;
	struct emit emit;
	struct lookup lookup;
	struct fanout fanout;
	struct feed feed;
	struct snapshot snapshot;
	struct stream stream;
	struct publish *publish; /* NULL outside a session */
	struct publish_owner owner;
	struct tails tails;
	struct metric *commit_to_ack;

	struct pg_request
	    see; /* asks for a snapshot when only that holds an acknowledgement back */
	bool seeing;
	uv_timer_t see_timer;
	bool cleared;
	void (*failed)(struct flow *flow, const struct fault *fault); /* at most once per session */
	void (*snapshot_ended)(struct flow *flow);
};

void flow_init(struct flow *flow, struct loop *loop, struct pg *pg,
	       const struct settings *settings);
void flow_close(struct flow *flow);

/* Opens the way to Kafka for a session.  timeout_ms as publish_new. */
bool flow_open(struct flow *flow, int timeout_ms, struct fault *fault) MUST_CHECK;
/* Lets go of all that waits; closed comes when Kafka's client is gone, at once where there is none.
 */
void flow_clear(struct flow *flow, void (*closed)(void *context), void *context);

bool flow_is_empty(const struct flow *flow); /* nothing waits and nothing is on its way */

#endif
