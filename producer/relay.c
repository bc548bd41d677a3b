/* relay.c - the producer's life: from step to step, and what happens when one breaks. */
#include "producer/relay.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/log.h"
#include "producer/steps.h"

#define RELAY_CONNECTIONS    2
#define RELAY_PAUSE_FIRST_MS 200
#define RELAY_DRAIN_MAX_MS   10000

static void relay_enter(struct relay *relay, enum relay_step step)
{
	log_debug("step", LOG_TEXT("from", STEPS[relay->step].name),
		  LOG_TEXT("to", STEPS[step].name));
	relay->step = step;
	STEPS[step].begin(relay);
}

static void relay_fail(struct relay *relay, const struct fault *fault)
{
	if (fault->kind == FAULT_FATAL) {
		log_error("stopping", LOG_TEXT("step", STEPS[relay->step].name),
			  LOG_TEXT("reason", fault->what));
		relay->status = 1;
	} else {
		log_warn("starting over", LOG_TEXT("step", STEPS[relay->step].name),
			 LOG_TEXT("reason", fault->what), LOG_NUMBER("pause_ms", relay->pause_ms));
	}
	relay_clear(relay);
}

void relay_resume(struct relay *relay, const struct fault *fault)
{
	struct fault outcome = *fault;
	enum relay_step next = STEPS[relay->step].finish(relay, &outcome);

	if (outcome.kind != FAULT_NONE) {
		relay_fail(relay, &outcome);
	} else if (next != RELAY_STEPS) {
		relay_enter(relay, next);
	}
}

static void on_skip(struct loop_call *call)
{
	struct relay *relay = container_of(call, struct relay, skip);
	struct fault none = {0};

	if (!relay->clearing) {
		relay_resume(relay, &none);
	}
}

void relay_skip(struct relay *relay)
{
	loop_defer(relay->loop, &relay->skip, on_skip);
}

void relay_clear(struct relay *relay)
{
	relay->clearing = true;
	relay->standing_by = false;
	relay->session++;
	uv_timer_stop(&relay->timer);
	session_free(relay->replication);
	session_free(relay->fill);
	relay->replication = NULL;
	relay->fill = NULL;
	stream_drop(&relay->flow.stream); /* the slot is free at once */
	atomic_store(&relay->topics.stop, true);
	if (!oversee_stop(&relay->oversee) || relay->topics_running) {
		return; /* its end goes on, in relay_cleared */
	}
	flow_clear(&relay->flow, relay_cleared, relay);
}

void relay_cleared(void *context)
{
	struct relay *relay = context;

	if (relay->flow.publish != NULL) {
		flow_clear(&relay->flow, relay_cleared, relay);
		return;
	}
	if (relay->stopping || relay->status != 0) {
		loop_stop(relay->loop);
		return;
	}
	relay->clearing = false;
	relay_enter(relay, RELAY_PAUSE);
}

/* ---- what the flow tells ---- */

static void on_fail(struct loop_call *call)
{
	struct relay *relay = container_of(call, struct relay, fail);

	relay->failing = false;
	if (!relay->clearing) {
		relay_fail(relay, &relay->fault);
	}
}

/* Comes from deep inside the flow: what it stands on must not go before it has returned. */
static void on_flow_failed(struct flow *flow, const struct fault *fault)
{
	struct relay *relay = container_of(flow, struct relay, flow);

	if (!relay->failing) {
		relay->failing = true;
		relay->fault = *fault;
		loop_defer(relay->loop, &relay->fail, on_fail);
	}
}

static void on_snapshot_ended(struct flow *flow)
{
	struct relay *relay = container_of(flow, struct relay, flow);
	struct fault none = {0};

	if (!relay->clearing && relay->step == RELAY_FILL) {
		relay_resume(relay, &none);
	}
}

static void on_overseen(struct oversee *oversee, const struct fault *fault)
{
	struct relay *relay = container_of(oversee, struct relay, oversee);

	if (relay->clearing) {
		relay_cleared(relay);
	} else if (fault->kind != FAULT_NONE) {
		relay_fail(relay, fault);
	}
}

/* ---- life ---- */

void relay_init(struct relay *relay, struct loop *loop, const struct settings *settings)
{
	relay->loop = loop;
	relay->settings = settings;
	relay->pause_ms = RELAY_PAUSE_FIRST_MS;
	relay->pg = pg_new(loop, settings->database_url, "calrelay-producer", RELAY_CONNECTIONS);
	buf_init(&relay->command, 4096);
	uv_timer_init(&loop->uv, &relay->timer);
	flow_init(&relay->flow, loop, relay->pg, settings);
	relay->flow.failed = on_flow_failed;
	relay->flow.snapshot_ended = on_snapshot_ended;
	oversee_init(&relay->oversee, loop, &relay->flow);
	relay->oversee.ended = on_overseen;
}

void relay_start(struct relay *relay)
{
	relay_enter(relay, RELAY_TOPICS);
}

void relay_stop(struct relay *relay)
{
	log_info("stopping", LOG_TEXT("step", STEPS[relay->step].name));
	relay->stopping = true;
	if (relay->clearing) {
		return; /* relay_cleared ends it */
	}
	if (relay->step != RELAY_STREAM) {
		relay_clear(relay);
		return;
	}
	(void)!oversee_stop(&relay->oversee);
	stream_stop_reading(&relay->flow.stream);
	relay->drain_by_ms = clock_mono_ms() + RELAY_DRAIN_MAX_MS;
	relay_enter(relay, RELAY_DRAIN);
}

void relay_close(struct relay *relay)
{
	relay->clearing = true;
	pg_free(relay->pg);
	flow_close(&relay->flow);
	oversee_close(&relay->oversee);
	late_clear(&relay->topics.late);
	buf_close(&relay->command);
	uv_close((uv_handle_t *)&relay->timer, NULL);
}

bool relay_stands_by(const struct relay *relay)
{
	return relay->standing_by && pg_is_up(relay->pg);
}

bool relay_is_ready(const struct relay *relay, char reason[128])
{
	bool ready = !relay->clearing && !relay->stopping &&
		     (relay->step == RELAY_STREAM || relay_stands_by(relay));

	snprintf(reason, 128, "%s: %s", ready ? "ready" : "not streaming", STEPS[relay->step].name);
	return ready;
}
