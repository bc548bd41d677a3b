/* ask.h - a step's statement, whose answer is only for the session that asked. */
#ifndef CALRELAY_PRODUCER_ASK_H
#define CALRELAY_PRODUCER_ASK_H

#include "producer/relay.h"

/* Sends it; its answer resumes the relay (relay->result while the step's finish runs), unless a new
 * session began meanwhile.  sql lives as long as the program; params are copied. */
void ask_sql(struct relay *relay, const char *sql, int param_count, const char *const *params);
void ask_preflight(struct relay *relay); /* likewise, with preflight's statement */

#endif
