/* pgserver.c - reads the messages that libpq sends and answers as its mood says. */
#include "tests/unit/common/pgserver.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct peer {
	uv_tcp_t tcp;
	struct pgserver *server;
	char in[65536];
	size_t length;
	bool started;
	bool in_error;
	char param[64]; /* of the last Bind */
};

static void peer_close(struct peer *peer)
{
	if (!uv_is_closing((uv_handle_t *)&peer->tcp)) {
		uv_close((uv_handle_t *)&peer->tcp, NULL);
	}
}

static void peer_say(struct peer *peer, char type, const void *body, size_t length)
{
	char message[512];
	uint32_t size = htonl((uint32_t)length + 4);
	uv_buf_t out = uv_buf_init(message, (unsigned)length + 5);

	message[0] = type;
	memcpy(message + 1, &size, 4);
	if (length > 0) {
		memcpy(message + 5, body, length);
	}
	assert_int_equal(uv_try_write((uv_stream_t *)&peer->tcp, &out, 1), length + 5);
}

static void peer_refuse(struct peer *peer, const char *sqlstate)
{
	char body[64];
	int length =
	    snprintf(body, sizeof body, "SERROR%cC%s%cMscripted%c%c", 0, sqlstate, 0, 0, 0);

	peer_say(peer, 'E', body, (size_t)length);
	peer->in_error = true;
}

static void peer_bind(struct peer *peer, const char *body)
{
	const char *at = body + strlen(body) + 1; /* the portal, then the statement */
	uint32_t size;

	at += strlen(at) + 1 + 2; /* no formats */
	if (at[1] == 0) {
		peer->param[0] = '\0';
	} else {
		memcpy(&size, at + 2, 4);
		size = ntohl(size);
		snprintf(peer->param, sizeof peer->param, "%.*s",
			 size == UINT32_MAX ? 4 : (int)size, size == UINT32_MAX ? "null" : at + 6);
	}
	peer_say(peer, '2', NULL, 0);
}

static void peer_execute(struct peer *peer)
{
	char row[128] = {0, 1, 0, 0, 0, (char)strlen(peer->param)};

	switch (peer->server->mood) {
	case DIES_RUNNING:
		peer->server->mood = SERVES;
		peer_close(peer);
		return;
	case HANGS_RUNNING:
		peer->in_error = true; /* skips the Sync */
		return;
	default:
		break;
	}
	if (peer->server->error != NULL) {
		peer_refuse(peer, peer->server->error);
		return;
	}
	memcpy(row + 6, peer->param, strlen(peer->param));
	peer_say(peer, 'D', row, 6 + strlen(peer->param));
	peer_say(peer, 'C', "SELECT 1", 9);
}

static void peer_hear(struct peer *peer, char type, const char *body)
{
	static const char COLUMN[] = "\0\1echo\0\0\0\0\0\0\0\0\0\0\x19\xFF\xFF\xFF\xFF\xFF\xFF\0";

	if (peer->in_error && type != 'S') {
		return;
	}
	switch (type) {
	case 'Q':
		peer_say(peer, 'C', "SET", 4);
		peer_say(peer, 'Z', "I", 1);
		break;
	case 'P':
		peer->server->parses++;
		if (peer->server->parse_error != NULL) {
			peer_refuse(peer, peer->server->parse_error);
		} else {
			peer_say(peer, '1', NULL, 0);
		}
		break;
	case 'B':
		peer_bind(peer, body);
		break;
	case 'D':
		peer_say(peer, 'T', COLUMN, sizeof COLUMN);
		break;
	case 'E':
		peer_execute(peer);
		break;
	case 'S':
		peer->in_error = false;
		if (peer->server->mood != HANGS_RUNNING || peer->server->parses == 0) {
			peer_say(peer, 'Z', "I", 1);
		}
		break;
	default:
		break;
	}
}

/* One whole message at the front of what came in; how many bytes it took, or 0. */
static size_t peer_take(struct peer *peer)
{
	size_t head = peer->started ? 1 : 0;
	uint32_t size;

	if (peer->length < head + 4) {
		return 0;
	}
	memcpy(&size, peer->in + head, 4);
	size = ntohl(size);
	if (peer->length < head + size) {
		return 0;
	}
	if (peer->started) {
		peer_hear(peer, peer->in[0], peer->in + 5);
	} else {
		peer->started = true;
		peer_say(peer, 'R', "\0\0\0\0", 4);
		peer_say(peer, 'Z', "I", 1);
	}
	return head + size;
}

static void on_allocate(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
	struct peer *peer = container_of((uv_tcp_t *)handle, struct peer, tcp);

	(void)wanted;
	*buffer = uv_buf_init(peer->in + peer->length, (unsigned)(sizeof peer->in - peer->length));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
	struct peer *peer = container_of((uv_tcp_t *)stream, struct peer, tcp);
	size_t taken;

	(void)buffer;
	if (got < 0 || peer->server->mood == SLAMS) {
		peer_close(peer);
		return;
	}
	peer->length += (size_t)got;
	if (peer->server->mood == SILENT) {
		return;
	}
	while (!uv_is_closing((uv_handle_t *)stream) && (taken = peer_take(peer)) > 0) {
		peer->length -= taken;
		memmove(peer->in, peer->in + taken, peer->length);
	}
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct pgserver *server = container_of((uv_tcp_t *)stream, struct pgserver, tcp);
	struct peer *peer = calloc(1, sizeof *peer);

	assert_int_equal(status, 0);
	assert_in_range(server->peer_count, 0, PGSERVER_PEERS_MAX - 1);
	server->peers[server->peer_count++] = peer;
	peer->server = server;
	uv_tcp_init(stream->loop, &peer->tcp);
	assert_int_equal(uv_accept(stream, (uv_stream_t *)&peer->tcp), 0);
	uv_read_start((uv_stream_t *)&peer->tcp, on_allocate, on_read);
}

void pgserver_init(struct pgserver *server, struct loop *loop)
{
	struct sockaddr_in address;
	int length = sizeof address;

	*server = (struct pgserver){0};
	uv_ip4_addr("127.0.0.1", 0, &address);
	uv_tcp_init(&loop->uv, &server->tcp);
	uv_tcp_bind(&server->tcp, (const struct sockaddr *)&address, 0);
	uv_listen((uv_stream_t *)&server->tcp, 64, on_connection);
	uv_tcp_getsockname(&server->tcp, (struct sockaddr *)&address, &length);
	snprintf(server->url, sizeof server->url,
		 "postgresql://user@127.0.0.1:%d/base?sslmode=disable&gssencmode=disable",
		 ntohs(address.sin_port));
}

void pgserver_hang_up(struct pgserver *server, int number)
{
	peer_close(server->peers[number]);
}

void pgserver_free(struct pgserver *server)
{
	for (int i = 0; i < server->peer_count; i++) {
		free(server->peers[i]);
	}
}
