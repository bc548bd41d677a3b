/* raw.c - connects, sends, reads to the end. */
#include "tests/unit/common/raw.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_work(uv_work_t *work)
{
	struct raw *raw = container_of(work, struct raw, work);
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)raw->port),
				      .sin_addr = {htonl(INADDR_LOOPBACK)}};
	size_t length = 0;
	ssize_t got = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
	    send(fd, raw->bytes, strlen(raw->bytes), MSG_NOSIGNAL) >= 0) {
		while (got > 0 && length < sizeof raw->answer - 1) {
			got = recv(fd, raw->answer + length, sizeof raw->answer - 1 - length, 0);
			length += got > 0 ? (size_t)got : 0;
		}
	}
	raw->answer[length] = '\0';
	close(fd);
}

static void on_worked(uv_work_t *work, int status)
{
	struct raw *raw = container_of(work, struct raw, work);

	(void)status;
	raw->done(raw);
}

void raw_begin(struct raw *raw, struct loop *loop, int port, const char *bytes)
{
	raw->bytes = bytes;
	raw->port = port;
	if (uv_queue_work(&loop->uv, &raw->work, on_work, on_worked) != 0) {
		abort();
	}
}
