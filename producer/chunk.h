/* chunk.h - a row that was read from the tables, as an `r` record: what fan-outs and snapshots
 * share. */
#ifndef CALRELAY_PRODUCER_CHUNK_H
#define CALRELAY_PRODUCER_CHUNK_H

#include "producer/catalog.h"
#include "producer/emit.h"

/* What all rows of a walk have in common. */
struct chunk {
	struct emit *emit;
	const struct catalog *catalog;
	const struct relation *relation; /* assignments or requests */
	enum tails_topic topic;
	const char *cause;
	struct debezium_source source; /* name and database are emit's */
	struct pos pos;		       /* the id is added here */
	uint64_t number;
};

/* *sent says whether it is on its way.  A row that names no user makes no record. */
bool chunk_emit(const struct chunk *chunk, const struct catalog_row *row, const struct uuid *id,
		bool *sent, struct fault *fault) MUST_CHECK;

#endif
