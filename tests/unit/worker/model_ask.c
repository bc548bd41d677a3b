/* model_ask.c - the model's questions to protocol_step, and what becomes of the row. */
#include "tests/unit/worker/model_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/change.h"

/* ---- rows, operations and texts, from numbers and back ---- */

static const char *pos_text(int pos)
{
	static const char TEXTS[][2] = {"", "", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

	if (pos == 0) {
		return NULL;
	}
	return pos == 1 ? CHANGE_POS_FLOOR : TEXTS[pos];
}

uint8_t model_pos_of(const char *text)
{
	if (text == NULL) {
		return 0;
	}
	return strcmp(text, CHANGE_POS_FLOOR) == 0 ? 1 : (uint8_t)(1 + text[0] - '0');
}

static const char *letter_text(int letter)
{
	static const char TEXTS[][2] = {"", "A", "B", "C", "D", "E", "F", "G", "H"};

	return letter > 0 ? TEXTS[letter] : NULL;
}

static const char *category_text(int category)
{
	static const char TEXTS[][3] = {"", "c1", "c2"};

	return category > 0 ? TEXTS[category] : NULL;
}

/* Of an event, key or category: a letter and a hex digit. */
static uint8_t name_of(const char *text)
{
	return text == NULL || text[0] == '\0' ? 0 : (uint8_t)strtol(text + 1, NULL, 16);
}

/* Attempts have names only as far as somebody compares them. */
static struct uuid attempt_named(const struct model_config *config, int name)
{
	if (model_lacks(config, WITHOUT_UNIQUE_ATTEMPTS)) {
		name = 1;
	}
	return (struct uuid){{(uint8_t)name}};
}

enum { ATTEMPT_NOBODYS = 3, ATTEMPT_NEW };

static void row_from(const struct model_config *config, const struct model_row *from,
		     bool is_settleable, struct row *row)
{
	*row = (struct row){.is = {.state = (enum row_state)from->state,
				   .incarnation = from->incarnation,
				   .event_id = model_event_text(from->event),
				   .change_key = model_key_text(from->key),
				   .hash = letter_text(from->letter),
				   .category = category_text(from->category),
				   .shares_categories = from->shares,
				   .applied_pos = pos_text(from->applied),
				   .pending_pos = pos_text(from->pending),
				   .attempt = attempt_named(
				       config, from->attempt > 0 ? from->attempt : ATTEMPT_NOBODYS),
				   .is_dirty = from->dirty},
			    .is_settleable = is_settleable && from->dirty};
}

static struct model_row row_to(const struct row_values *values, uint8_t attempt)
{
	return (struct model_row){
	    .exists = 1,
	    .state = (uint8_t)values->state,
	    .incarnation = (uint8_t)values->incarnation,
	    .event = name_of(values->event_id),
	    .key = name_of(values->change_key),
	    .letter = values->hash != NULL ? (uint8_t)(1 + values->hash[0] - 'A') : 0,
	    .category = name_of(values->category),
	    .shares = values->shares_categories,
	    .applied = model_pos_of(values->applied_pos),
	    .pending = model_pos_of(values->pending_pos),
	    .attempt = values->pending_pos != NULL ? attempt : 0,
	    .dirty = values->is_dirty};
}

static void op_from(const struct model_worker *worker, bool wants_event, struct op *op)
{
	const struct model_op *from = &worker->op;

	*op = (struct op){.request = (enum op_request)from->request,
			  .end = (enum op_end)from->end,
			  .wants_event = wants_event,
			  .respects_deletion = from->respects,
			  .is_unsure = from->unsure,
			  .is_known_gone = from->known_gone,
			  .keeps_categories = from->keeps,
			  .shows_ours = from->ours,
			  .shares_categories = from->shares,
			  .incarnation = from->incarnation,
			  .tries = from->tries};
	snprintf(op->theirs, sizeof op->theirs, "%s", model_theirs_text(from->theirs));
	if (from->match != 0) {
		snprintf(op->match, sizeof op->match, "%s", model_key_text(from->match));
	}
	if (from->event != 0) {
		snprintf(op->event_id, sizeof op->event_id, "%s", model_event_text(from->event));
	}
	if (from->key != 0) {
		snprintf(op->change_key, sizeof op->change_key, "%s", model_key_text(from->key));
	}
	if (op->end == OP_REJECTED) {
		snprintf(op->error, sizeof op->error, "rejected");
	}
}

struct model_op model_op_to(const struct model_config *config, const struct op *op)
{
	bool has_ended = op->end != OP_OPEN;

	return (struct model_op){
	    .request = (uint8_t)op->request,
	    .end = (uint8_t)op->end,
	    .unsure = op->is_unsure && (config->without & WITHOUT_DOUBT) == 0,
	    .known_gone = op->is_known_gone,
	    .respects = op->respects_deletion,
	    .incarnation = model_lacks(config, WITHOUT_INCARNATIONS) ? 1 : (uint8_t)op->incarnation,
	    .tries = (uint8_t)op->tries,
	    .event = name_of(op->event_id),
	    .key = name_of(op->change_key),
	    .keeps = !has_ended && op->keeps_categories,
	    .match = has_ended || model_lacks(config, WITHOUT_MATCH) ? 0 : name_of(op->match),
	    .theirs = !has_ended && !category_list_is_empty(op->theirs),
	    .ours = op->shows_ours,
	    .shares = op->shares_categories};
}

/* ---- asking ---- */

static void ask_of_listing(const struct model_config *config, const struct model_worker *worker,
			   struct protocol_input *input)
{
	input->listed_id = model_event_text(worker->listed_event);
	input->listed_key = model_key_text(worker->listed_key);
	input->listed_theirs = model_theirs_text(worker->listed_theirs);
	input->listed_shows_ours = worker->listed_category == model_category(config, worker->wish);
	input->listed_matches =
	    worker->listed_event != 0 && input->listed_shows_ours &&
	    model_letter(config, worker->listed_version) == model_letter(config, worker->wish);
}

/* What the row is said to be, where a control withholds something. */
static void distort_row(const struct model_config *config, const struct model_worker *worker,
			enum protocol_kind kind, struct row *row)
{
	if (model_lacks(config, WITHOUT_GUARD) && kind == PROTOCOL_RECORD) {
		row->is.applied_pos = NULL;
		row->is.pending_pos = row->is.pending_pos != NULL ? "0" : NULL;
	}
	if (model_lacks(config, WITHOUT_INTENT) && kind == PROTOCOL_ENDED) {
		row->is.pending_pos = pos_text(worker->pos);
		row->is.attempt = (struct uuid){{1}};
	}
}

static const struct row *question_row(const struct model_sink *sink, int who,
				      enum protocol_kind kind, struct model_question *question)
{
	const struct model_state *state = sink->from;
	const struct model_worker *worker = &state->workers[who];
	const struct model_row *from = &state->row;
	bool exists;

	if (model_lacks(sink->config, WITHOUT_COMPARE_AND_SET) && !worker->current) {
		from = &worker->copy;
	}
	exists =
	    from->exists || (model_lacks(sink->config, WITHOUT_INTENT) && kind == PROTOCOL_ENDED);
	row_from(sink->config, from, worker->settleable, &question->row);
	if (!from->exists) {
		question->row.is = (struct row_values){.incarnation = 1};
	}
	distort_row(sink->config, worker, kind, &question->row);
	return exists ? &question->row : NULL;
}

void model_ask(const struct model_sink *sink, int who, enum protocol_kind kind,
	       const struct op_answer *answer, struct model_question *question,
	       struct protocol_effects *effects)
{
	const struct model_config *config = sink->config;
	const struct model_worker *worker = &sink->from->workers[who];
	char letter = model_letter(config, worker->wish);
	bool wants_event = letter != '-';
	const struct row *row = question_row(sink, who, kind, question);
	bool is_new = kind == PROTOCOL_RECORD || kind == PROTOCOL_COMPARED;
	bool has_intent = model_lacks(config, WITHOUT_INTENT);
	int own = has_intent ? 1 : 1 + who;

	op_from(worker, wants_event, &question->op);
	question->input = (struct protocol_input){
	    .kind = kind,
	    .wants_event = wants_event,
	    .hash = wants_event ? letter_text(1 + letter - 'A') : NULL,
	    .category = wants_event ? category_text(model_category(config, worker->wish)) : NULL,
	    .pos = is_new ? pos_text(1 + worker->wish) : pos_text(worker->pos),
	    .attempt = attempt_named(config, is_new ? ATTEMPT_NEW : own),
	    .was_synced = worker->old,
	    .respects_deletion = config->respects_deletion,
	    .op = &question->op,
	    .answer = answer};
	if (worker->task == FOR_SYNC && is_new) {
		question->input.pos = NULL;
	}
	ask_of_listing(config, worker, &question->input);
	protocol_step(row, &question->input, effects);
}

/* ---- writing ---- */

static void cover_what_is_under_way(struct model_state *state, int who)
{
	for (int i = 0; i < MODEL_GHOSTS_MAX; i++) {
		state->ghosts[i].covered = state->ghosts[i].kind != 0;
	}
	state->workers[1 - who].covered = 1; /* where it calls: see normalise_worker */
}

void model_store(const struct model_config *config, struct model_state *state, int who,
		 const struct protocol_effects *effects)
{
	struct row_values values = effects->values;
	struct uuid new = attempt_named(config, ATTEMPT_NEW);
	uint8_t attempt = state->row.attempt;

	if (!effects->writes) {
		return;
	}
	if (model_lacks(config, WITHOUT_INCARNATIONS)) {
		values.incarnation = 1;
	}
	if (uuid_compare(&values.attempt, &new) == 0 && effects->next == PROTOCOL_CALL) {
		attempt = (uint8_t)(1 + who);
	}
	state->row = row_to(&values, attempt);
	state->workers[1 - who].current = 0;
	if (effects->begins_quarantine) {
		cover_what_is_under_way(state, who);
		state->due = 1;
	}
	if (model_lacks(config, WITHOUT_TOMBSTONE) && values.state == ROW_DELETED &&
	    values.pending_pos == NULL) {
		state->row = (struct model_row){0};
	}
}
