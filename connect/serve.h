/* serve.h - connect running: starts the ports, counts connections, stops in order. */
#ifndef CALRELAY_CONNECT_SERVE_H
#define CALRELAY_CONNECT_SERVE_H

#include "connect/app.h"

/* Serves until SIGTERM or SIGINT; the exit status. */
int serve_run(struct app *app);

#endif
