/* health.h - asks a program of ours that serves on this machine whether it lives: --health. */
#ifndef CALRELAY_COMMON_HEALTH_H
#define CALRELAY_COMMON_HEALTH_H

#include <stdbool.h>

#include "common/fault.h"

/* GET /livez at the address that CALRELAY_HTTP_LISTEN names; where that is every address, Linux
 * takes it for loopback.  Blocks, within 2 s for each step.  False with FAULT_RETRY: nobody
 * listens, no answer came, or another than 200. */
bool health_ask(const char *listen, struct fault *fault) MUST_CHECK;

#endif
