/* sqlstate.h - what a PostgreSQL error asks of the caller, by its code (PostgreSQL appendix A). */
#ifndef CALRELAY_COMMON_SQLSTATE_H
#define CALRELAY_COMMON_SQLSTATE_H

#include <stdbool.h>

#include "common/fault.h"

/* Fills fault from an error's code and primary message, either of which may be NULL (the connection
 * broke): FAULT_INPUT for bad data (classes 22 and 23), FAULT_FATAL for a bug or a missing
 * privilege (42 and 28), FAULT_RETRY for all else. */
void sqlstate_fault(const char *state, const char *message, struct fault *fault);

/* Whether only a new session helps: the server is leaving, has become a standby, a plan went stale,
 * or a pooler forgot our prepared statement. */
bool sqlstate_needs_new_session(const char *state);

#endif
