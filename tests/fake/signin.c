/* signin.c - the sign-in page. */
#include "tests/fake/signin.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/html.h"
#include "common/http.h"
#include "tests/fake/query.h"
#include "tests/fake/server.h"
#include "tests/fake/style.h"

#define LOCATION_MAX_BYTES 8192
#define PAGE_MAX_BYTES	   (4u << 20)
#define PICKER_MAX	   200 /* accounts on the page */

static const char CSS[] =
    "main{max-width:27rem;margin:6vh auto;background:var(--card);border:1px solid var(--line);"
    "border-radius:10px;padding:2rem;box-shadow:0 6px 24px #0001}"
    ".brand{color:var(--dim);font-weight:600;margin:0 0 1rem}"
    "ul{padding:0;margin:1rem 0;list-style:none}.scopes li{padding:.15rem 0;color:var(--dim)}"
    ".scopes li::before{content:'\\2713';color:var(--accent);padding-right:.6em}"
    ".people{border-top:1px solid var(--line);max-height:50vh;overflow:auto}"
    ".people a{display:flex;gap:.8rem;align-items:center;padding:.7rem .4rem;"
    "border-bottom:1px solid var(--line);text-decoration:none;color:inherit}"
    ".people a:hover,.people a:focus{background:var(--back)}"
    ".people b{flex:none;display:grid;place-items:center;width:2.3rem;height:2.3rem;"
    "border-radius:50%;background:var(--accent);color:var(--card)}"
    ".people small{display:block;color:var(--dim)}.note{color:var(--dim);font-size:.85rem}";

static void note(struct server *server, const struct httpd_request *request,
		 const struct account *account, int status)
{
	char path[JOURNAL_PATH_SIZE];
	struct journal_record record = {.at_ms = clock_wall_ms(),
					.account = account != NULL ? account->email : NULL,
					.kind = KIND_AUTHORIZE,
					.method = httpd_method(request),
					.path = path,
					.status = status};

	snprintf(path, sizeof path, "%s", httpd_path(request));
	server_note(server, &record);
}

/* ---- back to the application ---- */

static void add_parameter(struct buf *out, const char *name, const char *value)
{
	buf_format(out, "%s%s=", strchr(buf_string(out), '?') == NULL ? "?" : "&", name);
	http_encode(out, value);
}

static void redirect(struct httpd_request *request, const struct identity_question *question,
		     struct buf *location)
{
	if (question->state != NULL) {
		add_parameter(location, "state", question->state);
	}
	if (location->failed) {
		httpd_reply_text(request, 400, "the parameters are too long\n");
	} else {
		httpd_redirect(request, 302, buf_string(location));
	}
	buf_close(location);
}

static void redirect_error(struct httpd_request *request, const struct identity_question *question,
			   const char *error, const char *description)
{
	struct buf location;

	buf_init(&location, LOCATION_MAX_BYTES);
	buf_text(&location, question->redirect_uri);
	add_parameter(&location, "error", error);
	add_parameter(&location, "error_description", description);
	redirect(request, question, &location);
}

static void redirect_code(struct httpd_request *request, const struct identity_question *question,
			  const struct account *account)
{
	struct server *server = httpd_context(request);
	char code[CODE_SIZE];
	struct buf location;

	identity_issue_code(&server->world.identity, question, account, clock_wall_ms(), code);
	buf_init(&location, LOCATION_MAX_BYTES);
	buf_text(&location, question->redirect_uri);
	add_parameter(&location, "code", code);
	redirect(request, question, &location);
}

/* ---- pages ---- */

static void reply_error_page(struct httpd_request *request, const char *text)
{
	struct buf page;

	buf_init(&page, PAGE_MAX_BYTES);
	style_open_page(&page, "Sign in to your account", CSS);
	buf_text(&page, "<main><p class=\"brand\">Not Microsoft</p><h1>Sorry, but we're having "
			"trouble signing you in.</h1><p role=\"alert\">");
	html_escape(&page, text);
	buf_text(&page, "</p></main>");
	style_close_page(&page);
	server_reply_page(request, 400, &page);
}

static void on_query(void *context, const char *name, const char *value)
{
	/* beyond its ceiling the picker's links lack a parameter, which the next page says */
	(void)query_add(context, name, value);
}

/* The page's own address with one parameter more. */
static void write_link(struct httpd_request *request, const char *name, const char *value,
		       struct buf *page)
{
	struct query query = {0};
	struct buf link;

	httpd_query_each(request, on_query, &query);
	buf_init(&link, LOCATION_MAX_BYTES);
	query_write(&query, name, &link);
	buf_format(&link, "%s=", name);
	http_encode(&link, value);
	buf_text(page, "?");
	html_escape(page, buf_string(&link));
	buf_close(&link);
	query_close(&query);
}

