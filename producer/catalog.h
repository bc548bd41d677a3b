/* catalog.h - the mapped tables as the database defines them now: columns, types, and the
 * statements that read their rows.
 *
 * The stream tells the columns of its own rows; this is for the rows we read ourselves, and for
 * types the stream only names by number. */
#ifndef CALRELAY_PRODUCER_CATALOG_H
#define CALRELAY_PRODUCER_CATALOG_H

#include "common/pg.h"
#include "producer/relation.h"
#include "producer/scope.h"
#include "producer/settings.h"
#include "producer/visible.h"

#define CATALOG_CHUNK_ROWS 500
#define CATALOG_OLD_MAX	   1024

struct catalog_type; /* what a type of the host's own rests on */

struct catalog {
	struct pg *pg;
	const struct settings *settings;
	struct catalog_type *types;
	struct relation *assignments;
	struct relation *requests;
	struct relation *shown; /* the five columns of projects that events show, in order */

	/* Rows of a chunk: snapshot, the row's columns, then for assignments the project's five.
	 * Parameters: from which id on, how many rows; before them the scope's id, if it has one.
	 */
	char *walk_sql[SCOPE_KINDS]; /* assignments */
	char *requests_sql;
	char *lookup_sql; /* snapshot and the five columns; parameter: an array of project ids */
	char *old[CATALOG_OLD_MAX]; /* of earlier definitions */
	int old_count;

	struct pg_request request;
	void (*loaded)(struct catalog *catalog, const struct fault *fault);
	bool loading;
};

/* A row of a chunk as the envelope wants it; valid as long as the result. */
struct catalog_row {
	struct pgoutput_value values[PGOUTPUT_COLUMNS_MAX];
	struct pgoutput_value project[5];
	bool has_project;
};

void catalog_init(struct catalog *catalog, struct pg *pg, const struct settings *settings);
void catalog_close(struct catalog *catalog);

/* Reads it anew; loaded is called exactly once, never before this returns. */
void catalog_load(struct catalog *catalog,
		  void (*loaded)(struct catalog *catalog, const struct fault *fault));

/* Gives each column of a type of the host's own its meaning.  False where the catalog, as it was
 * read last, does not know one (load it again, then use catalog_settle). */
bool catalog_explain(const struct catalog *catalog, struct relation *relation);
void catalog_settle(const struct catalog *catalog, struct relation *relation);

/* False where the chunk has no row at this place (an empty chunk still tells its snapshot). */
bool catalog_read_row(const struct relation *relation, bool with_project, const PGresult *result,
		      int row, struct catalog_row *out);

#endif
