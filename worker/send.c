/* send.c - one $batch to Graph and what its answers ask for. */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/steps.h"
#include "worker/worker.h"

#define SEND_DEADLINE_MS  30000 /* well below the quarantine: a lost request is lost by then */
#define SEND_THROTTLED_MS 5000	/* a 429 that does not say how long */

void graph_observe(struct run *run, const char *kind)
{
	double total_s;
	char status[12] = "none";

	if (run->http.reply.status > 0) {
		snprintf(status, sizeof status, "%d", run->http.reply.status);
	}
	total_s = (double)(clock_mono_ms() - run->started_exchange_ms) / 1000.0;
	STATS_COUNT(run->worker->stats.graph_requests, kind, status);
	metric_observe(run->worker->stats.graph_seconds, (const char *const[]){kind}, total_s);
}

/* A mailbox waits as long as Graph says: here if that is short, parked if it is long. */
static enum run_step mailbox_throttled(struct run *run, int64_t retry_after_ms, enum run_step again)
{
	int64_t wait_ms = retry_after_ms >= 0 ? retry_after_ms : SEND_THROTTLED_MS;

	if (wait_ms <= RUN_WAIT_MOST_MS) {
		return run_stuck(run, "throttled", wait_ms > 0 ? wait_ms : 1, again);
	}
	return run_park(run, "throttled", clock_wall_ms() + wait_ms, false);
}

enum run_step graph_refused(struct run *run, enum run_step again)
{
	const struct http_reply *reply = &run->http.reply;

	if (run->fault.kind == FAULT_NONE && reply->status < 500) {
		run_served(run, &run->worker->graph);
	}
	switch (reply->status) {
	case 401:
		return run_refused_token(run, again);
	case 403:
	case 404:
		return run_park(run, "mailbox", clock_wall_ms() + RUN_PARK_MS, false);
	case 429:
		return mailbox_throttled(run, reply->retry_after_ms, again);
	case 400:
	case 410:
	case 413:
		/* ours or this mailbox's fault, for long: no partition waits for it */
		log_error("Graph refuses a whole request",
			  LOG_TEXT("user.id", run->lane->user_text),
			  LOG_NUMBER("http.response.status_code", reply->status),
			  LOG_TEXT("request.id", reply->request_id));
		return run_park(run, "refused", clock_wall_ms() + RUN_PARK_MS, false);
	default:
		if (reply->retry_after_ms > RUN_WAIT_MOST_MS) {
			return mailbox_throttled(run, reply->retry_after_ms, again);
		}
		log_warn("Graph does not serve", LOG_TEXT("user.id", run->lane->user_text),
			 LOG_NUMBER("http.response.status_code", reply->status),
			 LOG_TEXT("error", run->fault.what),
			 LOG_TEXT("request.id", reply->request_id));
		run_unserved(run, &run->worker->graph);
		return run_stuck(run, "unavailable",
				 reply->retry_after_ms > 0 ? reply->retry_after_ms : 0, again);
	}
}

/* The chunk's operations, as they are; the same for the request and for its answer. */
static void send_choose(const struct run *run, struct batch *batch)
{
	batch->map = &run->worker->map;
	batch->count = 0;
	for (int i = 0; i < run->chunk_count; i++) {
		const struct task *task = run->chunk[i];
		const struct row *row = run_row(run, &task->assignment);

		if (task->stage == TASK_INTENDED) {
			batch->items[batch->count++] =
			    (struct batch_item){.op = task->op,
						.event = &task->event,
						.written = row != NULL ? row->is.category : NULL,
						.assignment = task->assignment};
		}
	}
}

static void on_sent(struct http_request *request)
{
	struct run *run = container_of(request, struct run, http);

	run->fault = request->fault;
	graph_observe(run, "batch");
	run_resume(run);
}

void send_start(struct run *run)
{
	struct worker *worker = run->worker;
	struct batch batch;

	if (run_is_held(run, &worker->graph)) {
		return;
	}
	send_choose(run, &batch);
	buf_reset(&run->body);
	buf_reset(&run->url);
	batch_write(&run->body, &batch, &run->connection.id, worker->config.extended_property);
	buf_format(&run->url, "%s/v1.0/$batch", worker->config.graph_url);
	run->has_sent = true;
	metric_observe(worker->stats.batch_size, NULL, batch.count);
	run->started_exchange_ms = clock_mono_ms();
	run->http = (struct http_request){.method = "POST",
					  .url = buf_string(&run->url),
					  .content_type = "application/json",
					  .authorization = run->bearer,
					  .body = buf_string(&run->body),
					  .body_length = run->body.length,
					  .done = on_sent,
					  .may_send = run_may_call};
	http_send(worker->http, &run->http, SEND_DEADLINE_MS);
}

