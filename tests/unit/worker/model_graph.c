/* model_graph.c - Graph as the model has it: events, their transactionIds, what a request makes of
 * them. */
#include "tests/unit/worker/model.h"

#include <stdio.h>
#include <string.h>

#include "worker/op.h"

/* Some versions share it with the one before, some don't. */
uint8_t model_category(const struct model_config *config, int version)
{
	static const uint8_t CATEGORIES[] = {['A'] = 1, ['B'] = 2, ['C'] = 2, ['D'] = 1, ['x'] = 0};

	return CATEGORIES[(int)model_letter(config, version)];
}

const char *model_theirs_text(int theirs)
{
	return theirs > 0 ? "\x1fTheirs\x1f" : "";
}

struct model_event *model_event_by_id(struct model_state *state, int id)
{
	for (int i = 0; i < MODEL_EVENTS_MAX; i++) {
		if (id != 0 && state->events[i].id == id) {
			return &state->events[i];
		}
	}
	return NULL;
}

struct model_request model_request_of(const struct model_worker *worker)
{
	if (worker->phase == WORKER_REMOVES) {
		return (struct model_request){
		    .kind = 1 + OP_DELETE, .event = worker->stray, .incarnation = 1};
	}
	return (struct model_request){.kind = (uint8_t)(1 + worker->op.request),
				      .event = worker->op.event,
				      .version = worker->wish,
				      .incarnation = worker->op.incarnation,
				      .keeps = worker->op.keeps,
				      .match = worker->op.match,
				      .theirs = worker->op.theirs,
				      .forced = worker->op.request == OP_UPDATE &&
						worker->op.tries >= OP_MATCHES_MAX};
}

static void answer_with(struct op_answer *answer, int status, int event, int key)
{
	answer->status = status;
	if (event > 0) {
		snprintf(answer->event_id, sizeof answer->event_id, "%s", model_event_text(event));
	}
	if (key > 0) {
		snprintf(answer->change_key, sizeof answer->change_key, "%s", model_key_text(key));
	}
}

static void answer_with_event(const struct model_config *config, struct op_answer *answer,
			      int status, const struct model_event *event,
			      const struct model_request *request)
{
	answer_with(answer, status, event->id, event->key);
	answer->tells_categories = true;
	answer->shows_ours = event->category == model_category(config, request->version);
	snprintf(answer->theirs, sizeof answer->theirs, "%s", model_theirs_text(event->theirs));
}

static void answer_duplicate(struct op_answer *answer, int event)
{
	answer_with(answer, 400, event, 0);
	snprintf(answer->code, sizeof answer->code, "ErrorDuplicateTransactionId");
}

static struct model_event *event_of_incarnation(struct model_state *state, int incarnation)
{
	for (int i = 0; i < MODEL_EVENTS_MAX; i++) {
		if (state->events[i].id != 0 && state->events[i].incarnation == incarnation) {
			return &state->events[i];
		}
	}
	return NULL;
}

/* A second event of the assignment is excused only where Graph forgets, and then at rest no more.
 */
static void make_event(const struct model_config *config, struct model_state *state,
		       const struct model_request *request)
{
	int place = state->events[0].id != 0;

	if (place > 0 && !config->forgets_transactions) {
		state->bad = BAD_DUPLICATE;
	} else if (place > 0 && state->events[1].id != 0) {
		state->bad = BAD_CAPACITY;
	}
	state->events[place] =
	    (struct model_event){.id = model_new_event(state),
				 .key = model_new_key(state),
				 .version = request->version,
				 .category = model_category(config, request->version),
				 .incarnation = request->incarnation};
	if (!config->forgets_transactions) {
		state->spent[request->incarnation / 4] |= (uint8_t)(1 << request->incarnation % 4);
	}
}

static void land_create(const struct model_config *config, struct model_state *state,
			const struct model_request *request, bool tells_id,
			struct op_answer *answer)
{
	struct model_event *event = event_of_incarnation(state, request->incarnation);
	bool is_spent =
	    (state->spent[request->incarnation / 4] & (1 << request->incarnation % 4)) != 0;
	bool is_new = model_lacks(config, WITHOUT_TRANSACTION_ID) || (event == NULL && !is_spent);

	if (is_new) {
		make_event(config, state, request);
		event = event_of_incarnation(state, request->incarnation);
	}
	if (event == NULL) {
		answer_duplicate(answer, tells_id ? model_new_event(state) : 0);
	} else if (is_new ||
		   model_letter(config, event->version) == model_letter(config, request->version)) {
		answer_with_event(config, answer, 201, event, request);
		if (!tells_id) {
			answer->event_id[0] = '\0';
		}
	} else {
		answer_duplicate(answer, tells_id ? event->id : 0);
	}
}

static void land_update(const struct model_config *config, struct model_state *state,
			const struct model_request *request, struct op_answer *answer)
{
	struct model_event *event = model_event_by_id(state, request->event);

	if (request->match != 0 && request->match != event->key) {
		answer_with(answer, 412, 0, 0);
		return;
	}
	if (config->forbids_step_back && event->version != MODEL_HAND &&
	    request->version < event->version) {
		state->bad = BAD_STEP_BACK;
	}
	if (!request->keeps) {
		if (event->theirs > request->theirs && !request->forced) {
			state->bad = BAD_LOSS;
		}
		event->category = model_category(config, request->version);
		event->theirs = request->theirs;
	}
	event->version = request->version;
	event->key = model_new_key(state);
	answer_with_event(config, answer, 200, event, request);
}

static void land_find(const struct model_config *config, const struct model_state *state,
		      const struct model_request *request, bool is_first, struct op_answer *answer)
{
	const struct model_event *event =
	    &state->events[is_first || state->events[1].id == 0 ? 0 : 1];

	answer->found = (state->events[0].id != 0) + (state->events[1].id != 0);
	if (event->id != 0) {
		answer_with_event(config, answer, 200, event, request);
	} else {
		answer_with(answer, 200, 0, 0);
	}
}

void model_land(const struct model_config *config, struct model_state *state,
		const struct model_request *request, bool is_kind, struct op_answer *answer)
{
	*answer = (struct op_answer){.retry_after_ms = -1};
	if (request->kind == 1 + OP_CREATE) {
		land_create(config, state, request, is_kind, answer);
	} else if (request->kind == 1 + OP_FIND) {
		land_find(config, state, request, is_kind, answer);
	} else if (model_event_by_id(state, request->event) == NULL) {
		answer_with(answer, 404, 0, 0);
		snprintf(answer->code, sizeof answer->code, "ErrorItemNotFound");
	} else if (request->kind == 1 + OP_READ) {
		answer_with_event(config, answer, 200, model_event_by_id(state, request->event),
				  request);
	} else if (request->kind == 1 + OP_UPDATE) {
		land_update(config, state, request, answer);
	} else {
		model_event_by_id(state, request->event)->id = 0;
		answer_with(answer, 204, 0, 0);
	}
}

void model_add_ghost(struct model_state *state, const struct model_worker *worker)
{
	struct model_request ghost = model_request_of(worker);

	ghost.covered = worker->covered;
	if (ghost.kind == 1 + OP_FIND || ghost.kind == 1 + OP_READ) {
		return;
	}
	for (int i = 0; i < MODEL_GHOSTS_MAX; i++) {
		if (state->ghosts[i].kind == 0) {
			state->ghosts[i] = ghost;
			return;
		}
	}
	state->bad = BAD_CAPACITY;
}
