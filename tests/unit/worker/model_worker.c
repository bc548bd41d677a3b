/* model_worker.c - the two workers of the model: every decision is protocol_step's. */
#include "tests/unit/worker/model_ask.h"

#include <assert.h>
/* ---- a worker's phases ---- */

static void worker_read(const struct model_config *config, struct model_state *state, int who)
{
	struct model_worker *worker = &state->workers[who];

	worker->current = 1;
	worker->copy = state->row;
	worker->settleable = model_is_settleable(state, config);
}

/* Reads again behind a write of its own that it heard nothing of.  The listing is as old as before,
 * so it settles nothing. */
static void worker_reread(const struct model_config *config, struct model_state *state, int who)
{
	worker_read(config, state, who);
	if (!model_lacks(config, WITHOUT_READ_FIRST)) {
		state->workers[who].settleable = 0;
	}
}

static uint8_t newest(const struct model_state *state, int end)
{
	uint8_t version = 0;

	for (int i = state->done; i < end; i++) {
		version = state->log[i] > version ? state->log[i] : version;
	}
	return version;
}

static void take_records(struct model_sink *sink, int who, int end)
{
	struct model_state next = *sink->from;
	struct model_worker *worker = &next.workers[who];
	bool is_replay = next.replay_to > 0 && !model_lacks(sink->config, WITHOUT_FOLD);

	*worker = (struct model_worker){.phase = is_replay ? WORKER_LOADED : WORKER_READY,
					.task = is_replay ? FOR_REPLAY : FOR_RECORD,
					.held = 1,
					.wish = newest(&next, end),
					.until = (uint8_t)end};
	worker->old = worker->wish <= next.synced;
	worker_read(sink->config, &next, who);
	model_emit(sink, &next,
		   is_replay ? "reads the row, to replay up to version"
			     : "reads the row, for the record of version",
		   who, worker->wish);
}

static bool sync_is_due(const struct model_sink *sink)
{
	const struct model_state *state = sink->from;

	if (state->db == 0 || state->replay_to > 0) {
		return false;
	}
	if (state->asked) {
		return true;
	}
	return state->due && !model_lacks(sink->config, WITHOUT_REASSERT) &&
	       (!state->row.dirty || model_is_settleable(state, sink->config));
}

static void expand_idle(struct model_sink *sink, int who)
{
	const struct model_state *from = sink->from;
	bool is_whole = from->replay_to > 0 && !model_lacks(sink->config, WITHOUT_FOLD);
	struct model_state next = *from;

	if (who != 0) {
		return; /* whose partition is another's has nothing to do */
	}
	for (int end = is_whole ? from->replay_to : from->done + 1;
	     end <= (is_whole ? from->replay_to : from->log_length); end++) {
		take_records(sink, who, end);
	}
	if (sync_is_due(sink)) {
		next.due &=
		    !(from->due && (!from->row.dirty || model_is_settleable(from, sink->config)));
		next.asked = 1;
		next.workers[who] = (struct model_worker){
		    .phase = WORKER_LOADED, .task = FOR_SYNC, .held = 1, .wish = next.db};
		worker_read(sink->config, &next, who);
		model_emit(sink, &next, "reads row and tables, to sync version", who, next.db);
	}
}

/* The event that the row knows is the assignment's, else whichever is listed first. */
static void worker_lists(struct model_sink *sink, int who, int place)
{
	struct model_state next = *sink->from;
	struct model_worker *worker = &next.workers[who];
	const struct model_event *event = &next.events[place];

	worker->phase = next.events[1 - place].id != 0 ? WORKER_REMOVES : WORKER_READY;
	worker->listed_event = event->id;
	worker->listed_key = event->key;
	worker->listed_version = event->version;
	worker->listed_category = event->category;
	worker->listed_theirs = event->theirs;
	worker->stray = next.events[1 - place].id;
	next.touched = 0;
	model_emit(sink, &next, "lists the mailbox", who, -1);
}

static void expand_loaded(struct model_sink *sink, int who)
{
	const struct model_state *from = sink->from;
	bool knows_second = from->row.event != 0 && from->row.event == from->events[1].id;
	bool knows_first = from->row.event != 0 && from->row.event == from->events[0].id;

	if (!knows_second) {
		worker_lists(sink, who, 0);
	}
	if (from->events[1].id != 0 && !knows_first) {
		worker_lists(sink, who, 1);
	}
}

static void go_on(struct model_state *next, int who, enum protocol_next then,
		  const struct model_config *config)
{
	struct model_worker *worker = &next->workers[who];

	if (then == PROTOCOL_DONE) {
		worker->phase = WORKER_DONE;
		return;
	}
	worker->phase = worker->task == FOR_RECORD ? WORKER_READY : WORKER_LOADED;
	worker_read(config, next, who);
}