/* What the answers ask for all together: the gravest scope, the longest wait. */
struct verdict {
	enum op_scope scope;
	int64_t retry_after_ms;
	bool is_served; /* at least one item was answered by more than a server's fault */
};

static struct verdict send_judge(struct run *run, const struct batch *batch)
{
	struct verdict verdict = {.scope = OP_GOES_ON, .retry_after_ms = -1};
	int at = 0;

	for (int i = 0; i < run->chunk_count; i++) {
		struct task *task = run->chunk[i];
		const struct batch_item *item = &batch->items[at];
		enum op_scope scope;
		char status[12];

		if (task->stage != TASK_INTENDED) {
			continue;
		}
		at++;
		snprintf(status, sizeof status, "%d", item->answer.status);
		STATS_COUNT(run->worker->stats.graph_requests, op_request_name(item->op->request),
			    item->answer.status > 0 ? status : "none");
		scope = task_answered(task, &item->answer);
		verdict.is_served |= item->answer.status > 0 && item->answer.status < 500;
		verdict.scope = scope > verdict.scope ? scope : verdict.scope;
		if (item->answer.retry_after_ms > verdict.retry_after_ms) {
			verdict.retry_after_ms = item->answer.retry_after_ms;
		}
	}
	return verdict;
}

static bool send_has_ended(const struct run *run)
{
	for (int i = 0; i < run->chunk_count; i++) {
		if (run->chunk[i]->stage == TASK_ENDED) {
			return true;
		}
	}
	return false;
}

static enum run_step send_wait(struct run *run, const struct verdict *verdict)
{
	const char *reason = verdict->scope == OP_THROTTLED ? "throttled" : "unavailable";
	int64_t wait_ms = verdict->retry_after_ms;

	if (wait_ms > RUN_WAIT_MOST_MS) {
		return run_park(run, "throttled", clock_wall_ms() + wait_ms, false);
	}
	if (wait_ms < 0) {
		wait_ms = verdict->scope == OP_THROTTLED ? SEND_THROTTLED_MS : 0;
	}
	if (send_has_ended(run)) { /* what was achieved is stored first; only then comes the wait */
		run->delay_ms = wait_ms > 0 ? wait_ms : 1000;
		return RUN_NEXT;
	}
	return run_stuck(run, reason, wait_ms, RUN_SEND);
}

/* An answer that can't be read at all leaves every outcome unknown. */
static struct verdict send_read(struct run *run)
{
	const struct http_reply *reply = &run->http.reply;
	bool has_answer = run->fault.kind == FAULT_NONE && reply->status == 200;
	struct batch batch;
	struct verdict verdict;

	send_choose(run, &batch);
	batch_read(&batch, has_answer ? buf_string(&reply->body) : "",
		   has_answer ? reply->body.length : 0, clock_wall_ms());
	verdict = send_judge(run, &batch);
	if (reply->retry_after_ms > verdict.retry_after_ms) {
		verdict.retry_after_ms = reply->retry_after_ms;
	}
	return verdict;
}

enum run_step send_finish(struct run *run)
{
	struct verdict verdict;

	if (run->fault.kind == FAULT_NONE && run->http.reply.status >= 300 &&
	    run->http.reply.status < 500) {
		return graph_refused(run, RUN_SEND); /* refused whole: nothing was executed */
	}
	verdict = send_read(run);
	if (verdict.scope != OP_LATER) {
		run->waits = 0;
	}
	if (verdict.is_served) {
		run_served(run, &run->worker->graph);
	} else {
		run_unserved(run, &run->worker->graph);
	}
	if (send_has_ended(run)) {
		run->stuck_ms = 0;
	}
	if (verdict.scope == OP_GOES_ON) {
		run->was_refused = false; /* this token serves: a later refusal is another one's */
	}
	switch (verdict.scope) {
	case OP_AUTH:
		return run_refused_token(run, RUN_SEND);
	case OP_MAILBOX:
		return run_park(run, "mailbox", clock_wall_ms() + RUN_PARK_MS, false);
	case OP_THROTTLED:
	case OP_LATER:
		return send_wait(run, &verdict);
	default:
		return RUN_NEXT;
	}
}
