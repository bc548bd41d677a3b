/* task.c - from a wish to a stored result, as the protocol says. */
#include "worker/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct protocol_input task_input(const struct task *task, enum protocol_kind kind)
{
	struct protocol_input input = task->wish;

	input.kind = kind;
	input.wants_event = task->event.verdict == OUTLOOK_EVENT;
	input.hash = input.wants_event ? task->event.hash : NULL;
	input.category = task->event.category;
	input.reason = outlook_reason(task->event.verdict);
	input.op = task->op;
	if (kind == PROTOCOL_ENDED) {
		input.pos = task->intent_pos;
	}
	return input;
}

static void task_take(struct task *task, const struct protocol_effects *effects)
{
	task->values = effects->values;
	task->begins_quarantine = effects->begins_quarantine;
	task->then = effects->next;
	task->version = 0;
}

static enum task_stage wish_stage(const struct protocol_effects *effects)
{
	if (effects->next == PROTOCOL_CALL) {
		return TASK_PLANNED;
	}
	return effects->writes ? TASK_RECORD : TASK_SKIPPED;
}

void task_plan(struct task *task, const struct row *row)
{
	struct protocol_input input = task_input(task, task->wish.kind);
	struct protocol_effects effects;

	protocol_step(row, &input, &effects);
	task->stage = wish_stage(&effects);
}

bool task_plan_stray(struct task *task, const char *event_id)
{
	task->op = malloc(sizeof *task->op);
	if (task->op == NULL) {
		return false;
	}
	op_init(task->op, false, event_id, 1);
	task->event.verdict = OUTLOOK_GONE;
	task->is_stray = true;
	task->stage = TASK_INTENDED;
	return true;
}

static void task_forget_op(struct task *task)
{
	free(task->op);
	task->op = NULL;
}

/* A wish, asked again: the row may be another one by now. */
static bool prepare_wish(struct task *task, const struct row *row)
{
	struct protocol_input input = task_input(task, task->wish.kind);
	struct protocol_effects effects;

	task->wish.attempt = input.attempt = uuid_random();
	protocol_step(row, &input, &effects);
	task->stage = wish_stage(&effects);
	task_take(task, &effects);
	if (task->stage == TASK_PLANNED) {
		task->op = malloc(sizeof *task->op);
		if (task->op == NULL) {
			fputs("out of memory\n", stderr);
			abort();
		}
		*task->op = effects.op;
	}
	return effects.writes;
}

static bool prepare_end(struct task *task, const struct row *row, enum protocol_kind kind)
{
	struct protocol_input input = task_input(task, kind);
	struct protocol_effects effects;

	protocol_step(row, &input, &effects);
	task_take(task, &effects);
	if (!effects.writes && kind == PROTOCOL_ENDED) {
		task_written(task);
	}
	return effects.writes;
}

bool task_prepare(struct task *task, const struct row *row)
{
	switch (task->stage) {
	case TASK_RECORD:
	case TASK_PLANNED:
		task_forget_op(task);
		return prepare_wish(task, row);
	case TASK_INTENDED:
		return prepare_end(task, row, PROTOCOL_RELEASED);
	case TASK_ENDED:
		return prepare_end(task, row, PROTOCOL_ENDED);
	default:
		return false;
	}
}

bool task_park(struct task *task, const struct row *row)
{
	struct protocol_input input = task_input(task, PROTOCOL_PARKED);
	struct protocol_effects effects;

	protocol_step(row, &input, &effects);
	task_take(task, &effects);
	task->stage = effects.writes ? TASK_PARKED : TASK_STORED;
	return effects.writes;
}

void task_written(struct task *task)
{
	switch (task->stage) {
	case TASK_PLANNED:
		snprintf(task->intent_pos, sizeof task->intent_pos, "%s", task->values.pending_pos);
		task->stage = TASK_INTENDED;
		return;
	case TASK_INTENDED: /* its intent was taken back */
		task->stage = TASK_PLANNED;
		break;
	case TASK_ENDED:
		task->stage = task->then == PROTOCOL_AGAIN ? TASK_AGAIN : TASK_STORED;
		break;
	default:
		task->stage = TASK_STORED;
		break;
	}
	task_forget_op(task);
}

enum op_scope task_answered(struct task *task, const struct op_answer *answer)
{
	struct protocol_input input = task_input(task, PROTOCOL_ANSWER);
	struct protocol_effects effects;

	input.answer = answer;
	protocol_step(NULL, &input, &effects);
	*task->op = effects.op;
	task->end = effects.op.end;
	if (effects.next == PROTOCOL_STORE) {
		task->stage = TASK_ENDED;
	}
	return effects.scope;
}

void task_close(struct task *task)
{
	task_forget_op(task);
	outlook_event_close(&task->event);
}
