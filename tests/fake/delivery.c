/* delivery.c - brings an answer to the client. */
#include "tests/fake/delivery.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "tests/fake/amend.h"
#include "tests/fake/memory.h"

#define CONTENT_TYPE                                                                               \
	"application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;"    \
	"charset=utf-8"

struct delivery {
	struct delivery *next; /* among those that wait */
	struct delivery *prev;
	struct later later;
	struct server *server;
	struct httpd_request *request;
	int status;
	struct buf body;
	struct delivery_manner manner;
};

void delivery_write_page(struct buf *out)
{
	buf_text(out, "<!doctype html><html><body>Please sign in to the network.</body></html>");
}

void delivery_spoil(struct delivery_manner *manner, const struct faults_rule *rule)
{
	manner->is_lost = manner->is_lost || rule->deed == FAULTS_LOSE_ANSWER;
	manner->is_truncated = manner->is_truncated || rule->deed == FAULTS_TRUNCATE;
	manner->is_page = manner->is_page || rule->deed == FAULTS_GATEWAY;
	if (rule->deed == FAULTS_AMEND) {
		memcpy(manner->amendment, rule->answer, sizeof rule->answer);
	}
	if (rule->deed == FAULTS_DELAY && rule->is_after && rule->ms > manner->delay_ms) {
		manner->delay_ms = rule->ms;
	}
}

static void deliver(struct httpd_request *request, int status, struct buf *body,
		    const struct delivery_manner *manner)
{
	size_t length = manner->is_truncated ? body->length / 2 : body->length;
	const char *type = manner->is_page ? "text/html; charset=utf-8" : CONTENT_TYPE;

	if (manner->is_lost) {
		httpd_cut(request);
	} else if (body->failed) {
		httpd_reply_text(request, 500, "the answer is too large\n");
	} else {
		httpd_reply(request, status, length > 0 ? type : NULL, buf_string(body), length);
	}
	buf_close(body);
}

static void on_due(struct later *later)
{
	struct delivery *delivery = container_of(later, struct delivery, later);

	DL_DELETE(delivery->server->deliveries, delivery);
	deliver(delivery->request, delivery->status, &delivery->body, &delivery->manner);
	free(delivery);
}

void delivery_send(struct server *server, struct httpd_request *request, int status,
		   struct buf *body, const struct delivery_manner *manner)
{
	struct delivery *delivery;

	amend_answer(manner->amendment, body);
	if (manner->delay_ms == 0) {
		deliver(request, status, body, manner);
		return;
	}
	delivery = memory_zeroed(1, sizeof *delivery);
	delivery->server = server;
	delivery->request = request;
	delivery->status = status;
	delivery->body = *body;
	delivery->manner = *manner;
	DL_APPEND(server->deliveries, delivery);
	later_add(&server->later, &delivery->later, manner->delay_ms, on_due);
}

void deliveries_cut(struct server *server)
{
	while (server->deliveries != NULL) {
		struct delivery *delivery = server->deliveries;

		later_cancel(&server->later, &delivery->later);
		delivery->manner.is_lost = true;
		on_due(&delivery->later);
	}
}
