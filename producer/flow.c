/* flow.c - the streaming parts wired together. */
#include "producer/flow.h"

#include "common/clock.h"
#include "common/log.h"

#define FLOW_SEE_MS 20 /* how often at most we ask what is visible by now */

static const char SEE_SQL[] = "SELECT pg_current_snapshot()::text";

static void flow_fail(struct flow *flow, const struct fault *fault)
{
	if (!flow->cleared) {
		flow->cleared = true;
		flow->feed.stopped = true;
		flow->failed(flow, fault);
	}
}

/* ---- acknowledgement ---- */

static void on_see_timer(uv_timer_t *timer);

/* Takes what is done off the queue; asks for a snapshot where only that is missing. */
static void flow_advance(struct flow *flow)
{
	(void)ack_advance(&flow->ack);
	if (ack_wants_snapshot(&flow->ack) && !flow->seeing &&
	    !uv_is_active((const uv_handle_t *)&flow->see_timer)) {
		uv_timer_start(&flow->see_timer, on_see_timer, FLOW_SEE_MS, 0);
	}
}

static void on_seen(struct pg_request *request)
{
	struct flow *flow = container_of(request, struct flow, see);
	struct fault fault = request->fault;
	struct visible *seen = NULL;

	flow->seeing = false;
	if (flow->cleared) {
		return;
	}
	if (fault.kind == FAULT_NONE) {
		seen = visible_read(pg_text(request->result, 0, 0), &fault);
	}
	if (fault.kind != FAULT_NONE) {
		/* also for a retry: a server that shuts down waits for this stream to end, and
		 * gives no other answer until then */
		flow_fail(flow, &fault);
		return;
	}
	if (seen != NULL) {
		(void)ack_see(&flow->ack, seen, 0);
		visible_let_go(seen);
	}
	flow_advance(flow);
	stream_resume(&flow->stream);
}

static void on_see_timer(uv_timer_t *timer)
{
	struct flow *flow = container_of(timer, struct flow, see_timer);

	if (flow->cleared || flow->seeing || !ack_wants_snapshot(&flow->ack)) {
		return;
	}
	flow->seeing = true;
	flow->see =
	    (struct pg_request){.sql = SEE_SQL, .patience_ms = LOOKUP_PATIENCE_MS, .done = on_seen};
	pg_send(flow->pg, &flow->see);
}

/* ---- what the parts tell ---- */

static void on_delivered(struct publish_owner *owner, uint64_t number)
{
	struct flow *flow = container_of(owner, struct flow, owner);

	if (number == 0) {
		snapshot_delivered(&flow->snapshot);
	} else if (ack_delivered(&flow->ack, number)) {
		int64_t commit_us = ack_find(&flow->ack, number)->commit_time_us;

		metric_observe(flow->commit_to_ack, NULL,
			       (double)(clock_wall_us() - commit_us) / 1e6);
	}
}

static void on_settled(struct publish_owner *owner)
{
	struct flow *flow = container_of(owner, struct flow, owner);

	if (flow->cleared) {
		return;
	}
	flow_advance(flow);
	snapshot_resume(&flow->snapshot);
	fanout_resume(&flow->fanout);
	feed_pump(&flow->feed);
}

static void on_publish_failed(struct publish_owner *owner, const struct fault *fault)
{
	flow_fail(container_of(owner, struct flow, owner), fault);
}

static void on_moved(struct feed *feed)
{
	struct flow *flow = container_of(feed, struct flow, feed);

	if (!flow->cleared) {
		flow_advance(flow);
		stream_resume(&flow->stream);
	}
}

static void on_feed_failed(struct feed *feed, const struct fault *fault)
{
	flow_fail(container_of(feed, struct flow, feed), fault);
}

/* A table that changed under a statement: a new session reads the catalog anew. */
static struct fault soften(const struct fault *fault, const char *sqlstate)
{
	struct fault softer = *fault;

	if (sqlstate[0] == '4' && sqlstate[1] == '2' && sqlstate[2] == '7') {
		softer.kind = FAULT_RETRY;
	}
	return softer;
}

static void on_answered(struct lookup *lookup, const struct fault *fault)
{
	struct flow *flow = container_of(lookup, struct flow, lookup);
	struct fault softer = soften(fault, lookup->request.sqlstate);

	if (flow->cleared) {
		return;
	}
	if (fault->kind != FAULT_NONE) {
		flow_fail(flow, &softer);
		return;
	}
	flow_advance(flow);
	feed_pump(&flow->feed);
}

