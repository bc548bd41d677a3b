/* batch.h - up to twenty operations of one mailbox and one $batch body; one answer per operation.
 *
 * Pure.  The batch is unordered: no dependsOn.  Source: Graph, "Combine multiple HTTP requests
 * using JSON batching". */
#ifndef CALRELAY_WORKER_BATCH_H
#define CALRELAY_WORKER_BATCH_H

#include "common/buf.h"
#include "common/fault.h"
#include "worker/op.h"
#include "worker/outlook.h"

#define BATCH_ITEMS_MAX 20
#define BATCH_MAX_BYTES (3u << 20)

struct batch_item {
	const struct op *op;
	const struct outlook_event *event; /* what create and update write */
	const char *written;		   /* the category of ours that was written last; or NULL */
	struct uuid assignment;
	struct op_answer answer; /* filled by batch_read */
};

struct batch {
	const struct hostmap *map; /* tells categories of ours from others */
	struct batch_item items[BATCH_ITEMS_MAX];
	int count;
};

/* The request body.  connection and property are of the mailbox and the deployment. */
void batch_write(struct buf *out, const struct batch *batch, const struct uuid *connection,
		 const char *property);

/* Fills every item's answer from the body of a 200.  What is missing, doubled or unreadable is an
 * unknown outcome (status 0); what was never asked for is ignored.  wall_ms: now, for a Retry-After
 * given as a date. */
void batch_read(struct batch *batch, const char *body, size_t length, int64_t wall_ms);

#endif