static void begin_call(const struct model_config *config, struct model_state *state, int who,
		       const struct protocol_effects *effects)
{
	struct model_worker *worker = &state->workers[who];

	worker->phase = WORKER_CALLS;
	worker->covered = 0;
	worker->op = model_op_to(config, &effects->op);
	worker->pos = model_pos_of(effects->values.pending_pos);
	if (model_lacks(config, WITHOUT_RESULT) && worker->task == FOR_RECORD) {
		state->done = worker->until > state->done ? worker->until : state->done;
	}
}

static void expand_ready(struct model_sink *sink, int who)
{
	const struct model_config *config = sink->config;
	const struct model_worker *worker = &sink->from->workers[who];
	struct model_state next = *sink->from;
	struct model_question question;
	struct protocol_effects effects;

	if (!worker->current && !model_lacks(config, WITHOUT_COMPARE_AND_SET)) {
		worker_reread(config, &next, who);
		model_emit(sink, &next, "finds the row changed, and reads it again", who, -1);
		return;
	}
	model_ask(sink, who, worker->task == FOR_RECORD ? PROTOCOL_RECORD : PROTOCOL_COMPARED, NULL,
		  &question, &effects);
	if (effects.next == PROTOCOL_DONE) {
		model_store(config, &next, who, &effects);
		go_on(&next, who, effects.next, config);
		model_emit(sink, &next,
			   effects.writes ? "writes into the row that nothing is to be sent"
					  : "finds nothing to do",
			   who, -1);
	} else {
		assert(effects.next == PROTOCOL_CALL && effects.writes);
		if (!model_lacks(config, WITHOUT_INTENT)) {
			model_store(config, &next, who, &effects);
		}
		begin_call(config, &next, who, &effects);
		model_emit(sink, &next, "writes its intent, and calls for version", who,
			   worker->wish);
	}
	if (effects.writes && sink->from->budget[LOST_WRITES] > 0) {
		next = *sink->from;
		next.budget[LOST_WRITES]--;
		model_store(config, &next, who, &effects);
		if (next.row.attempt == 1 + who) {
			next.row.attempt = 0; /* it asks with another attempt */
		}
		worker_reread(config, &next, who);
		model_emit(sink, &next, "writes the row without hearing so, and reads it again",
			   who, -1);
	}
}

/* ---- calls ---- */

static void take_answer(const struct model_sink *sink, struct model_state *next, int who,
			const struct op_answer *answer)
{
	struct model_worker *worker = &next->workers[who];
	struct model_question question;
	struct protocol_effects effects;

	model_ask(sink, who, PROTOCOL_ANSWER, answer, &question, &effects);
	assert(!effects.writes);
	worker->op = model_op_to(sink->config, &effects.op);
	if (effects.next == PROTOCOL_STORE) {
		worker->phase = WORKER_ENDED;
		worker->copy = next->row;
	}
	if (effects.scope == OP_THROTTLED) {
		worker->phase = WORKER_GIVES_UP;
	}
}

static void call_lands(struct model_sink *sink, int who, bool is_kind)
{
	struct model_state next = *sink->from;
	struct model_request request = model_request_of(&next.workers[who]);
	struct model_label label = {"gets an answer to", who, -1, &request};
	struct op_answer answer;

	model_land(sink->config, &next, &request, is_kind, &answer);
	next.touched = 0;
	take_answer(sink, &next, who, &answer);
	model_emit_request(sink, &next, &label);
}

static void expand_calls(struct model_sink *sink, int who)
{
	const struct model_state *from = sink->from;
	struct model_request request = model_request_of(&from->workers[who]);
	struct model_label label = {"waits in vain for an answer to", who, -1, &request};
	struct model_state next = *from;

	call_lands(sink, who, true);
	if ((request.kind == 1 + OP_CREATE && !sink->config->names_events) ||
	    from->events[1].id != 0) {
		call_lands(sink, who, false);
	}
	if (from->budget[LOST_ANSWERS] > 0 && request.kind != 1 + OP_FIND &&
	    request.kind != 1 + OP_READ) {
		next.budget[LOST_ANSWERS]--;
		model_add_ghost(&next, &from->workers[who]);
		take_answer(sink, &next, who, &(struct op_answer){.retry_after_ms = -1});
		model_emit_request(sink, &next, &label);
	}
	if (from->budget[THROTTLES] > 0) {
		next = *from;
		next.budget[THROTTLES]--;
		take_answer(sink, &next, who, &(struct op_answer){.status = 429});
		label.text = "is throttled at";
		model_emit_request(sink, &next, &label);
	}
	if (!from->workers[who].held) {
		next = *from;
		next.workers[who] = (struct model_worker){0};
		model_emit(sink, &next, "notices that the partition is another's", who, -1);
	}
}

/* ---- results ---- */