static void write_scopes(uint32_t scopes, struct buf *page)
{
	const char *sentence;

	buf_text(page, "<ul class=\"scopes\">");
	for (int i = 0; scope_sentence(i, scopes, &sentence); i++) {
		if (sentence != NULL) {
			buf_format(page, "<li>%s</li>", sentence);
		}
	}
	buf_text(page, "</ul>");
}

/* How many bytes it takes: the first and those that continue it. */
static int first_character(const char *text)
{
	int length = text[0] != '\0' ? 1 : 0;

	while (length > 0 && length < 4 && ((unsigned char)text[length] & 0xC0) == 0x80) {
		length++;
	}
	return length;
}

static void write_person(struct httpd_request *request, const struct account *account,
			 struct buf *page)
{
	const char *name = account->display_name;
	char initial[5];

	snprintf(initial, sizeof initial, "%.*s", first_character(name), name);
	buf_text(page, "<li><a href=\"");
	write_link(request, "fake_account", account->email, page);
	buf_text(page, "\"><b aria-hidden=\"true\">");
	html_escape(page, initial);
	buf_text(page, "</b><span>");
	html_escape(page, name);
	buf_text(page, "<small>");
	html_escape(page, account->email);
	buf_text(page, "</small></span></a></li>\n");
}

/* Whom the application named stands first, as somebody Microsoft knows. */
static void write_people(struct httpd_request *request, struct buf *page)
{
	const struct server *server = httpd_context(request);
	const struct account *account = server->world.accounts.by_email;
	const char *hint = httpd_query(request, "login_hint");
	const struct account *hinted =
	    hint != NULL ? account_find(&server->world.accounts, hint) : NULL;
	int shown = 0;

	buf_text(page, "<ul class=\"people\">\n");
	if (hinted != NULL) {
		write_person(request, hinted, page);
	}
	for (; account != NULL && shown < PICKER_MAX; account = account->hh.next, shown++) {
		if (account != hinted) {
			write_person(request, account, page);
		}
	}
	buf_text(page, "</ul>");
	if (shown == 0) {
		buf_text(page, "<p class=\"note\">There is no account yet: PUT "
			       "/control/accounts/{email} makes one.</p>");
	}
}

static void reply_picker(struct httpd_request *request, const struct identity_question *question)
{
	struct buf page;

	buf_init(&page, PAGE_MAX_BYTES);
	style_open_page(&page, "Sign in to your account", CSS);
	buf_text(&page, "<main><p class=\"brand\">Not Microsoft</p><h1>Pick an account</h1>"
			"<p>By picking one you let <strong>");
	html_escape(&page, question->client_id);
	buf_text(&page, "</strong>:</p>");
	write_scopes(question->scopes, &page);
	write_people(request, &page);
	buf_text(&page, "<p><a href=\"");
	write_link(request, "fake_deny", "1", &page);
	buf_text(&page, "\">Deny</a></p><p class=\"note\">This server only plays Microsoft's part "
			"in tests and demonstrations.</p></main>");
	style_close_page(&page);
	server_reply_page(request, 200, &page);
}

/* ---- the decision ---- */

/* What of it the person consents to: all, unless fake_scopes leaves some out. */
static void withhold_scopes(const struct httpd_request *request, struct identity_question *question)
{
	const char *left = httpd_query(request, "fake_scopes");
	uint32_t scopes;

	if (left != NULL && scope_parse(left, &scopes)) {
		question->scopes &= scopes;
	}
}

/* A checked question: somebody was picked, or refused, or has yet to be. */
static void answer_question(struct httpd_request *request, struct identity_question *question)
{
	struct server *server = httpd_context(request);
	const char *email = httpd_query(request, "fake_account");
	struct account *account =
	    email != NULL ? account_find(&server->world.accounts, email) : NULL;
	bool is_denied = httpd_query(request, "fake_deny") != NULL;

	if (is_denied || account != NULL) {
		note(server, request, account, 302);
	} else {
		note(server, request, NULL, email != NULL ? 400 : 200);
	}
	if (is_denied) {
		redirect_error(request, question, "access_denied",
			       "AADSTS65004: User declined to consent to access the app.");
	} else if (account != NULL && server->world.settings.needs_approval &&
		   !identity_is_approved(&server->world.identity, question)) {
		redirect_error(request, question, "access_denied",
			       "AADSTS90094: Admin consent is required for the permissions "
			       "requested by this application.");
	} else if (account != NULL) {
		withhold_scopes(request, question);
		redirect_code(request, question, account);
	} else if (email != NULL) {
		reply_error_page(request, "AADSTS50034: The user account does not exist.");
	} else {
		reply_picker(request, question);
	}
}

