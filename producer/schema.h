/* schema.h - Kafka Connect's schemas of keys and values, as Debezium's JsonConverter writes them
 * (CALRELAY_SCHEMAS_ENABLE).
 *
 * Pure.  A schema is told from a column's type and what the catalog says of it; pgoutput says
 * neither what may be NULL nor what a default is. */
#ifndef CALRELAY_PRODUCER_SCHEMA_H
#define CALRELAY_PRODUCER_SCHEMA_H

#include "common/buf.h"
#include "producer/relation.h"

#define SCHEMA_MAX_BYTES (1u << 20)

/* What the catalog says of a column; NULL: nothing. */
struct schema_facts {
	const char *type_name; /* of the base or element type, where that is the host's own */
	const char *labels;    /* of an enum, as Debezium joins them: with commas */
	const char *fallback;  /* the literal that stands in its default */
	bool is_computed;      /* its default is a function's result */
};

/* Gives the column its schema: all of the object but its end, where the field's name belongs. False
 * without memory. */
bool schema_describe(struct relation_column *column, const struct schema_facts *facts) MUST_CHECK;

/* Takes over the schemas of equal columns of the same table.  False where one is missing. */
bool schema_adopt(struct relation *relation, const struct relation *known);

/* Writes what stands before each key and value: `{"schema":{...},"payload":`.  shown: the project's
 * five columns, NULL for a table that shows none.  False without memory. */
bool schema_open(struct relation *relation, const struct relation *shown,
		 const char *prefix) MUST_CHECK;

#endif
