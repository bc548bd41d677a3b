/* health.c - one small request over a plain socket: a probe runs often, and needs nothing else. */
#include "common/health.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/address.h"

#define HEALTH_STEP_MAX_S    2
#define HEALTH_STATUS_LENGTH 12 /* "HTTP/1.1 200" */

static const char REQUEST[] = "GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n";

static bool health_exchange(int fd, char status[HEALTH_STATUS_LENGTH + 1], struct fault *fault)
{
	size_t length = 0;
	ssize_t got = 1;

	if (send(fd, REQUEST, sizeof REQUEST - 1, MSG_NOSIGNAL) != (ssize_t)sizeof REQUEST - 1) {
		return fault_retry(fault, "/livez: can't ask: %s", strerror(errno));
	}
	while (got > 0 && length < HEALTH_STATUS_LENGTH) {
		got = recv(fd, status + length, HEALTH_STATUS_LENGTH - length, 0);
		length += got > 0 ? (size_t)got : 0;
	}
	status[length] = '\0';
	if (got < 0) {
		return fault_retry(fault, "/livez: no answer within %d s", HEALTH_STEP_MAX_S);
	}
	return length == HEALTH_STATUS_LENGTH ||
	       fault_retry(fault, "/livez: the connection ended without an answer");
}

bool health_ask(const char *listen, struct fault *fault)
{
	const struct timeval step = {.tv_sec = HEALTH_STEP_MAX_S};
	char status[HEALTH_STATUS_LENGTH + 1];
	struct sockaddr_storage address;
	bool well = false;
	int fd;

	if (!address_resolve(listen, &address, fault)) {
		return false;
	}
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return fault_retry(fault, "/livez: no socket: %s", strerror(errno));
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &step, sizeof step) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &step, sizeof step) != 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		fault_retry(fault, "nobody listens on %.60s: %s", listen, strerror(errno));
	} else if (health_exchange(fd, status, fault)) {
		well = strcmp(status + HEALTH_STATUS_LENGTH - 4, " 200") == 0 ||
		       fault_retry(fault, "/livez answers %s", status);
	}
	close(fd);
	return well;
}
