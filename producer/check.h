/* check.h - --check: proves database, role, slot, publications and topics; one line per finding. */
#ifndef CALRELAY_PRODUCER_CHECK_H
#define CALRELAY_PRODUCER_CHECK_H

#include "producer/settings.h"

int check_run(const struct settings *settings); /* the exit status: 0 where all is well, else 1 */

#endif
