/* batch.h - the body of a $batch: read, checked whole, and what may run when.
 *
 * Pure.  Source of the rules: Graph's JSON batching page and known issues. */
#ifndef CALRELAY_FAKE_BATCH_H
#define CALRELAY_FAKE_BATCH_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "tests/fake/problem.h"

#define BATCH_ITEMS_MAX 20
#define BATCH_PARALLEL	4 /* items that an unordered batch runs at once */

struct batch_item {
	const char *id;	    /* these point into the document, but for method */
	const char *method; /* constant */
	const char *url;
	const char *content_type; /* of its headers; NULL where absent */
	const char *prefer;
	const char *if_match;
	const cJSON *body; /* NULL where absent */
	int depends_on;	   /* index of an earlier item, or -1 */
};

struct batch {
	struct batch_item items[BATCH_ITEMS_MAX];
	size_t count;
	bool is_ordered; /* some item depends on another: then one at a time */
};

/* Borrows document.  A refusal is the answer to the batch as a whole. */
bool batch_read(const cJSON *document, struct batch *batch, struct problem *problem);

/* Fills order with 0..count-1, shuffled. */
void batch_shuffle(size_t order[BATCH_ITEMS_MAX], size_t count);

#endif
