/* delivery.h - brings an answer to the client: now, late, cut in the middle, or never. */
#ifndef CALRELAY_FAKE_DELIVERY_H
#define CALRELAY_FAKE_DELIVERY_H

#include "tests/fake/server.h"

struct delivery_manner {
	bool is_lost;	   /* the connection is cut instead */
	bool is_truncated; /* half of the body */
	bool is_page;	   /* the body is HTML, whoever wrote it */
	int64_t delay_ms;
	char amendment[FAULTS_ANSWER_SIZE]; /* of the body; "" for none */
};

/* What a fault of this deed means for the answer; adds to manner. */
void delivery_spoil(struct delivery_manner *manner, const struct faults_rule *rule);

/* What a gateway says in Microsoft's place. */
void delivery_write_page(struct buf *out);

/* Answers request and takes body's memory.  Headers were set already. */
void delivery_send(struct server *server, struct httpd_request *request, int status,
		   struct buf *body, const struct delivery_manner *manner);

void deliveries_cut(struct server *server); /* all that wait */

#endif