/* ---- an administrator's consent ---- */

static void reply_approval(struct httpd_request *request, const struct identity_question *question)
{
	struct buf page;

	buf_init(&page, PAGE_MAX_BYTES);
	style_open_page(&page, "Permissions requested", CSS);
	buf_text(&page, "<main><p class=\"brand\">Not Microsoft</p><h1>Permissions requested</h1>"
			"<p>For everybody in your organisation, let <strong>");
	html_escape(&page, question->client_id);
	buf_text(&page, "</strong>:</p>");
	write_scopes(question->scopes, &page);
	buf_text(&page, "<p><a href=\"");
	write_link(request, "fake_accept", "1", &page);
	buf_text(&page, "\">Accept</a> <a href=\"");
	write_link(request, "fake_deny", "1", &page);
	buf_text(&page, "\">Cancel</a></p></main>");
	style_close_page(&page);
	server_reply_page(request, 200, &page);
}

/* Back to the application; error is NULL where the administrator accepted. */
static void redirect_approval(struct httpd_request *request,
			      const struct identity_question *question, const char *error,
			      const char *description)
{
	const struct server *server = httpd_context(request);
	struct buf location;

	buf_init(&location, LOCATION_MAX_BYTES);
	buf_text(&location, question->redirect_uri);
	add_parameter(&location, "admin_consent", "True");
	if (error != NULL) {
		add_parameter(&location, "error", error);
		add_parameter(&location, "error_description", description);
	} else {
		add_parameter(&location, "tenant", server->world.identity.tenant_id);
		add_parameter(&location, "scope", question->scope);
	}
	redirect(request, question, &location);
}

static void answer_approval(struct httpd_request *request, struct identity_question *question)
{
	struct server *server = httpd_context(request);
	bool is_denied = httpd_query(request, "fake_deny") != NULL;
	bool is_accepted = !is_denied && httpd_query(request, "fake_accept") != NULL;

	note(server, request, NULL, is_denied || is_accepted ? 302 : 200);
	if (is_denied) {
		redirect_approval(request, question, "consent_required",
				  "AADSTS65004: The resource owner or authorization server denied "
				  "the request.");
	} else if (is_accepted) {
		server->world.identity.approved |= question->scopes;
		redirect_approval(request, question, NULL, NULL);
	} else {
		reply_approval(request, question);
	}
}

/* ---- what was asked ---- */

static void read_question(struct httpd_request *request, const char *tenant,
			  struct identity_question *question)
{
	*question = (struct identity_question){
	    .tenant = tenant,
	    .client_id = httpd_query(request, "client_id"),
	    .redirect_uri = httpd_query(request, "redirect_uri"),
	    .response_type = httpd_query(request, "response_type"),
	    .response_mode = httpd_query(request, "response_mode"),
	    .scope = httpd_query(request, "scope"),
	    .state = httpd_query(request, "state"),
	    .code_challenge = httpd_query(request, "code_challenge"),
	    .code_challenge_method = httpd_query(request, "code_challenge_method"),
	    .nonce = httpd_query(request, "nonce"),
	    .prompt = httpd_query(request, "prompt")};
}

/* A page that people are sent to with a question. */
struct endpoint {
	enum identity_verdict (*check)(const struct identity *identity,
				       struct identity_question *question,
				       struct identity_problem *problem);
	void (*answer)(struct httpd_request *request, struct identity_question *question);
	void (*refuse)(struct httpd_request *request, const struct identity_question *question,
		       const char *error, const char *description);
};

static void handle(struct httpd_request *request, const char *tenant,
		   const struct endpoint *endpoint)
{
	struct server *server = httpd_context(request);
	struct identity_question question;
	struct identity_problem problem;
	enum identity_verdict verdict;
	char text[256];

	read_question(request, tenant, &question);
	verdict = endpoint->check(&server->world.identity, &question, &problem);
	if (verdict == IDENTITY_GOOD) {
		endpoint->answer(request, &question);
		return;
	}
	snprintf(text, sizeof text, "AADSTS%d: %s", problem.number, problem.text);
	if (verdict == IDENTITY_TELL_APPLICATION) {
		note(server, request, NULL, 302);
		endpoint->refuse(request, &question, problem.error, text);
		return;
	}
	note(server, request, NULL, 400);
	reply_error_page(request, text);
}

void signin_handle(struct httpd_request *request, const char *tenant)
{
	static const struct endpoint AUTHORIZE = {identity_check, answer_question, redirect_error};

	handle(request, tenant, &AUTHORIZE);
}

void signin_approve(struct httpd_request *request, const char *tenant)
{
	static const struct endpoint APPROVE = {identity_check_approval, answer_approval,
						redirect_approval};

	handle(request, tenant, &APPROVE);
}
