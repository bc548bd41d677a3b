/* op.c - the life of one operation on one event. */
#include "worker/op.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"

static const char *const NAMES[] = {[OP_CREATE] = "create",
				    [OP_UPDATE] = "update",
				    [OP_DELETE] = "delete",
				    [OP_FIND] = "find",
				    [OP_READ] = "read"};
static_assert(sizeof NAMES / sizeof *NAMES == OP_REQUESTS, "name every request");

const char *op_request_name(enum op_request request)
{
	return NAMES[request];
}

void op_init(struct op *op, bool wants_event, const char *event_id, int incarnation)
{
	*op = (struct op){.wants_event = wants_event, .incarnation = incarnation};
	if (event_id != NULL) {
		snprintf(op->event_id, sizeof op->event_id, "%s", event_id);
		op->request = wants_event ? OP_READ : OP_DELETE;
	} else {
		op->request = wants_event ? OP_CREATE : OP_FIND;
	}
}

void op_see_categories(struct op *op, bool shows_ours, const char *theirs, const char *change_key)
{
	bool is_cut = strlen(theirs) >= sizeof op->theirs;

	op->request = OP_UPDATE;
	op->shows_ours = shows_ours;
	op->shares_categories = !category_list_is_empty(theirs);
	op->keeps_categories = shows_ours || is_cut;
	text_copy(op->theirs, sizeof op->theirs, op->keeps_categories ? "" : theirs);
	text_copy(op->match, sizeof op->match, op->keeps_categories ? "" : change_key);
}

struct uuid op_transaction_id(const struct uuid *connection, const struct uuid *assignment,
			      int incarnation)
{
	char name[UUID_TEXT_SIZE + 16];
	char text[UUID_TEXT_SIZE];

	uuid_format(assignment, text);
	snprintf(name, sizeof name, "%s:%d", text, incarnation);
	return uuid_named(connection, name);
}

static bool code_is(const struct op_answer *answer, const char *code)
{
	return strcmp(answer->code, code) == 0;
}

static bool status_is_success(int status)
{
	return status >= 200 && status < 300;
}

static enum op_scope op_finish(struct op *op, enum op_end end)
{
	op->end = end;
	return OP_GOES_ON;
}

/* What was seen of the event is not true any more. */
static enum op_scope op_turn(struct op *op, enum op_request request)
{
	op_see_categories(op, false, "", "");
	op->request = request;
	return OP_GOES_ON;
}

/* Once the event was changed too often in between, what was read a moment ago has to do. */
static enum op_scope op_update_seen(struct op *op, const struct op_answer *answer)
{
	op_see_categories(op, answer->shows_ours, answer->theirs,
			  op->tries < OP_MATCHES_MAX ? answer->change_key : "");
	return OP_GOES_ON;
}

static enum op_scope op_adopt(struct op *op, const struct op_answer *answer)
{
	memcpy(op->event_id, answer->event_id, sizeof op->event_id);
	if (op->wants_event && answer->tells_categories) {
		return op_update_seen(op, answer);
	}
	return op_turn(op, op->wants_event ? OP_READ : OP_DELETE);
}

/* Not for ever: an error that stays is an error. */
static bool op_may_try(struct op *op, const struct op_answer *answer)
{
	if (++op->tries < OP_TRIES_MAX) {
		return true;
	}
	snprintf(op->error, sizeof op->error, "Microsoft answered %d %s to %s, %d times",
		 answer->status, answer->code, NAMES[op->request], op->tries);
	return false;
}

static enum op_scope op_again(struct op *op, const struct op_answer *answer)
{
	return op_may_try(op, answer) ? OP_LATER : op_finish(op, OP_REJECTED);
}

static enum op_scope op_turn_again(struct op *op, const struct op_answer *answer,
				   enum op_request request)
{
	return op_may_try(op, answer) ? op_turn(op, request) : op_finish(op, OP_REJECTED);
}

/* Looks for the event by its mark; Graph may find it again and again under an id it denies. */
static enum op_scope op_look(struct op *op, const struct op_answer *answer)
{
	return op_turn_again(op, answer, OP_FIND);
}

/* A request that changes something may have taken effect without an answer. */
static void op_doubt(struct op *op)
{
	op->is_unsure |= op->request != OP_FIND && op->request != OP_READ;
}

static enum op_scope op_rejected(struct op *op, const struct op_answer *answer)
{
	snprintf(op->error, sizeof op->error, "Microsoft answered %d %s to %s", answer->status,
		 answer->code, NAMES[op->request]);
	return op_finish(op, OP_REJECTED);
}

/* What the answer to a write tells of the categories; otherwise they are what was written. */
static void op_take_categories(struct op *op, const struct op_answer *answer)
{
	op->shows_ours |= !op->keeps_categories;
	if (answer->tells_categories) {
		op->shows_ours = answer->shows_ours;
		op->shares_categories = !category_list_is_empty(answer->theirs);
	}
}

