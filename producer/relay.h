/* relay.h - the producer's life: connect, check, own the slot, fill, stream; and again when
 * anything breaks.
 *
 * A table of steps (producer/steps.c), read downwards.  Each begins something and answers once,
 * later; a fault of any step clears everything and begins again from the first, after a pause. */
#ifndef CALRELAY_PRODUCER_RELAY_H
#define CALRELAY_PRODUCER_RELAY_H

#include "common/loop.h"
#include "common/metrics.h"
#include "producer/flow.h"
#include "producer/oversee.h"
#include "producer/session.h"
#include "producer/settings.h"
#include "producer/slot.h"
#include "producer/topics.h"

enum relay_step {
	RELAY_TOPICS,
	RELAY_CHECK,
	RELAY_VIEW,
	RELAY_CONNECT,
	RELAY_IDENTIFY,
	RELAY_SLOT,
	RELAY_IMPORT_CONNECT,
	RELAY_IMPORT,
	RELAY_STREAM_START,
	RELAY_STANDBY,
	RELAY_WATCH,
	RELAY_VIEW_AGAIN,
	RELAY_TAILS,
	RELAY_EPOCH,
	RELAY_MEND,
	RELAY_CATALOG,
	RELAY_FILL_CONNECT,
	RELAY_FILL,
	RELAY_VANISHED,
	RELAY_MEND_VANISHED,
	RELAY_FILLED,
	RELAY_STREAM,
	RELAY_PAUSE,
	RELAY_DRAIN,
	RELAY_STEPS /* no further step */
};

struct relay {
	struct loop *loop;
	const struct settings *settings;
	struct pg *pg;
	struct flow flow;

	enum relay_step step;
	unsigned session; /* counts starts: an answer to an earlier one is not for us */
	bool stopping;
	bool clearing;
	bool standing_by; /* another producer has the slot */
	int status;	  /* of the program */
	int pause_ms;
	int64_t drain_by_ms;
	uv_timer_t timer; /* of the step */
	struct loop_call skip;
	struct loop_call fail;
	bool failing;
	struct fault fault;

	struct topics_job topics;
	bool topics_running;
	struct oversee oversee;
	const PGresult *result;	     /* of the step's statement, while its finish runs */
	struct session *replication; /* until the stream takes it over */
	struct session *fill;	     /* the snapshot's; holds the exported one if has_exported */
	struct session_step answer;
	struct buf command;
	bool has_exported;
	char exported[64];
	struct slot_view view;
	struct slot_system system;
	struct slot_topics in_topics;
	struct slot_epoch epoch;
};

void relay_init(struct relay *relay, struct loop *loop, const struct settings *settings);
void relay_start(struct relay *relay);

/* Drains what is on its way, acknowledges it, and stops the loop. */
void relay_stop(struct relay *relay);
void relay_close(struct relay *relay); /* after the loop stopped, before it is closed */

/* Whether the server said that another producer has the slot, and still answers. */
bool relay_stands_by(const struct relay *relay);
bool relay_is_ready(const struct relay *relay, char reason[128]);

/* ---- for the steps ---- */

/* The step is over: its finish says what follows. */
void relay_resume(struct relay *relay, const struct fault *fault);
/* The step had nothing to wait for. */
void relay_skip(struct relay *relay);
/* Everything of the session goes; then a pause and a new start, or the end. */
void relay_clear(struct relay *relay);
void relay_cleared(void *context);

#endif
