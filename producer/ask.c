/* ask.c - a step's statement, whose answer is only for the session that asked. */
#include "producer/ask.h"

#include <stdio.h>
#include <stdlib.h>

#include "producer/preflight.h"

/* It outlives the session that sent it. */
struct statement {
	struct pg_request request; /* or the preflight's */
	struct preflight preflight;
	struct relay *relay;
	unsigned session;
};

static void statement_answer(struct statement *statement, const struct pg_request *request)
{
	struct relay *relay = statement->relay;

	if (statement->session == relay->session && !relay->clearing) {
		relay->result = request->result;
		relay_resume(relay, &request->fault);
		relay->result = NULL;
	}
	free(statement);
}

static void on_request(struct pg_request *request)
{
	statement_answer(container_of(request, struct statement, request), request);
}

static void on_preflight(struct pg_request *request)
{
	struct preflight *preflight = container_of(request, struct preflight, request);

	statement_answer(container_of(preflight, struct statement, preflight), request);
}

static struct statement *statement_new(struct relay *relay)
{
	struct statement *statement = calloc(1, sizeof *statement);

	if (statement == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	statement->relay = relay;
	statement->session = relay->session;
	return statement;
}

void ask_sql(struct relay *relay, const char *sql, int param_count, const char *const *params)
{
	struct statement *statement = statement_new(relay);

	statement->request =
	    (struct pg_request){.sql = sql, .param_count = param_count, .done = on_request};
	for (int i = 0; i < param_count; i++) {
		statement->request.params[i] = params[i];
	}
	pg_send(relay->pg, &statement->request);
}

void ask_preflight(struct relay *relay)
{
	preflight_send(&statement_new(relay)->preflight, relay->pg, relay->settings, on_preflight);
}