static enum op_scope op_created(struct op *op, const struct op_answer *answer)
{
	if (answer->event_id[0] == '\0') {
		op_doubt(op); /* it is there, under a name unknown */
		return op_look(op, answer);
	}
	memcpy(op->event_id, answer->event_id, sizeof op->event_id);
	memcpy(op->change_key, answer->change_key, sizeof op->change_key);
	op_take_categories(op, answer);
	return op_finish(op, OP_SYNCED);
}

static enum op_scope op_updated(struct op *op, const struct op_answer *answer)
{
	bool was_kept = op->keeps_categories;

	memcpy(op->change_key, answer->change_key, sizeof op->change_key);
	op_take_categories(op, answer);
	if (was_kept && !op->shows_ours && answer->tells_categories) {
		op_update_seen(op, answer); /* ours was taken away by hand */
		if (!op->keeps_categories) {
			return OP_GOES_ON;
		}
	}
	return op_finish(op, OP_SYNCED);
}

static enum op_scope op_found(struct op *op, const struct op_answer *answer)
{
	if (answer->found > 0) {
		return op_adopt(op, answer);
	}
	op->event_id[0] = '\0';
	if (!op->wants_event) {
		return op_finish(op, OP_REMOVED);
	}
	if (op->is_known_gone && op->respects_deletion) {
		return op_finish(op, OP_HIDDEN);
	}
	if (op->is_known_gone) {
		op->incarnation++; /* the old transactionId would be answered with the gone event */
		op->is_known_gone = false;
	}
	return op_turn(op, OP_CREATE);
}

static enum op_scope op_succeeded(struct op *op, const struct op_answer *answer)
{
	switch (op->request) {
	case OP_CREATE:
		return op_created(op, answer);
	case OP_UPDATE:
		return op_updated(op, answer);
	case OP_READ:
		/* a failed read is never an empty result */
		return answer->tells_categories ? op_update_seen(op, answer) : op_again(op, answer);
	case OP_FIND:
		return op_found(op, answer);
	default:
		return op_finish(op, OP_REMOVED);
	}
}

/* The event, or the id we know it by, is no more: look whether it lives under another one. */
static enum op_scope op_lost(struct op *op, const struct op_answer *answer)
{
	op->is_known_gone = true;
	return op_look(op, answer);
}

/* Codes that speak of the mailbox, not of the event (learn KB 4462988): never "event gone". */
static bool code_blames_mailbox(const struct op_answer *answer)
{
	static const char *const CODES[] = {
	    "MailboxNotEnabledForRESTAPI",  "MailboxNotSupportedForRESTAPI",
	    "ErrorNonExistentMailbox",	    "ErrorMailboxMoveInProgress",
	    "ErrorMailboxStoreUnavailable", "ErrorQuotaExceeded"};

	for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++) {
		if (code_is(answer, CODES[i])) {
			return true;
		}
	}
	return false;
}

static bool op_addresses_event(const struct op *op)
{
	return op->request == OP_UPDATE || op->request == OP_READ || op->request == OP_DELETE;
}

static enum op_scope op_refused(struct op *op, const struct op_answer *answer)
{
	if (code_is(answer, "ErrorDuplicateTransactionId") && op->request == OP_CREATE) {
		return answer->event_id[0] != '\0' ? op_adopt(op, answer) : op_lost(op, answer);
	}
	if (answer->status == 404 || answer->status == 410) {
		if (op->request == OP_DELETE) {
			return op_finish(op, OP_REMOVED);
		}
		return op_addresses_event(op) ? op_lost(op, answer) : op_again(op, answer);
	}
	if (code_is(answer, "ErrorInvalidIdMalformed") && op_addresses_event(op)) {
		return op_lost(op, answer);
	}
	if (answer->status == 412 && op->request == OP_UPDATE && op->match[0] != '\0') {
		return op_turn_again(op, answer, OP_READ);
	}
	if (answer->status == 409 || answer->status == 412) {
		return op_again(op, answer);
	}
	return op_rejected(op, answer);
}

enum op_scope op_answered(struct op *op, const struct op_answer *answer)
{
	if (status_is_success(answer->status)) {
		return op_succeeded(op, answer);
	}
	if (code_blames_mailbox(answer)) {
		return OP_MAILBOX;
	}
	switch (answer->status) {
	case 401:
		return OP_AUTH;
	case 403:
	case 507:
		return OP_MAILBOX;
	case 503:
	case 504:
		op_doubt(op); /* whoever says so need not know what became of it */
		return OP_THROTTLED;
	case 429:
	case 509:
		return OP_THROTTLED;
	default:
		break;
	}
	/* 0, 424 and the server's own errors: nobody knows what happened; every request can be
	 * repeated, so it is, as long as it takes */
	if (answer->status < 400 || answer->status == 424 || answer->status == 408 ||
	    answer->status >= 500) {
		if (answer->status != 424) { /* 424: it was not even tried */
			op_doubt(op);
		}
		return OP_LATER;
	}
	return op_refused(op, answer);
}
