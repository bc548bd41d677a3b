/* control_reply.c - what all handlers of the control API share. */
#include "tests/fake/control_reply.h"

#include "common/clock.h"
#include "common/json.h"
#include "tests/fake/server.h"

void control_ok(struct httpd_request *request)
{
	httpd_reply(request, 200, "application/json", "{}", 2);
}

void control_refuse(struct httpd_request *request, const struct problem *problem)
{
	struct buf out;

	buf_init(&out, 4096);
	problem_write(problem, clock_wall_ms(), &out);
	server_reply_json(request, problem->status, &out);
}

cJSON *control_body(struct httpd_request *request)
{
	struct problem problem;
	struct fault fault = {0};
	size_t length;
	const char *bytes = httpd_body(request, &length);
	cJSON *document = length > 0 ? json_parse(bytes, length, SERVER_BODY_MAX_BYTES, &fault)
				     : cJSON_CreateObject();

	if (cJSON_IsObject(document)) {
		return document;
	}
	cJSON_Delete(document);
	problem_set(&problem, 400, "BadRequest", "the body must be a JSON object: %.100s",
		    fault.what);
	control_refuse(request, &problem);
	return NULL;
}

struct account *control_account(struct httpd_request *request, const char *email)
{
	struct server *server = httpd_context(request);
	struct account *account =
	    email != NULL ? account_find(&server->world.accounts, email) : NULL;
	struct problem problem;

	if (account == NULL) {
		problem_set(&problem, 404, "NotFound", "there is no account '%.80s'",
			    email != NULL ? email : "");
		control_refuse(request, &problem);
	}
	return account;
}
