/* relation.h - which table and which columns the stream's rows belong to.
 *
 * Pure.  One relation per definition: when a table changes, a new one takes its place, and rows
 * that are still on their way keep the old one alive (counted references). */
#ifndef CALRELAY_PRODUCER_RELATION_H
#define CALRELAY_PRODUCER_RELATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "common/hostmap.h"
#include "producer/pgoutput.h"
#include "producer/pgtype.h"

#define RELATION_CACHE_MAX 1024
#define RELATION_REQUESTS  "calendar_sync_requests"

enum relation_role {
	RELATION_OTHER, /* published, but none of ours: its rows only count */
	RELATION_ASSIGNMENTS,
	RELATION_PROJECTS,
	RELATION_REQUESTS_TABLE,
};

#define RELATION_KEY_SIZE (6 * HOSTMAP_NAME_SIZE + 4) /* every byte as \\u00XX, quotes, colon */

struct relation_column {
	char name[HOSTMAP_NAME_SIZE];
	char key[RELATION_KEY_SIZE]; /* the name as every record shows it: "name": */
	size_t key_length;
	bool is_key;
	uint32_t oid; /* of the type */
	struct pgtype type;
	bool is_required; /* never NULL, as far as the catalog was asked */
	char *schema;	  /* producer/schema.h; the relation's; NULL: none */
};

/* Places of the columns we know by name; -1 where there is none. */
struct relation_places {
	int id, user_id, project_id;		      /* assignments, requests */
	int client_name, start_date, end_date, notes; /* projects (with id) */
};

struct relation {
	uint32_t oid;
	enum relation_role role;
	char identity; /* d n f i */
	char schema[HOSTMAP_NAME_SIZE];
	char table[HOSTMAP_NAME_SIZE];
	struct relation_places at;
	bool has_failed; /* a column found no memory; relation_check tells */
	bool typed;	 /* false while a column's type is one the catalog has to explain */
	int references;
	int column_count;
	struct relation_column *columns;
	char *value_head; /* what stands before each value and key: their schema; NULL: nothing */
	char *key_head;
	UT_hash_handle hh;
};

/* A relation with no columns yet; one reference, the caller's.  NULL without memory. */
struct relation *relation_new(const struct hostmap *map, const char *schema, const char *table,
			      int column_count);
/* Fills column at place, which learns its meaning from its name, and takes over its schema. */
void relation_set_column(struct relation *relation, const struct hostmap *map, int place,
			 const struct relation_column *column);
struct relation *relation_hold(struct relation *relation);
void relation_let_go(struct relation *relation);

/* Whether the columns we need are there, and whether old rows name user and assignment. FAULT_FATAL
 * with the statement that fixes it. */
bool relation_check(const struct relation *relation, struct fault *fault) MUST_CHECK;

/* Whether the rows of an I, U or D have just the relation's columns.  FAULT_FATAL: a row that names
 * no user for want of a column would reach nobody. */
bool relation_fits(const struct relation *relation, const struct pgoutput_message *message,
		   struct fault *fault) MUST_CHECK;

/* ---- what a session was told ---- */

struct relations {
	struct relation *by_oid;
	const struct hostmap *map;
};

void relations_init(struct relations *relations, const struct hostmap *map);
void relations_clear(struct relations *relations); /* named end; also at each new session */

/* Takes over a relation message.  FAULT_FATAL as relation_check, and without memory. */
bool relations_learn(struct relations *relations, const struct pgoutput_message *message,
		     struct fault *fault) MUST_CHECK;

/* FAULT_FATAL where the stream never announced it. */
struct relation *relations_find(const struct relations *relations, uint32_t oid,
				struct fault *fault) MUST_CHECK;

#endif
