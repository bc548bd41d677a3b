/* path.h - the producer's pure way of a message: from its bytes to the JSON of its records.
 *
 * What stream, feed and emit do between them, without a socket, a look-up or Kafka.  Types of the
 * host's own stay text (the catalog explains them), and the time is always the same. */
#ifndef CALRELAY_TESTS_PRODUCER_PATH_H
#define CALRELAY_TESTS_PRODUCER_PATH_H

#include "common/buf.h"
#include "producer/assemble.h"
#include "producer/debezium.h"

#define PATH_RECORD_MAX_BYTES 10000000

/* One record; it lives until its callback returns. */
struct path_record {
	char op; /* c u d, 0 for a tombstone, p for a project's own JSON */
	uint32_t ordinal;
	const struct buf *key;	  /* empty for a project */
	const struct buf *header; /* the other key, or empty */
	const struct buf *value;  /* empty for a tombstone */
};

struct path {
	struct hostmap map;
	struct relations relations;
	struct pgoutput_message message; /* large */
	struct debezium_source source;
	char origin[128];
	uint32_t row;
	int counts[128]; /* messages by their kind */
	void *context;
	void (*on_record)(const struct path *path, const struct path_record *record);
};

/* Named end: path_close.  False where the shipped mapping can't be read. */
bool path_init(struct path *path) MUST_CHECK;
void path_close(struct path *path);
void path_restart(struct path *path); /* forgets what the stream told */

/* One pgoutput message.  FAULT_FATAL where the stream would stop. */
bool path_take(struct path *path, const void *bytes, size_t length, struct fault *fault) MUST_CHECK;

#endif
