/* preflight.h - what has to be true of the database before the producer may rely on it.
 *
 * One statement, run under the producer's own role; each finding names its fix. */
#ifndef CALRELAY_PRODUCER_PREFLIGHT_H
#define CALRELAY_PRODUCER_PREFLIGHT_H

#include "common/pg.h"
#include "producer/settings.h"

#define PREFLIGHT_PATIENCE_MS 10000 /* for a connection */

struct preflight {
	struct pg_request request;
	void (*done)(struct pg_request *request);
	char assignment_columns[256]; /* PostgreSQL arrays of names */
	char project_columns[400];
};

/* Sends it; the answer's rows are findings (one text each), none where all is well.  FAULT_FATAL
 * where the answer is a pooler's. */
void preflight_send(struct preflight *preflight, struct pg *pg, const struct settings *settings,
		    void (*done)(struct pg_request *request));

#endif
