/* call.h - one HTTP call of Graph under way: its operations run in groups, as Exchange lets them.
 *
 * graph ─▶ call_start ─▶ [group of up to 4 ─▶ latency ─▶ run]* ─▶ call->done. */
#ifndef CALRELAY_FAKE_CALL_H
#define CALRELAY_FAKE_CALL_H

#include "tests/fake/batch.h"
#include "tests/fake/delivery.h"
#include "tests/fake/operation.h"
#include "tests/fake/server.h"

struct call {
	struct call *next; /* of the server */
	struct call *prev;
	struct server *server;
	struct httpd_request *request;
	struct account *account;
	uint32_t scopes;
	char base_url[SERVER_BASE_SIZE];
	cJSON *document;		 /* the body, or NULL */
	void (*done)(struct call *call); /* answers, then call_free */

	bool is_batch;
	struct batch batch;
	struct operation *operations; /* one, or one per item */
	size_t count;

	/* the run */
	size_t order[BATCH_ITEMS_MAX];
	size_t taken; /* of order: started, or refused at once */
	size_t group[BATCH_PARALLEL];
	size_t group_count;
	uint64_t seqs[BATCH_ITEMS_MAX]; /* of each operation's record */
	struct delivery_manner manner;
	struct later later;
};

/* Allocates operations for count; the caller initialises them before call_start. */
struct call *call_new(struct server *server, struct httpd_request *request, struct account *account,
		      size_t count);
void call_start(struct call *call, int64_t delay_ms); /* before the first group, over the latency */
void call_free(struct call *call);

/* All that run: cut off, with nothing more executed. */
void calls_cut(struct server *server);

/* A fault's refusal as the operation's answer. */
void call_refuse_by_fault(struct operation *operation, const struct faults_rule *rule);

#endif
