/* mailbox.c - a person's calendar and Deleted Items. */
#include "tests/fake/mailbox.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/base64.h"
#include "tests/fake/memory.h"

/* ---- indexes and folders ---- */

/* What the macros of uthash and utlist expand to is nobody's function to measure. */
/* NOLINTBEGIN(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */
static struct event *store_find(const struct store *store, const char *core)
{
	struct event *event = NULL;

	HASH_FIND_STR(store->events, core, event);
	return event;
}

static void store_add(struct store *store, struct event *event)
{
	HASH_ADD_STR(store->events, core, event);
	store->count++;
}

static void store_remove(struct store *store, struct event *event)
{
	HASH_DEL(store->events, event);
	store->count--;
}

static void event_enter_folder(struct event *event)
{
	struct mailbox *mailbox = event->mailbox;

	if (event->is_deleted) {
		DL_APPEND(mailbox->deleted, event);
		mailbox->deleted_count++;
	} else {
		DL_APPEND(mailbox->calendar, event);
		mailbox->calendar_count++;
	}
}

static void event_leave_folder(struct event *event)
{
	struct mailbox *mailbox = event->mailbox;

	if (event->is_deleted) {
		DL_DELETE(mailbox->deleted, event);
		mailbox->deleted_count--;
	} else {
		DL_DELETE(mailbox->calendar, event);
		mailbox->calendar_count--;
	}
}

static void event_leave_transactions(struct event *event)
{
	if (event->is_in_transactions) {
		HASH_DELETE(by_transaction, event->mailbox->transactions, event);
		event->is_in_transactions = false;
	}
}

static void event_enter_transactions(struct event *event)
{
	const char *id = event->draft.transaction_id;

	if (id != NULL) {
		HASH_ADD_KEYPTR(by_transaction, event->mailbox->transactions, id, strlen(id),
				event);
		event->is_in_transactions = true;
	}
}

/* The event that has used the draft's transactionId, or NULL. */
static struct event *mailbox_find_transaction(const struct mailbox *mailbox,
					      const struct draft *draft)
{
	struct event *event = NULL;

	if (draft->transaction_id != NULL) {
		HASH_FIND(by_transaction, mailbox->transactions, draft->transaction_id,
			  strlen(draft->transaction_id), event);
	}
	return event;
}

/* NOLINTEND(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */

/* ---- finding ---- */

struct event *mailbox_find(const struct store *store, const struct settings *settings,
			   struct mailbox *mailbox, const char *id, bool is_immutable,
			   struct problem *problem)
{
	char core[EVENT_CORE_SIZE];
	char current[EVENT_ID_SIZE];
	struct event *event;

	if (!event_core(id, is_immutable, core)) {
		problem_set(problem, 400, "ErrorInvalidIdMalformed", "Id is malformed.");
		return NULL;
	}
	event = store_find(store, core);
	if (event != NULL) {
		event_id(event, is_immutable, current);
		if (event->mailbox == mailbox && strcmp(current, id) == 0 &&
		    (!event->is_deleted || (settings->shows_deleted && is_immutable))) {
			return event;
		}
	}
	problem_set(problem, 404, "ErrorItemNotFound",
		    "The specified object was not found in the store.");
	return NULL;
}

static void event_destroy(struct store *store, struct event *event)
{
	event_leave_folder(event);
	event_leave_transactions(event);
	store_remove(store, event);
	draft_close(&event->draft);
	free(event);
}

static void event_touch(struct store *store, struct event *event, int64_t now_ms)
{
	event->change = ++store->last_change;
	event->version++;
	event->modified_ms = now_ms;
}

/* ---- creating ---- */

static void event_random_core(char core[EVENT_CORE_SIZE])
{
	unsigned char bytes[18];
	struct buf text;

	if (RAND_bytes(bytes, sizeof bytes) != 1) {
		fputs("no random bytes\n", stderr);
		abort();
	}
	buf_init(&text, EVENT_CORE_SIZE);
	base64url_encode(&text, bytes, sizeof bytes);
	snprintf(core, EVENT_CORE_SIZE, "%s", buf_string(&text));
	buf_close(&text);
}