static void on_fanned_out(struct fanout *fanout, const struct fault *fault)
{
	struct flow *flow = container_of(fanout, struct flow, fanout);
	struct fault softer = soften(fault, fanout->request.sqlstate);

	if (flow->cleared) {
		return;
	}
	if (fault->kind != FAULT_NONE) {
		flow_fail(flow, &softer);
		return;
	}
	feed_pump(&flow->feed);
}

static void on_snapshot_ended(struct snapshot *snapshot, const struct fault *fault)
{
	struct flow *flow = container_of(snapshot, struct flow, snapshot);
	struct fault softer = soften(fault, snapshot->step.sqlstate);

	if (fault->kind != FAULT_NONE) {
		flow_fail(flow, &softer);
	} else if (!flow->cleared) {
		flow->snapshot_ended(flow);
	}
}

static void on_stream_failed(struct stream *stream, const struct fault *fault)
{
	flow_fail(container_of(stream, struct flow, stream), fault);
}

/* ---- life ---- */

void flow_init(struct flow *flow, struct loop *loop, struct pg *pg, const struct settings *settings)
{
	flow->loop = loop;
	flow->pg = pg;
	flow->settings = settings;
	flow->owner = (struct publish_owner){
	    .delivered = on_delivered, .settled = on_settled, .failed = on_publish_failed};
	catalog_init(&flow->catalog, pg, settings);
	ack_init(&flow->ack);
	emit_init(&flow->emit);
	flow->emit.prefix = settings->prefix;
	flow->emit.has_schemas = settings->schemas_enable;
	flow->emit.partitions = (int32_t)settings->partitions;
	lookup_init(&flow->lookup, loop, pg, &flow->catalog, &flow->ack);
	flow->lookup.answered = on_answered;
	fanout_init(&flow->fanout, loop);
	flow->fanout.pg = pg;
	flow->fanout.catalog = &flow->catalog;
	flow->fanout.ack = &flow->ack;
	flow->fanout.emit = &flow->emit;
	flow->fanout.ended = on_fanned_out;
	feed_init(&flow->feed);
	flow->feed.emit = &flow->emit;
	flow->feed.tells_transaction = settings->transaction_metadata;
	flow->feed.ack = &flow->ack;
	flow->feed.lookup = &flow->lookup;
	flow->feed.fanout = &flow->fanout;
	flow->feed.moved = on_moved;
	flow->feed.failed = on_feed_failed;
	flow->snapshot.catalog = &flow->catalog;
	flow->snapshot.pg = pg;
	flow->snapshot.emit = &flow->emit;
	flow->snapshot.ended = on_snapshot_ended;
	stream_init(&flow->stream, loop, &settings->map);
	flow->stream.ack = &flow->ack;
	flow->stream.feed = &flow->feed;
	flow->stream.catalog = &flow->catalog;
	flow->stream.failed = on_stream_failed;
	uv_timer_init(&loop->uv, &flow->see_timer);
	flow->cleared = true;
}

void flow_close(struct flow *flow)
{
	feed_clear(&flow->feed);
	stream_close(&flow->stream);
	fanout_close(&flow->fanout);
	lookup_close(&flow->lookup);
	emit_close(&flow->emit);
	catalog_close(&flow->catalog);
	uv_close((uv_handle_t *)&flow->see_timer, NULL);
}

bool flow_open(struct flow *flow, int timeout_ms, struct fault *fault)
{
	flow->publish =
	    publish_new(flow->loop, flow->settings, timeout_ms, &flow->tails, &flow->owner, fault);
	flow->emit.publish = flow->publish;
	flow->cleared = flow->publish == NULL;
	return flow->publish != NULL;
}

void flow_clear(struct flow *flow, void (*closed)(void *context), void *context)
{
	struct publish *publish = flow->publish;
	uint64_t done_lsn = flow->ack.done_lsn;

	flow->cleared = true;
	uv_timer_stop(&flow->see_timer);
	stream_drop(&flow->stream);
	snapshot_stop(&flow->snapshot);
	fanout_stop(&flow->fanout);
	feed_clear(&flow->feed);
	lookup_clear(&flow->lookup);
	ack_init(&flow->ack);
	flow->ack.done_lsn = done_lsn; /* the next session goes on behind it */
	flow->publish = NULL;
	flow->emit.publish = NULL;
	if (publish != NULL) {
		publish_close(publish, closed, context);
	} else {
		closed(context);
	}
}

bool flow_is_empty(const struct flow *flow)
{
	return flow->feed.first == NULL && !flow->fanout.active &&
	       (flow->publish == NULL || publish_in_flight(flow->publish) == 0);
}
