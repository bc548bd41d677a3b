/* pgtype.h - what a column's type means for its JSON: the kinds Debezium's adaptive mode knows.
 *
 * Pure.  Built-in types are known by their oid; a type of the host's own (enum, domain, extension,
 * arrays of them) is what the catalog says it rests on (producer/catalog.h asks it). */
#ifndef CALRELAY_PRODUCER_PGTYPE_H
#define CALRELAY_PRODUCER_PGTYPE_H

#include <stdbool.h>
#include <stdint.h>

#define PGTYPE_FIRST_OWN_OID 16384 /* PostgreSQL's FirstNormalObjectId */
#define PGTYPE_FLOAT4_OID    700
#define PGTYPE_UUID_OID	     2950

enum pgtype_kind {
	PGTYPE_TEXT, /* and everything that is written as its text */
	PGTYPE_BOOLEAN,
	PGTYPE_INTEGER,
	PGTYPE_FLOAT,
	PGTYPE_NUMERIC,
	PGTYPE_MONEY,
	PGTYPE_DATE,
	PGTYPE_TIME,
	PGTYPE_TIMETZ,
	PGTYPE_TIMESTAMP,
	PGTYPE_TIMESTAMPTZ,
	PGTYPE_INTERVAL,
	PGTYPE_BYTEA,
	PGTYPE_BIT,
};

struct pgtype {
	enum pgtype_kind kind;
	bool is_array;
	uint32_t oid;	  /* of an array: its element's; of a domain: its base's */
	int32_t modifier; /* -1: none */
};

/* The type of a built-in oid; text for one that is not in the table. */
struct pgtype pgtype_of(uint32_t oid, int32_t modifier);

/* Digits behind the point of a time or timestamp: 0 to 6. */
int pgtype_time_digits(const struct pgtype *type);

/* Digits behind the point of a numeric with a modifier; may be negative. */
int pgtype_scale(const struct pgtype *type);

#endif
