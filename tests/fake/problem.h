/* problem.h - a refusal in Graph's shape: status, code, message. */
#ifndef CALRELAY_FAKE_PROBLEM_H
#define CALRELAY_FAKE_PROBLEM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

struct problem {
	int status;
	char code[64];
	char message[256];
	char existing_id[160]; /* error["@event.existingEventId"]; "" where absent */
};

/* Fills problem and returns false, so that a check can end with `return problem_set(...)`. */
bool problem_set(struct problem *problem, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* {"error":{"code","message","innerError":{...}}} */
void problem_write(const struct problem *problem, int64_t now_ms, struct buf *out);

#endif
