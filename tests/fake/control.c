/* control.c - the API by which tests set the scene and look behind it. */
#include "tests/fake/control.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/jsonw.h"
#include "tests/fake/call.h"
#include "tests/fake/control_reply.h"
#include "tests/fake/delivery.h"
#include "tests/fake/server.h"
#include "tests/fake/zones.h"

#define ACCOUNTS_PREFIX "/control/accounts/"
#define LATENCY_MAX_MS	600000

/* ---- accounts ---- */

/* true: no trouble; false: the usual one; a text: the one of that code. */
static bool read_mailbox(const cJSON *value, const struct account_trouble **trouble)
{
	*trouble = cJSON_IsFalse(value)	   ? account_find_trouble("MailboxNotEnabledForRESTAPI")
		   : cJSON_IsString(value) ? account_find_trouble(value->valuestring)
					   : NULL;
	return *trouble != NULL || cJSON_IsTrue(value);
}

/* All of it or nothing. */
static bool change_account(struct server *server, const char *email, const cJSON *body,
			   struct problem *problem)
{
	const cJSON *mailbox = json_member(body, "mailbox");
	const char *zone = json_text(body, "time_zone");
	const struct account_trouble *trouble = NULL;
	struct account *account;

	if (zone != NULL && zones_find(zone) == NULL) {
		return problem_set(problem, 400, "BadRequest", "no time zone of Graph's: '%.60s'",
				   zone);
	}
	if (mailbox != NULL && !read_mailbox(mailbox, &trouble)) {
		return problem_set(problem, 400, "BadRequest",
				   "mailbox must be true, false, or a code of Graph's");
	}
	account = account_put(&server->world.accounts, email);
	if (account == NULL) {
		return problem_set(problem, 400, "BadRequest",
				   "no e-mail address, or %d accounts exist: '%.80s'", ACCOUNT_MAX,
				   email);
	}
	if (json_text(body, "display_name") != NULL) {
		account_set_name(account, json_text(body, "display_name"));
	}
	account->time_zone = zone != NULL ? zones_find(zone) : account->time_zone;
	account->trouble = mailbox != NULL ? trouble : account->trouble;
	return true;
}

void control_put_account(struct httpd_request *request)
{
	struct server *server = httpd_context(request);
	struct problem problem;
	cJSON *body = control_body(request);

	if (body == NULL) {
		return;
	}
	if (change_account(server, httpd_path(request) + strlen(ACCOUNTS_PREFIX), body, &problem)) {
		control_ok(request);
	} else {
		control_refuse(request, &problem);
	}
	cJSON_Delete(body);
}

static void write_account(const struct account *account, struct buf *out)
{
	jsonw_comma(out);
	buf_char(out, '{');
	jsonw_member_text(out, "email", account->email);
	jsonw_member_text(out, "display_name", account->display_name);
	jsonw_member_text(out, "time_zone", account->time_zone);
	jsonw_key(out, "mailbox");
	buf_text(out, account->trouble == NULL ? "true" : "false");
	jsonw_member_text(out, "id", account->id);
	jsonw_member_number(out, "events", (int64_t)account->mailbox.calendar_count);
	jsonw_member_number(out, "deleted", (int64_t)account->mailbox.deleted_count);
	buf_char(out, '}');
}

void control_get_accounts(struct httpd_request *request)
{
	const struct server *server = httpd_context(request);
	const struct account *account = server->world.accounts.by_email;
	struct buf out;

	buf_init(&out, SERVER_PAGE_MAX_BYTES);
	buf_text(&out, "{\"accounts\":[");
	for (; account != NULL; account = account->hh.next) {
		write_account(account, &out);
	}
	buf_text(&out, "]}");
	server_reply_json(request, 200, &out);
}

/* Every token that the account's application holds is dead. */
void control_revoke(struct httpd_request *request)
{
	cJSON *body = control_body(request);
	struct account *account;

	if (body == NULL) {
		return;
	}
	account = control_account(request, json_text(body, "account"));
	if (account != NULL) {
		account->generation++;
		control_ok(request);
	}
	cJSON_Delete(body);
}

/* The master list, as if Outlook had shown it. */
void control_get_categories(struct httpd_request *request)
{
	struct account *account = control_account(request, httpd_query(request, "account"));
	struct buf out;

	if (account == NULL) {
		return;
	}
	category_list_open(&account->categories);
	buf_init(&out, SERVER_PAGE_MAX_BYTES);
	buf_text(&out, "{\"categories\":");
	category_list_write(&account->categories, &out);
	buf_char(&out, '}');
	server_reply_json(request, 200, &out);
}

