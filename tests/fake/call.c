/* call.c - one HTTP call of Graph under way. */
#include "tests/fake/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/clock.h"
#include "tests/fake/amend.h"
#include "tests/fake/challenge.h"
#include "tests/fake/memory.h"

struct call *call_new(struct server *server, struct httpd_request *request, struct account *account,
		      size_t count)
{
	struct call *call = memory_zeroed(1, sizeof *call);

	call->server = server;
	call->request = request;
	call->account = account;
	call->count = count;
	call->operations = memory_zeroed(count, sizeof *call->operations);
	account->mailbox.calls++;
	if (account->mailbox.calls > server->world.journal.max_calls) {
		server->world.journal.max_calls = account->mailbox.calls;
	}
	DL_APPEND(server->calls, call);
	return call;
}

void call_free(struct call *call)
{
	call->account->mailbox.calls--;
	DL_DELETE(call->server->calls, call);
	for (size_t i = 0; i < call->count; i++) {
		operation_close(&call->operations[i]);
	}
	free(call->operations);
	cJSON_Delete(call->document);
	free(call);
}

/* Exchange stands behind everything but /me. */
static bool is_exchange(const struct operation *operation)
{
	return operation->kind != KIND_ME && operation->kind != KIND_OTHER;
}

static void call_note(struct call *call, size_t index, int in_flight)
{
	struct operation *operation = &call->operations[index];
	struct journal_record record = {
	    .at_ms = clock_wall_ms(),
	    .account = call->account->email,
	    .kind = operation->kind,
	    .method = operation->method,
	    .path = operation->path,
	    .event_id = operation->event_id[0] != '\0' ? operation->event_id : NULL,
	    .assignment = operation->assignment,
	    .status = operation->status,
	    .in_flight = in_flight};

	server_note(call->server, &record);
	call->seqs[index] = call->server->world.journal.last_seq;
}

static void refuse(struct operation *operation, int status, const char *code, const char *message)
{
	struct problem problem;

	problem_set(&problem, status, code, "%s", message);
	operation_refuse(operation, &problem, clock_wall_ms());
}

void call_refuse_by_fault(struct operation *operation, const struct faults_rule *rule)
{
	if (rule->deed == FAULTS_GATEWAY) {
		operation->status = rule->status;
		buf_reset(&operation->answer);
		delivery_write_page(&operation->answer);
		snprintf(operation->location, sizeof operation->location, "%s", rule->location);
		return;
	}
	refuse(operation, rule->status, rule->code, "Injected by the control API.");
	snprintf(operation->retry_after, sizeof operation->retry_after, "%s", rule->retry_after);
	if (rule->status == 401) {
		challenge_format(rule->deed == FAULTS_CHALLENGE, clock_wall_ms(),
				 operation->www_authenticate, sizeof operation->www_authenticate);
	}
}

/* False where a fault answers in the operation's place. */
static bool pass_faults(struct call *call, struct operation *operation, int64_t *delay_ms)
{
	const struct faults_call asked = {call->account->email, operation->assignment,
					  operation->kind, !call->is_batch};
	struct faults_rule rule;

	if (!faults_take(&call->server->world.faults, &asked, &rule)) {
		return true;
	}
	if (faults_refuses(&rule)) {
		call_refuse_by_fault(operation, &rule);
		if (!call->is_batch) {
			delivery_spoil(&call->manner, &rule);
		}
		return false;
	}
	if (rule.deed == FAULTS_DELAY && !rule.is_after && rule.ms > *delay_ms) {
		*delay_ms = rule.ms;
	}
	if (rule.deed == FAULTS_AMEND) {
		memcpy(operation->amendment, rule.answer, sizeof rule.answer);
		return true;
	}
	delivery_spoil(&call->manner, &rule);
	return true;
}

/* Exchange's own limits: four at once, so many in ten minutes. */
static bool pass_limits(struct call *call, struct operation *operation)
{
	const struct settings *settings = &call->server->world.settings;
	struct mailbox *mailbox = &call->account->mailbox;
	struct problem problem;
	int64_t retry_after_s = 1;

	if (!is_exchange(operation)) {
		return true;
	}
	if (!mailbox_count_request(mailbox, settings, clock_wall_ms(), &retry_after_s, &problem)) {
		operation_refuse(operation, &problem, clock_wall_ms());
	} else if (settings->concurrency_limit > 0 &&
		   mailbox->in_flight >= settings->concurrency_limit) {
		refuse(operation, 429, "ApplicationThrottled",
		       "Application is over its MailboxConcurrency limit.");
	} else {
		return true;
	}
	snprintf(operation->retry_after, sizeof operation->retry_after, "%lld",
		 (long long)retry_after_s);
	return false;
}

