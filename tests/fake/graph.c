/* graph.c - the HTTP side of Graph. */
#include "tests/fake/graph.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/jsonw.h"
#include "tests/fake/call.h"
#include "tests/fake/challenge.h"
#include "tests/fake/memory.h"

#define VERSION_PREFIX "/v1.0"

/* ---- answers ---- */

static void set_request_ids(struct httpd_request *request)
{
	const char *client = httpd_header(request, "client-request-id");
	char id[UUID_TEXT_SIZE];
	struct uuid uuid = uuid_random();

	uuid_format(&uuid, id);
	httpd_reply_header(request, "request-id", id);
	httpd_reply_header(request, "client-request-id",
			   client != NULL && strpbrk(client, "\r\n") == NULL ? client : id);
	httpd_reply_header(request, "Cache-Control", "private");
}

static void set_operation_headers(struct httpd_request *request, const struct operation *operation)
{
	if (operation->etag[0] != '\0') {
		httpd_reply_header(request, "ETag", operation->etag);
	}
	if (operation->retry_after[0] != '\0') {
		httpd_reply_header(request, "Retry-After", operation->retry_after);
	}
	if (operation->www_authenticate[0] != '\0') {
		httpd_reply_header(request, "WWW-Authenticate", operation->www_authenticate);
	}
	if (operation->location[0] != '\0') {
		httpd_reply_header(request, "Location", operation->location);
	}
}

/* The answer to one operation that is a whole call; takes its text. */
static void answer_operation(struct server *server, struct httpd_request *request,
			     struct operation *operation, const struct delivery_manner *manner)
{
	struct buf body = operation->answer;

	buf_init(&operation->answer, OPERATION_ANSWER_MAX_BYTES);
	set_operation_headers(request, operation);
	delivery_send(server, request, operation->status, &body, manner);
}

static void on_single_done(struct call *call)
{
	answer_operation(call->server, call->request, &call->operations[0], &call->manner);
	call_free(call);
}

static void note_whole(struct server *server, struct httpd_request *request,
		       const struct account *account, enum kind kind, int status, bool lost)
{
	char path[JOURNAL_PATH_SIZE];
	struct journal_record record = {.at_ms = clock_wall_ms(),
					.account = account != NULL ? account->email : NULL,
					.kind = kind,
					.method = httpd_method(request),
					.path = path,
					.status = status,
					.in_flight =
					    account != NULL ? account->mailbox.in_flight : 0,
					.lost = lost};

	snprintf(path, sizeof path, "%s", httpd_path(request) + strlen(VERSION_PREFIX));
	server_note(server, &record);
}

/* ---- a batch's answer ---- */

/* 204 without headers and with a null body is the documented form. */
static void write_item(const struct batch_item *item, const struct operation *operation,
		       struct buf *out)
{
	jsonw_comma(out);
	buf_char(out, '{');
	jsonw_member_text(out, "id", item->id);
	jsonw_member_number(out, "status", operation->status);
	if (operation->answer.length == 0) {
		buf_text(out, ",\"body\":null}");
		return;
	}
	jsonw_key(out, "headers");
	buf_char(out, '{');
	jsonw_member_text(out, "Cache-Control", "private");
	jsonw_member_text(out, "Content-Type", "application/json");
	if (operation->etag[0] != '\0') {
		jsonw_member_text(out, "ETag", operation->etag);
	}
	if (operation->retry_after[0] != '\0') {
		jsonw_member_text(out, "Retry-After", operation->retry_after);
	}
	if (operation->www_authenticate[0] != '\0') {
		jsonw_member_text(out, "WWW-Authenticate", operation->www_authenticate);
	}
	buf_char(out, '}');
	jsonw_key(out, "body");
	buf_add(out, buf_string(&operation->answer), operation->answer.length);
	buf_char(out, '}');
}

static void on_batch_done(struct call *call)
{
	struct journal *journal = &call->server->world.journal;
	size_t order[BATCH_ITEMS_MAX];
	struct buf body;

	batch_shuffle(order, call->count);
	buf_init(&body, SERVER_PAGE_MAX_BYTES);
	buf_text(&body, "{\"responses\":[");
	for (size_t i = 0; i < call->count; i++) {
		write_item(&call->batch.items[order[i]], &call->operations[order[i]], &body);
	}
	buf_text(&body, "]}");
	journal->batches++;
	journal->batch_items += call->count;
	note_whole(call->server, call->request, call->account, KIND_BATCH, 200,
		   call->manner.is_lost);
	delivery_send(call->server, call->request, 200, &body, &call->manner);
	call_free(call);
}

/* ---- refusals of the whole call ---- */

static void refuse_call(struct server *server, struct httpd_request *request,
			const struct account *account, enum kind kind,
			const struct problem *problem)
{
	const struct delivery_manner manner = {0};
	struct buf body;

	buf_init(&body, 4096);
	problem_write(problem, clock_wall_ms(), &body);
	note_whole(server, request, account, kind, problem->status, false);
	delivery_send(server, request, problem->status, &body, &manner);
}