/* ---- what happened ---- */

void control_get_requests(struct httpd_request *request)
{
	const struct server *server = httpd_context(request);
	const char *since = httpd_query(request, "since");
	struct buf out;

	buf_init(&out, SERVER_PAGE_MAX_BYTES);
	journal_write(&server->world.journal, since != NULL ? strtoull(since, NULL, 10) : 0,
		      httpd_query(request, "account"), &out);
	server_reply_json(request, 200, &out);
}

/* Word for word, where the setting keep_bodies asked for it. */
void control_get_bodies(struct httpd_request *request)
{
	const struct server *server = httpd_context(request);
	struct buf out;

	buf_init(&out, SERVER_PAGE_MAX_BYTES);
	buf_text(&out, "{\"bodies\":");
	bodies_write(&server->world.bodies, &out);
	buf_char(&out, '}');
	server_reply_json(request, 200, &out);
}

void control_get_stats(struct httpd_request *request)
{
	const struct server *server = httpd_context(request);
	const struct world *world = &server->world;
	const struct journal *journal = &world->journal;
	int64_t calls = 0;
	struct buf out;

	for (const struct call *call = server->calls; call != NULL; call = call->next) {
		calls++;
	}
	buf_init(&out, SERVER_PAGE_MAX_BYTES);
	buf_text(&out, "{\"requests\":");
	journal_write_counts(journal, &out);
	jsonw_member_number(&out, "accounts", (int64_t)accounts_count(&world->accounts));
	jsonw_member_number(&out, "events", (int64_t)world->store.count);
	jsonw_member_number(&out, "calls", calls);
	jsonw_member_number(&out, "max_in_flight_per_mailbox", journal->max_in_flight);
	jsonw_member_number(&out, "max_calls_per_mailbox", journal->max_calls);
	jsonw_member_number(&out, "batches", (int64_t)journal->batches);
	jsonw_member_number(&out, "batch_items", (int64_t)journal->batch_items);
	jsonw_member_number(&out, "tokens_issued", (int64_t)journal->tokens_issued);
	jsonw_member_number(&out, "tokens_refreshed", (int64_t)journal->tokens_refreshed);
	buf_char(&out, '}');
	server_reply_json(request, 200, &out);
}

/* ---- what goes wrong ---- */

void control_add_fault(struct httpd_request *request)
{
	struct server *server = httpd_context(request);
	cJSON *body = control_body(request);
	struct problem problem;
	struct buf out;
	int64_t id;

	if (body == NULL) {
		return;
	}
	id = faults_add(&server->world.faults, body, &problem);
	cJSON_Delete(body);
	if (id == 0) {
		control_refuse(request, &problem);
		return;
	}
	buf_init(&out, 64);
	buf_char(&out, '{');
	jsonw_member_number(&out, "id", id);
	buf_char(&out, '}');
	server_reply_json(request, 200, &out);
}

void control_clear_faults(struct httpd_request *request)
{
	struct server *server = httpd_context(request);

	faults_clear(&server->world.faults);
	control_ok(request);
}

void control_set_latency(struct httpd_request *request)
{
	struct server *server = httpd_context(request);
	cJSON *body = control_body(request);
	struct problem problem;
	int64_t latency_ms;

	if (body == NULL) {
		return;
	}
	if (json_integer(body, "ms", &latency_ms) && latency_ms >= 0 &&
	    latency_ms <= LATENCY_MAX_MS) {
		server->world.latency_ms = latency_ms;
		control_ok(request);
	} else {
		problem_set(&problem, 400, "BadRequest", "ms must be from 0 to %d", LATENCY_MAX_MS);
		control_refuse(request, &problem);
	}
	cJSON_Delete(body);
}

void control_get_settings(struct httpd_request *request)
{
	const struct server *server = httpd_context(request);
	struct buf out;

	buf_init(&out, 4096);
	settings_write(&server->world.settings, &out);
	server_reply_json(request, 200, &out);
}

void control_set_settings(struct httpd_request *request)
{
	struct server *server = httpd_context(request);
	cJSON *body = control_body(request);
	struct problem problem;

	if (body == NULL) {
		return;
	}
	if (settings_read(body, &server->world.settings, &problem)) {
		control_get_settings(request);
	} else {
		control_refuse(request, &problem);
	}
	cJSON_Delete(body);
}

void control_reset(struct httpd_request *request)
{
	struct server *server = httpd_context(request);

	calls_cut(server);
	deliveries_cut(server);
	world_reset(&server->world);
	control_ok(request);
}
