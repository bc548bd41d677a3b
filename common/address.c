/* address.c - takes `address:port` apart and asks the resolver. */
#include "common/address.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

bool address_resolve(const char *text, struct sockaddr_storage *address, struct fault *fault)
{
	const char *colon = strrchr(text, ':');
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *found = NULL;
	char host[128];
	int length;

	if (colon == NULL || colon == text) {
		return fault_fatal(fault, "CALRELAY_HTTP_LISTEN must be address:port, not '%.60s'",
				   text);
	}
	length = (int)(colon - text);
	if (length >= 2 && text[0] == '[' && colon[-1] == ']') {
		snprintf(host, sizeof host, "%.*s", length - 2, text + 1);
	} else {
		snprintf(host, sizeof host, "%.*s", length, text);
	}
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0) {
		return fault_fatal(fault, "CALRELAY_HTTP_LISTEN: can't resolve '%.60s'", text);
	}
	memset(address, 0, sizeof *address);
	memcpy(address, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return true;
}
