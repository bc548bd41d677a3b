/* check.h - --check: proves what connect needs around it, one line per finding with the way out. */
#ifndef CALRELAY_CONNECT_CHECK_H
#define CALRELAY_CONNECT_CHECK_H

#include "connect/app.h"

/* 0 where everything holds, 1 otherwise.  Writes to stdout; waits for answers. */
int check_run(struct app *app);

#endif