/* NULL where the caller has been answered with 401. */
static struct account *authenticate(struct server *server, struct httpd_request *request,
				    enum kind kind, uint32_t *scopes)
{
	struct problem problem;
	struct identity_denial denial;
	char challenge[CHALLENGE_SIZE];
	struct account *account = identity_authenticate(
	    &server->world.identity, &server->world.accounts,
	    httpd_header(request, "Authorization"), clock_wall_ms(), scopes, &denial);

	set_request_ids(request);
	if (account == NULL) {
		challenge_format(denial.has_claims, clock_wall_ms(), challenge, sizeof challenge);
		httpd_reply_header(request, "WWW-Authenticate", challenge);
		problem_set(&problem, 401, "InvalidAuthenticationToken", "%s", denial.why);
		refuse_call(server, request, NULL, kind, &problem);
	}
	return account;
}

/* The body as JSON; NULL where there is none or it is none. */
static cJSON *read_body(struct httpd_request *request)
{
	struct fault ignored; /* what needs a body refuses the lack of it */
	size_t length;
	const char *bytes = httpd_body(request, &length);

	return length > 0 ? json_parse(bytes, length, SERVER_BODY_MAX_BYTES, &ignored) : NULL;
}

/* ---- one operation ---- */

static void on_query(void *context, const char *name, const char *value)
{
	struct operation *operation = context;

	if (!query_add(&operation->query, name, value)) {
		operation->is_malformed = true;
	}
}

void graph_handle(struct httpd_request *request)
{
	struct server *server = httpd_context(request);
	struct operation operation;
	struct account *account;
	struct call *call;
	uint32_t scopes;

	operation_init(&operation, httpd_method(request),
		       memory_text(httpd_path(request) + strlen(VERSION_PREFIX)));
	account = authenticate(server, request, operation.kind, &scopes);
	if (account == NULL) {
		operation_close(&operation);
		return;
	}
	call = call_new(server, request, account, 1);
	call->scopes = scopes;
	call->document = read_body(request);
	call->done = on_single_done;
	server_base_url(request, call->base_url);
	call->operations[0] = operation;
	httpd_query_each(request, on_query, &call->operations[0]);
	call->operations[0].base_url = call->base_url;
	call->operations[0].content_type = httpd_header(request, "Content-Type");
	call->operations[0].prefer_header = httpd_header(request, "Prefer");
	call->operations[0].if_match = httpd_header(request, "If-Match");
	call->operations[0].body = call->document;
	call_start(call, 0);
}

/* ---- a batch ---- */

static void init_item(struct call *call, size_t index)
{
	const struct batch_item *item = &call->batch.items[index];
	struct operation *operation = &call->operations[index];
	struct query query;
	char *path;
	bool ok = query_parse(item->url, &path, &query);

	if (path[0] != '/') { /* "me/events" is as good as "/me/events" */
		struct buf whole;

		buf_init(&whole, SERVER_BODY_MAX_BYTES);
		buf_format(&whole, "/%s", path);
		free(path);
		path = memory_text(buf_string(&whole));
		buf_close(&whole);
	}
	operation_init(operation, item->method, path);
	operation->query = query;
	operation->is_malformed = !ok;
	operation->content_type = item->content_type;
	operation->prefer_header = item->prefer;
	operation->if_match = item->if_match;
	operation->body = item->body;
	operation->base_url = call->base_url;
}

static void start_batch(struct server *server, struct httpd_request *request,
			struct account *account, uint32_t scopes, cJSON *document,
			const struct batch *batch)
{
	const struct faults_call asked = {account->email, NULL, KIND_BATCH, true};
	struct call *call = call_new(server, request, account, batch->count);
	struct faults_rule rule;
	int64_t delay_ms = 0;

	call->is_batch = true;
	call->batch = *batch;
	call->document = document;
	call->scopes = scopes;
	call->done = on_batch_done;
	server_base_url(request, call->base_url);
	for (size_t i = 0; i < batch->count; i++) {
		init_item(call, i);
	}
	if (faults_take(&server->world.faults, &asked, &rule)) {
		if (faults_refuses(&rule)) {
			delivery_spoil(&call->manner, &rule);
			call_refuse_by_fault(&call->operations[0], &rule);
			note_whole(server, request, account, KIND_BATCH, rule.status, false);
			answer_operation(server, request, &call->operations[0], &call->manner);
			call_free(call);
			return;
		}
		delay_ms = rule.deed == FAULTS_DELAY && !rule.is_after ? rule.ms : 0;
		delivery_spoil(&call->manner, &rule);
	}
	call_start(call, delay_ms);
}

void graph_handle_batch(struct httpd_request *request)
{
	struct server *server = httpd_context(request);
	uint32_t scopes;
	struct account *account = authenticate(server, request, KIND_BATCH, &scopes);
	const char *type = httpd_header(request, "Content-Type");
	struct problem problem;
	struct batch batch;
	cJSON *document;
	bool ok;

	if (account == NULL) {
		return;
	}
	document = read_body(request);
	ok = type != NULL && strncasecmp(type, "application/json", 16) == 0;
	if (!ok) {
		problem_set(&problem, 400, "BadRequest", "Invalid batch payload format.");
	} else {
		ok = batch_read(document, &batch, &problem);
	}
	if (!ok) {
		refuse_call(server, request, account, KIND_BATCH, &problem);
		cJSON_Delete(document);
		return;
	}
	start_batch(server, request, account, scopes, document, &batch);
}
