/* fault.h - what went wrong, and what to do about it.
 *
 * Leaves fill a fault, middles pass it on, only the owner of the chain logs it.  The kind drives
 * the retry; the text is for people and holds no token, body or client name. */
#ifndef CALRELAY_COMMON_FAULT_H
#define CALRELAY_COMMON_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#define MUST_CHECK __attribute__((warn_unused_result))

enum fault_kind {
	FAULT_NONE,  /* nothing went wrong */
	FAULT_RETRY, /* try again, not before retry_after_ms */
	FAULT_AUTH,  /* the credential was refused: get another one, or a person has to act */
	FAULT_INPUT, /* this input can never succeed: reject it and go on with the next */
	FAULT_FATAL, /* this program can't go on: stop and say why */
	FAULT_KINDS
};

struct fault {
	enum fault_kind kind;
	int64_t retry_after_ms; /* from now; 0 where nobody said */
	char what[256];
};

/* The kind's name as it stands in logs. */
const char *fault_name(enum fault_kind kind);

/* Each fills fault and returns false, so that a leaf can end with `return fault_input(...)`. */
bool fault_retry(struct fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool fault_auth(struct fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool fault_input(struct fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool fault_fatal(struct fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