static void expand_ended(struct model_sink *sink, int who)
{
	struct model_state next = *sink->from;
	struct model_question question;
	struct protocol_effects effects;

	model_ask(sink, who, PROTOCOL_ENDED, NULL, &question, &effects);
	model_store(sink->config, &next, who, &effects);
	go_on(&next, who, effects.next, sink->config);
	model_emit(sink, &next,
		   effects.next == PROTOCOL_DONE ? "stores its result"
						 : "finds another's intent, and doubts",
		   who, -1);
	if (effects.writes && sink->from->budget[LOST_WRITES] > 0) {
		next = *sink->from;
		next.budget[LOST_WRITES]--;
		model_store(sink->config, &next, who, &effects);
		model_emit(sink, &next, "stores its result without hearing so", who, -1);
	}
}

static void expand_gives_up(struct model_sink *sink, int who)
{
	struct model_state next = *sink->from;
	struct model_question question;
	struct protocol_effects effects;

	model_ask(sink, who, PROTOCOL_RELEASED, NULL, &question, &effects);
	assert(effects.next == PROTOCOL_DONE);
	model_store(sink->config, &next, who, &effects);
	next.workers[who].phase = WORKER_PARKS;
	model_emit(sink, &next, effects.writes ? "takes its intent back" : "leaves its intent", who,
		   -1);
	if (effects.writes && sink->from->budget[LOST_WRITES] > 0) {
		next = *sink->from;
		next.budget[LOST_WRITES]--;
		model_store(sink->config, &next, who, &effects);
		model_emit(sink, &next, "takes its intent back without hearing so", who, -1);
	}
}

/* Before the wish, and with no intent: its row names another event. */
static void expand_removes(struct model_sink *sink, int who)
{
	struct model_state next = *sink->from;
	struct model_request request = model_request_of(&next.workers[who]);
	struct model_label label = {"gets an answer to the stray's", who, -1, &request};
	struct op_answer answer;

	model_land(sink->config, &next, &request, true, &answer);
	next.workers[who].stray = 0;
	next.workers[who].phase = WORKER_READY;
	model_emit_request(sink, &next, &label);
	if (next.budget[LOST_ANSWERS] > 0) {
		next = *sink->from;
		next.budget[LOST_ANSWERS]--;
		model_add_ghost(&next, &sink->from->workers[who]);
		label.text = "waits in vain for an answer to the stray's";
		model_emit_request(sink, &next, &label);
	}
}

static void expand_parks(struct model_sink *sink, int who)
{
	struct model_state next = *sink->from;

	next.due = 1;
	next.workers[who].parked = 1;
	next.workers[who].phase = WORKER_DONE;
	model_emit(sink, &next, "files a sync for later", who, -1);
}

static void finish_request(struct model_state *state, const struct model_worker *worker)
{
	state->asked = 0;
	if (!worker->parked) {
		state->synced = worker->wish;
	}
	if (state->row.dirty) {
		state->due = 1; /* not settled by this one: somebody comes back */
	}
}

static void expand_done(struct model_sink *sink, int who)
{
	const struct model_worker *worker = &sink->from->workers[who];
	struct model_state next = *sink->from;

	if (worker->task == FOR_SYNC) {
		finish_request(&next, worker);
	} else {
		next.done = worker->until > next.done ? worker->until : next.done;
	}
	if (next.replay_to > 0 && next.done >= next.replay_to) {
		next.replay_to = 0;
		next.synced = worker->parked ? next.synced : 0;
	}
	next.workers[who] = (struct model_worker){0};
	model_emit(sink, &next,
		   worker->task == FOR_SYNC ? "finishes the sync" : "commits the offset", who, -1);
}

static void expand_crash(struct model_sink *sink, int who)
{
	const struct model_worker *worker = &sink->from->workers[who];
	struct model_state next = *sink->from;
	struct model_request request = model_request_of(worker);
	struct model_label label = {"dies, unanswered:", who, -1, &request};

	if (worker->phase < WORKER_CALLS || next.budget[WORKER_CRASHES] == 0) {
		return; /* before its first write it leaves nothing behind */
	}
	next.budget[WORKER_CRASHES]--;
	next.workers[who] = (struct model_worker){0};
	if (worker->phase != WORKER_CALLS && worker->phase != WORKER_REMOVES) {
		model_emit(sink, &next, "dies", who, -1);
		return;
	}
	model_add_ghost(&next, worker);
	model_emit_request(sink, &next, &label);
}

void model_expand_worker(struct model_sink *sink, int worker)
{
	static void (*const EXPAND[])(struct model_sink *, int) = {
	    [WORKER_IDLE] = expand_idle,   [WORKER_LOADED] = expand_loaded,
	    [WORKER_READY] = expand_ready, [WORKER_CALLS] = expand_calls,
	    [WORKER_ENDED] = expand_ended, [WORKER_GIVES_UP] = expand_gives_up,
	    [WORKER_PARKS] = expand_parks, [WORKER_REMOVES] = expand_removes,
	    [WORKER_DONE] = expand_done};

	EXPAND[sink->from->workers[worker].phase](sink, worker);
	expand_crash(sink, worker);
}
