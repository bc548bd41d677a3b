/* sqlstate.c - sorts PostgreSQL's error codes into faults. */
#include "common/sqlstate.h"

#include <stddef.h>
#include <string.h>

static bool state_has_class(const char *state, const char *class)
{
	return strncmp(state, class, strlen(class)) == 0;
}

void sqlstate_fault(const char *state, const char *message, struct fault *fault)
{
	state = state != NULL ? state : "08000";
	message = message != NULL ? message : "no answer";
	if (state_has_class(state, "22") || state_has_class(state, "23")) {
		fault_input(fault, "PostgreSQL %s: %.200s", state, message);
	} else if (state_has_class(state, "42") || state_has_class(state, "28")) {
		fault_fatal(fault, "PostgreSQL %s: %.200s", state, message);
	} else {
		fault_retry(fault, "PostgreSQL %s: %.200s", state, message);
	}
}

bool sqlstate_needs_new_session(const char *state)
{
	return state != NULL && (strcmp(state, "0A000") == 0 || strcmp(state, "26000") == 0 ||
				 strcmp(state, "25006") == 0 || state_has_class(state, "57P"));
}
