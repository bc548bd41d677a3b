/* server.h - the running program: the loop, the world, and the HTTP calls under way. */
#ifndef CALRELAY_FAKE_SERVER_H
#define CALRELAY_FAKE_SERVER_H

#include "common/httpd.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "common/ops.h"
#include "tests/fake/later.h"
#include "tests/fake/world.h"

#define SERVER_BODY_MAX_BYTES (4u << 20)
#define SERVER_PAGE_MAX_BYTES (64u << 20)

struct call;
struct delivery;

struct server {
	struct ops ops; /* first: the probes' handlers find it here */
	struct loop loop;
	struct httpd *httpd;
	struct world world;
	struct later_queue later;
	struct call *calls;	     /* of Graph, under way */
	struct delivery *deliveries; /* answers that are held back */
	struct metric *requests_total;
	struct metric *accounts;
	struct metric *events;
	struct metric *calls_now;
};

/* The origin that the client used, http://host:port; always one that fits. */
#define SERVER_BASE_SIZE 300
void server_base_url(const struct httpd_request *request, char base[SERVER_BASE_SIZE]);

/* Answers with a document of JSON and closes it. */
void server_reply_json(struct httpd_request *request, int status, struct buf *document);

/* Answers with a page that no other site can frame or script, and closes it. */
void server_reply_page(struct httpd_request *request, int status, struct buf *page);

/* Notes an answered request in the journal and the metrics. */
void server_note(struct server *server, const struct journal_record *record);

#endif
