/* protocol.c - the commit protocol of one mapping row. */
#include "worker/protocol.h"

#include <string.h>

#include "worker/change.h"

/* ---- positions, as texts: NULL is before every other ---- */

static int text_order(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

static const char *pos_latest(const char *a, const char *b)
{
	return text_order(a, b) >= 0 ? a : b;
}

/* ---- what a row says ---- */

static bool text_is(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool row_is_settled(const struct row *row)
{
	return row->is.pending_pos == NULL && !row->is.is_dirty;
}

static bool row_is_mine(const struct row *row, const struct uuid *attempt)
{
	return row != NULL && row->is.pending_pos != NULL &&
	       uuid_compare(&row->is.attempt, attempt) == 0;
}

/* The mailbox showed it, nothing of ours is under way: it can only have been the person. */
static bool row_was_shown(const struct row *row)
{
	return row != NULL && row_is_settled(row) && row->is.state == ROW_SYNCED &&
	       row->is.event_id != NULL;
}

static bool row_stays_hidden(const struct row *row, const struct protocol_input *input)
{
	return row != NULL && row->is.state == ROW_HIDDEN && input->respects_deletion;
}

/* ---- the three things to do ---- */

/* Whatever stands in the row as under way may still land. */
static void doubt_intent(struct protocol_effects *effects)
{
	if (effects->values.pending_pos != NULL) {
		effects->values.is_dirty = true;
		effects->begins_quarantine = true;
	}
}

static void forget_event(struct row_values *values, enum row_state state)
{
	/* the event's transactionId is spent: the next one is another incarnation */
	values->incarnation += values->event_id != NULL;
	values->state = state;
	values->event_id = NULL;
	values->change_key = NULL;
	values->hash = NULL;
	values->category = NULL;
	values->shares_categories = false;
}

/* Nothing to send: the row alone learns. */
static void learn(struct protocol_effects *effects, const struct protocol_input *input,
		  const char *pos)
{
	doubt_intent(effects);
	effects->next = PROTOCOL_DONE;
	effects->writes = true;
	effects->values.applied_pos = pos;
	effects->values.pending_pos = NULL;
	effects->values.error = input->reason;
}

/* tx1, and then the call. */
static void intend(struct protocol_effects *effects, const struct protocol_input *input,
		   const char *pos)
{
	doubt_intent(effects);
	effects->next = PROTOCOL_CALL;
	effects->writes = true;
	effects->values.pending_pos = pos;
	effects->values.attempt = input->attempt;
}

/* ---- a record of the log ---- */

/* Older than what is applied or under way.  The position under way itself is done again: we may
 * have died behind the intent. */
bool protocol_has_passed(const struct row *row, const char *pos)
{
	if (row == NULL) {
		return false;
	}
	if (text_order(pos, row->is.applied_pos) < 0 || text_order(pos, row->is.pending_pos) < 0) {
		return true;
	}
	return row->is.pending_pos == NULL && text_order(pos, row->is.applied_pos) == 0;
}

/* The calendar shows this change or a newer one already; only the position is news. */
static void step_synced_record(const struct row *row, const struct protocol_input *input,
			       struct protocol_effects *effects)
{
	if (row != NULL && row->is.state != ROW_FAILED && row_is_settled(row) &&
	    text_order(input->pos, row->is.applied_pos) > 0) {
		effects->writes = true;
		effects->values.applied_pos = input->pos;
	}
}

static bool record_needs_call(const struct row *row, const struct protocol_input *input)
{
	if (row == NULL) {
		return input->wants_event;
	}
	if (!row_is_settled(row)) {
		return true;
	}
	if (!input->wants_event) {
		return row->is.event_id != NULL;
	}
	return !row_stays_hidden(row, input) &&
	       !(row_was_shown(row) && text_is(row->is.hash, input->hash));
}

/* What the row tells of the event's categories.  Where something is under way, or the person's own
 * are among them, the event tells it. */
static void record_see_categories(const struct row *row, const struct protocol_input *input,
				  struct op *op)
{
	bool shows_ours = row_is_settled(row) && text_is(row->is.category, input->category);

	if (shows_ours || (row->is.category != NULL && !row->is.shares_categories &&
			   row->is.change_key != NULL)) {
		op_see_categories(op, shows_ours, "", row->is.change_key);
	}
}

static void step_record(const struct row *row, const struct protocol_input *input,
			struct protocol_effects *effects)
{
	struct row_values *values = &effects->values;

	if (input->was_synced && (row == NULL || !row->is.is_behind)) {
		step_synced_record(row, input, effects);
		return;
	}
	if (protocol_has_passed(row, input->pos)) {
		return;
	}
	values->is_behind |= input->is_unnamed;
	if (record_needs_call(row, input)) {
		op_init(&effects->op, input->wants_event, values->event_id, values->incarnation);
		if (row != NULL && effects->op.request == OP_READ) {
			record_see_categories(row, input, &effects->op);
		}
		effects->op.respects_deletion = input->respects_deletion && row_was_shown(row);
		intend(effects, input, input->pos);
		return;
	}
	if (!input->wants_event) {
		values->state = ROW_DELETED;
	}
	learn(effects, input, input->pos);
}

/* ---- a complete listing ---- */

static bool listed_is_known(const struct row *row, const struct protocol_input *input)
{
	return row_was_shown(row) && !row->is.is_behind &&
	       text_is(row->is.event_id, input->listed_id) &&
	       text_is(row->is.change_key, input->listed_key) && text_is(row->is.hash, input->hash);
}

/* Rows of before there was that column know of none. */
static bool category_is_known(const struct row *row, const struct protocol_input *input)
{
	return !input->listed_shows_ours || text_is(row->is.category, input->category);
}

/* As we wrote it, which is not what is wanted now, though the listing shows no difference: the zone
 * of an all-day event, say. */
static bool listed_is_outdated(const struct row *row, const struct protocol_input *input)
{
	return row_was_shown(row) && row->is.hash != NULL &&
	       text_is(row->is.event_id, input->listed_id) &&
	       text_is(row->is.change_key, input->listed_key) &&
	       !text_is(row->is.hash, input->hash);
}

/* The row says so already: what no event is wanted for, or what the person has hidden. */
static bool absence_is_known(const struct row *row, const struct protocol_input *input)
{
	if (row == NULL) {
		return !input->wants_event;
	}
	return row_is_settled(row) && !row->is.is_behind && row->is.event_id == NULL &&
	       (!input->wants_event || row_stays_hidden(row, input));
}

static bool absence_is_respected(const struct row *row, const struct protocol_input *input)
{
	return row_stays_hidden(row, input) || (input->respects_deletion && row_was_shown(row));
}

static void compared_call(const struct protocol_input *input, struct protocol_effects *effects,
			  const char *pos)
{
	/* a complete listing shows it gone: its transactionId would answer with the gone one, and
	 * the intent may be taken back, which must not leave the row as if it were still shown */
	if (input->listed_id == NULL) {
		forget_event(&effects->values, effects->values.state);
	}
	op_init(&effects->op, input->wants_event, input->listed_id, effects->values.incarnation);
	if (effects->op.request == OP_READ) {
		op_see_categories(&effects->op, input->listed_shows_ours, input->listed_theirs,
				  input->listed_key);
	}
	intend(effects, input, pos);
}

static void compared_learn(const struct protocol_input *input, struct protocol_effects *effects,
			   const char *pos)
{
	struct row_values *values = &effects->values;

	if (input->listed_id == NULL) {
		forget_event(values, input->wants_event ? ROW_HIDDEN : ROW_DELETED);
	} else {
		values->state = ROW_SYNCED;
		values->event_id = input->listed_id;
		values->change_key = input->listed_key;
		values->hash = input->hash;
		values->category = input->listed_shows_ours ? input->category : NULL;
		values->shares_categories = !category_list_is_empty(input->listed_theirs);
	}
	learn(effects, input, pos);
}

static bool compared_needs_call(const struct row *row, const struct protocol_input *input)
{
	if (!input->wants_event) {
		return input->listed_id != NULL;
	}
	if (input->listed_id == NULL) {
		return !absence_is_respected(row, input);
	}
	return listed_is_outdated(row, input) ||
	       (!input->listed_matches && !listed_is_known(row, input));
}

static void step_compared(const struct row *row, const struct protocol_input *input,
			  struct protocol_effects *effects)
{
	struct row_values *values = &effects->values;
	const char *own = pos_latest(values->applied_pos, values->pending_pos);
	const char *pos = pos_latest(pos_latest(own, input->pos), CHANGE_POS_FLOOR);
	bool is_known = (listed_is_known(row, input) && category_is_known(row, input)) ||
			(input->listed_id == NULL && absence_is_known(row, input));

	values->is_behind = false;
	/* the listing began when nothing could land any more: it, or the call, settles the row */
	if (row != NULL && row->is_settleable && values->pending_pos == NULL) {
		values->is_dirty = false;
	}
	if (compared_needs_call(row, input)) {
		compared_call(input, effects, pos);
	} else if (!is_known || (row != NULL && text_order(pos, row->is.applied_pos) > 0)) {
		compared_learn(input, effects, pos);
	}
}

/* ---- answers and results ---- */

static void step_answer(const struct protocol_input *input, struct protocol_effects *effects)
{
	effects->op = *input->op;
	effects->scope = op_answered(&effects->op, input->answer);
	effects->next = effects->op.end == OP_OPEN ? PROTOCOL_CALL : PROTOCOL_STORE;
}

static void result_values(const struct protocol_input *input, struct row_values *values)
{
	const struct op *op = input->op;

	values->incarnation = op->incarnation;
	values->error = op->error[0] != '\0' ? op->error : input->reason;
	if (op->end == OP_REMOVED || op->end == OP_HIDDEN) {
		/* one that nobody has seen may be created yet: then its transactionId has to be the
		 * next one's, too, or there would be two */
		values->event_id = op->event_id[0] != '\0' || op->is_known_gone ? "" : NULL;
		forget_event(values, op->end == OP_REMOVED ? ROW_DELETED : ROW_HIDDEN);
		return;
	}
	values->state = op->end == OP_SYNCED ? ROW_SYNCED : ROW_FAILED;
	values->event_id = op->event_id[0] != '\0' ? op->event_id : NULL;
	values->change_key = op->change_key[0] != '\0' ? op->change_key : NULL;
	values->hash = input->hash;
	values->category = op->end == OP_SYNCED && op->shows_ours ? input->category : NULL;
	values->shares_categories = op->end == OP_SYNCED && op->shares_categories;
}

/* This very result is in the row already: the answer to our write was lost, the write was not. */
static bool result_is_stored(const struct row *row, const struct protocol_input *input)
{
	struct row_values values = {0};

	if (row == NULL || row->is.pending_pos != NULL ||
	    text_order(row->is.applied_pos, input->pos) != 0) {
		return false;
	}
	result_values(input, &values);
	return values.state == row->is.state && values.incarnation == row->is.incarnation &&
	       (values.event_id == NULL ? row->is.event_id == NULL
					: text_is(values.event_id, row->is.event_id)) &&
	       (values.hash == NULL || text_is(values.hash, row->is.hash));
}

static void step_ended(const struct row *row, const struct protocol_input *input,
		       struct protocol_effects *effects)
{
	struct row_values *values = &effects->values;

	if (row_is_mine(row, &input->attempt)) {
		effects->writes = true;
		result_values(input, values);
		values->applied_pos = values->pending_pos;
		values->pending_pos = NULL;
		/* the answered request was repeated: the unanswered one may still land, with an
		 * event or a content that is old by then; a second removal does nothing */
		if (input->op->is_unsure && input->op->wants_event) {
			values->is_dirty = true;
			effects->begins_quarantine = true;
		}
		return;
	}
	if (result_is_stored(row, input)) {
		return;
	}
	/* another one has written since: neither of us knows which request landed last */
	effects->next = PROTOCOL_AGAIN;
	effects->writes = row != NULL;
	effects->begins_quarantine = row != NULL;
	values->is_dirty = true;
}

/* The event stays until a sync removes it; that the log has said so is kept, or many of them would
 * look like a mistake to that sync. */
static void step_parked(const struct row *row, const struct protocol_input *input,
			struct protocol_effects *effects)
{
	effects->writes = row != NULL && !input->wants_event && row->is.event_id != NULL &&
			  row->is.state != ROW_DELETED && !protocol_has_passed(row, input->pos);
	effects->values.state = ROW_DELETED;
}

static void step_released(const struct row *row, const struct protocol_input *input,
			  struct protocol_effects *effects)
{
	effects->writes = row_is_mine(row, &input->attempt) && !input->op->is_unsure;
	effects->values.pending_pos = NULL;
}

void protocol_step(const struct row *row, const struct protocol_input *input,
		   struct protocol_effects *effects)
{
	*effects = (struct protocol_effects){.values = {.state = ROW_SYNCED, .incarnation = 1}};
	if (row != NULL) {
		effects->values = row->is;
	}
	switch (input->kind) {
	case PROTOCOL_RECORD:
		step_record(row, input, effects);
		break;
	case PROTOCOL_COMPARED:
		step_compared(row, input, effects);
		break;
	case PROTOCOL_ANSWER:
		step_answer(input, effects);
		break;
	case PROTOCOL_ENDED:
		step_ended(row, input, effects);
		break;
	case PROTOCOL_PARKED:
		step_parked(row, input, effects);
		break;
	case PROTOCOL_RELEASED:
		step_released(row, input, effects);
		break;
	}
}
