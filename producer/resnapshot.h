/* resnapshot.h - the command `resnapshot`: has assignments read and published again. */
#ifndef CALRELAY_PRODUCER_RESNAPSHOT_H
#define CALRELAY_PRODUCER_RESNAPSHOT_H

#include "producer/settings.h"

/* Writes the request into the log and waits until the producer that holds the slot has done it.
 * The arguments: none, `--user U` or `--project P`.  The exit status: 0 done, 1 not possible, 64
 * wrong arguments. */
int resnapshot_run(const struct settings *settings, int argc, char **argv);

#endif