static struct event *mailbox_add(struct store *store, struct mailbox *mailbox, struct draft *draft,
				 int64_t now_ms)
{
	struct event *event = memory_zeroed(1, sizeof *event);

	event->mailbox = mailbox;
	event->number = ++store->last_number;
	event->created_ms = now_ms;
	event->content = draft_hash(draft);
	event->draft = *draft;
	*draft = (struct draft){0};
	event_random_core(event->core);
	event_touch(store, event, now_ms);
	store_add(store, event);
	event_enter_folder(event);
	event_enter_transactions(event);
	return event;
}

static void refuse_duplicate(const struct settings *settings, const struct event *event,
			     struct problem *problem)
{
	problem_set(
	    problem, (int)settings->duplicate_status, "ErrorDuplicateTransactionId",
	    "Your request can't be completed. The TransactionId value has already been used to "
	    "create a different event.");
	if (settings->names_existing_id) {
		event_id(event, true, problem->existing_id);
	}
}

struct event *mailbox_create(struct store *store, const struct settings *settings,
			     struct mailbox *mailbox, struct draft *draft, int64_t now_ms,
			     struct problem *problem)
{
	struct event *earlier;

	if (!draft_check_new(draft, problem)) {
		return NULL;
	}
	earlier = mailbox_find_transaction(mailbox, draft);
	if (earlier != NULL && earlier->is_deleted && settings->after_delete == SETTINGS_FORGET) {
		event_leave_transactions(earlier);
		earlier = NULL;
	}
	if (earlier != NULL) {
		if (earlier->content == draft_hash(draft) &&
		    (!earlier->is_deleted || settings->after_delete == SETTINGS_REPLAY)) {
			return earlier;
		}
		refuse_duplicate(settings, earlier, problem);
		return NULL;
	}
	if (store->count >= MAILBOX_EVENTS_MAX) {
		problem_set(problem, 507, "ErrorQuotaExceeded", "The server holds %d events.",
			    MAILBOX_EVENTS_MAX);
		return NULL;
	}
	return mailbox_add(store, mailbox, draft, now_ms);
}

/* ---- changing, deleting ---- */

bool mailbox_change(struct store *store, struct event *event, struct draft *change, int64_t now_ms,
		    struct problem *problem)
{
	if (!draft_check_change(&event->draft, change, problem)) {
		return false;
	}
	draft_merge(&event->draft, change);
	event_touch(store, event, now_ms);
	return true;
}

void mailbox_delete(struct store *store, struct event *event, int64_t now_ms)
{
	struct mailbox *mailbox = event->mailbox;

	if (event->is_deleted) {
		event_destroy(store, event);
		return;
	}
	event_leave_folder(event);
	event->is_deleted = true;
	event->moves++;
	event_enter_folder(event);
	event_touch(store, event, now_ms);
	if (mailbox->deleted_count > MAILBOX_DELETED_MAX) {
		event_destroy(store, mailbox->deleted);
	}
}

bool mailbox_count_request(struct mailbox *mailbox, const struct settings *settings, int64_t now_ms,
			   int64_t *retry_after_s, struct problem *problem)
{
	if (now_ms - mailbox->window_started_ms >= MAILBOX_WINDOW_MS) {
		mailbox->window_started_ms = now_ms;
		mailbox->window_count = 0;
	}
	mailbox->window_count++; /* refused ones count too */
	if (settings->rate_limit == 0 || mailbox->window_count <= settings->rate_limit) {
		return true;
	}
	*retry_after_s = (mailbox->window_started_ms + MAILBOX_WINDOW_MS - now_ms + 999) / 1000;
	return problem_set(problem, 429, "ApplicationThrottled",
			   "Application is over its MailboxRequests limit.");
}

/* NOLINTBEGIN(clang-analyzer-unix.Malloc): the analyzer doesn't see that it leaves its folder */
void mailbox_close(struct store *store, struct mailbox *mailbox)
{
	while (mailbox->calendar != NULL) {
		event_destroy(store, mailbox->calendar);
	}
	while (mailbox->deleted != NULL) {
		event_destroy(store, mailbox->deleted);
	}
}
/* NOLINTEND(clang-analyzer-unix.Malloc) */
