/* address.h - resolves the `address:port` that a server listens on. */
#ifndef CALRELAY_COMMON_ADDRESS_H
#define CALRELAY_COMMON_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "common/fault.h"

/* "127.0.0.1:8080", "[::1]:0", "localhost:9401".  FAULT_FATAL naming CALRELAY_HTTP_LISTEN. */
bool address_resolve(const char *text, struct sockaddr_storage *address,
		     struct fault *fault) MUST_CHECK;

#endif
