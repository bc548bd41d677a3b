/* fault.c - fills faults; see fault.h for what each kind asks of the caller. */
#include "common/fault.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const NAMES[] = {
    [FAULT_NONE] = "none",   [FAULT_RETRY] = "retry", [FAULT_AUTH] = "auth",
    [FAULT_INPUT] = "input", [FAULT_FATAL] = "fatal",
};
static_assert(sizeof NAMES / sizeof *NAMES == FAULT_KINDS, "name every fault kind");

const char *fault_name(enum fault_kind kind)
{
	return NAMES[kind];
}

static void fault_fill(struct fault *fault, enum fault_kind kind, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static void fault_fill(struct fault *fault, enum fault_kind kind, const char *format, va_list args)
{
	struct fault filled = {.kind = kind};

	vsnprintf(filled.what, sizeof filled.what, format, args);
	*fault = filled; /* only now: an argument may be the fault's own text */
}

#define FAULT_LEAF(name, kind)                                                                     \
	bool name(struct fault *fault, const char *format, ...)                                    \
	{                                                                                          \
		va_list args;                                                                      \
                                                                                                   \
		va_start(args, format);                                                            \
		fault_fill(fault, kind, format, args);                                             \
		va_end(args);                                                                      \
		return false;                                                                      \
	}

FAULT_LEAF(fault_retry, FAULT_RETRY)
FAULT_LEAF(fault_auth, FAULT_AUTH)
FAULT_LEAF(fault_input, FAULT_INPUT)
FAULT_LEAF(fault_fatal, FAULT_FATAL)
