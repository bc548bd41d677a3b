/* ops.h - operations at every request, and answers to give them. */
#ifndef CALRELAY_TESTS_UNIT_WORKER_OPS_H
#define CALRELAY_TESTS_UNIT_WORKER_OPS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "worker/op.h"

#define ID    "AAMkAGI/T+G=="
#define OTHER "AAMkAGI/other="

static inline struct op wanted(const char *event_id)
{
	struct op op;

	op_init(&op, true, event_id, 3);
	if (event_id != NULL) {
		op_see_categories(&op, true, "", "ck1");
	}
	return op;
}

/* What categories the event carries, nobody knows. */
static inline struct op unseen(void)
{
	struct op op;

	op_init(&op, true, ID, 3);
	return op;
}

static inline struct op unwanted(const char *event_id)
{
	struct op op;

	op_init(&op, false, event_id, 3);
	return op;
}

static inline struct op_answer answer_of(int status, const char *code)
{
	struct op_answer answer = {.status = status, .retry_after_ms = -1};

	snprintf(answer.code, sizeof answer.code, "%s", code);
	return answer;
}

static inline struct op_answer event_answer(int status, const char *event_id,
					    const char *change_key)
{
	struct op_answer answer = answer_of(status, "");

	snprintf(answer.event_id, sizeof answer.event_id, "%s", event_id);
	snprintf(answer.change_key, sizeof answer.change_key, "%s", change_key);
	return answer;
}

static inline struct op_answer found_answer(int found, const char *event_id)
{
	struct op_answer answer = event_answer(200, event_id, "");

	answer.found = found;
	answer.tells_categories = found > 0;
	return answer;
}

static inline struct op_answer duplicate_answer(int status, const char *existing)
{
	struct op_answer answer = answer_of(status, "ErrorDuplicateTransactionId");

	snprintf(answer.event_id, sizeof answer.event_id, "%s", existing);
	return answer;
}

static inline enum op_scope give(struct op *op, struct op_answer answer)
{
	return op_answered(op, &answer);
}

/* Every request that an operation can be at. */
static inline struct op at_request(enum op_request request)
{
	struct op op = request == OP_CREATE   ? wanted(NULL)
		       : request == OP_UPDATE ? wanted(ID)
		       : request == OP_DELETE ? unwanted(ID)
		       : request == OP_READ   ? unseen()
					      : unwanted(NULL);

	assert_int_equal(op.request, request);
	return op;
}

#endif