static bool pass_dependency(struct call *call, size_t index)
{
	int on = call->is_batch ? call->batch.items[index].depends_on : -1;

	if (on < 0 || call->operations[on].status < 400) {
		return true;
	}
	refuse(&call->operations[index], 424, "FailedDependency",
	       "A request that this one depends on has failed.");
	return false;
}

/* Puts the operation into the group, or answers it at once. */
static void call_take(struct call *call, size_t index, int64_t *delay_ms)
{
	struct operation *operation = &call->operations[index];
	struct mailbox *mailbox = &call->account->mailbox;

	operation_look(operation, &call->server->world, call->account);
	if (!pass_dependency(call, index) || !pass_faults(call, operation, delay_ms) ||
	    !pass_limits(call, operation)) {
		call_note(call, index, mailbox->in_flight + 1);
		return;
	}
	if (is_exchange(operation)) {
		mailbox->in_flight++;
	}
	call->group[call->group_count++] = index;
}

/* What somebody wants to read afterwards as it was written. */
static void call_keep_body(struct call *call, const struct operation *operation)
{
	struct world *world = &call->server->world;

	if (world->settings.keeps_bodies && operation->body != NULL &&
	    (operation->kind == KIND_CREATE || operation->kind == KIND_UPDATE ||
	     operation->kind == KIND_CATEGORIES)) {
		bodies_keep(&world->bodies, operation->kind, operation->status, operation->body);
	}
}

static void call_run_group(struct call *call)
{
	struct mailbox *mailbox = &call->account->mailbox;

	for (size_t i = 0; i < call->group_count; i++) {
		struct operation *operation = &call->operations[call->group[i]];
		int in_flight = mailbox->in_flight;

		operation_run(operation, &call->server->world, call->account, call->scopes,
			      clock_wall_ms());
		amend_answer(operation->amendment, &operation->answer);
		call_keep_body(call, operation);
		call_note(call, call->group[i], in_flight);
	}
	for (size_t i = 0; i < call->group_count; i++) {
		if (is_exchange(&call->operations[call->group[i]])) {
			mailbox->in_flight--;
		}
	}
	call->group_count = 0;
}

static void call_finish(struct call *call)
{
	for (size_t i = 0; i < call->count && call->manner.is_lost; i++) {
		journal_mark_lost(&call->server->world.journal, call->seqs[i]);
	}
	call->done(call);
}

static void on_group_due(struct later *later);

/* Starts groups until one has to wait, or all is done. */
static void call_go_on(struct call *call, int64_t first_delay_ms)
{
	size_t width = call->is_batch && !call->batch.is_ordered ? BATCH_PARALLEL : 1;

	while (call->taken < call->count) {
		int64_t delay_ms = first_delay_ms;

		for (size_t i = 0; i < width && call->taken < call->count; i++) {
			call_take(call, call->order[call->taken++], &delay_ms);
		}
		first_delay_ms = 0;
		delay_ms += call->server->world.latency_ms;
		if (delay_ms > 0) {
			later_add(&call->server->later, &call->later, delay_ms, on_group_due);
			return;
		}
		call_run_group(call);
	}
	call_finish(call);
}

static void on_group_due(struct later *later)
{
	struct call *call = container_of(later, struct call, later);

	call_run_group(call);
	call_go_on(call, 0);
}

void call_start(struct call *call, int64_t delay_ms)
{
	for (size_t i = 0; i < call->count; i++) {
		call->order[i] = i;
	}
	if (call->is_batch && !call->batch.is_ordered) {
		batch_shuffle(call->order, call->count);
	}
	call_go_on(call, delay_ms);
}

void calls_cut(struct server *server)
{
	while (server->calls != NULL) {
		struct call *call = server->calls;

		later_cancel(&server->later, &call->later);
		httpd_cut(call->request);
		call_free(call);
	}
}
