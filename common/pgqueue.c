/* pgqueue.c - two lists of requests: waiting, and ended. */
#include "common/pgqueue.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

#define PGQUEUE_MAX 65536

static void list_init(struct pgqueue_list *list)
{
	*list = (struct pgqueue_list){.last = &list->first};
}

static void list_add(struct pgqueue_list *list, struct pg_request *request)
{
	request->next = NULL;
	*list->last = request;
	list->last = &request->next;
	list->count++;
}

static struct pg_request *list_take(struct pgqueue_list *list)
{
	struct pg_request *request = list->first;

	if (request == NULL) {
		return NULL;
	}
	list->first = request->next;
	if (list->first == NULL) {
		list->last = &list->first;
	}
	list->count--;
	request->next = NULL;
	return request;
}

void pgqueue_init(struct pgqueue *queue)
{
	list_init(&queue->waiting);
	list_init(&queue->ended);
}

/* Copies the parameters' text, so that the caller may let go of it. */
static struct pg_copy *request_copy(const struct pg_request *request)
{
	size_t size = sizeof(struct pg_copy);
	struct pg_copy *copied;
	char *at;

	for (int i = 0; i < request->param_count; i++) {
		size += request->params[i] != NULL ? strlen(request->params[i]) + 1 : 0;
	}
	copied = calloc(1, size);
	if (copied == NULL) {
		return NULL;
	}
	copied->sent_ms = clock_mono_ms();
	at = copied->bytes;
	for (int i = 0; i < request->param_count; i++) {
		if (request->params[i] != NULL) {
			size_t length = strlen(request->params[i]) + 1;

			memcpy(at, request->params[i], length);
			copied->params[i] = at;
			at += length;
		}
	}
	return copied;
}

static void queue_end(struct pgqueue *queue, struct pg_request *request, const char *what)
{
	fault_retry(&request->fault, "PostgreSQL: %s", what);
	list_add(&queue->ended, request);
}

void pgqueue_add(struct pgqueue *queue, struct pg_request *request)
{
	request->copied = NULL;
	if (queue->waiting.count >= PGQUEUE_MAX) {
		queue_end(queue, request, "the queue is full");
		return;
	}
	request->copied = request_copy(request);
	if (request->copied == NULL) {
		queue_end(queue, request, "out of memory");
		return;
	}
	list_add(&queue->waiting, request);
}

struct pg_request *pgqueue_take(struct pgqueue *queue)
{
	return list_take(&queue->waiting);
}

static bool request_is_impatient(const struct pg_request *request, int64_t now_ms)
{
	int64_t patience_ms = request->patience_ms > 0 ? request->patience_ms : PGQUEUE_PATIENCE_MS;

	return now_ms - request->copied->sent_ms > patience_ms;
}

void pgqueue_end_impatient(struct pgqueue *queue, int64_t now_ms)
{
	for (size_t left = queue->waiting.count; left > 0; left--) {
		struct pg_request *request = list_take(&queue->waiting);

		if (request_is_impatient(request, now_ms)) {
			queue_end(queue, request, "no connection in time");
		} else {
			list_add(&queue->waiting, request); /* all of them once round: in order */
		}
	}
}

void pgqueue_answer_ended(struct pgqueue *queue)
{
	struct pg_request *request;

	/* a callback may free the pool, which takes the rest */
	for (size_t left = queue->ended.count; left > 0; left--) {
		request = list_take(&queue->ended);
		if (request == NULL) {
			return;
		}
		pgqueue_answer(request);
	}
}

void pgqueue_answer(struct pg_request *request)
{
	PGresult *result = request->result;

	free(request->copied);
	request->copied = NULL;
	request->done(request); /* may free or reuse the request */
	PQclear(result);
}

void pgqueue_fail(struct pg_request *request, const char *what)
{
	fault_retry(&request->fault, "PostgreSQL: %s", what);
	request->result = NULL;
	pgqueue_answer(request);
}
