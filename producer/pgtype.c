/* pgtype.c - what a column's type means for its JSON. */
#include "producer/pgtype.h"

#include <stddef.h>

/* Source: PostgreSQL 15 src/include/catalog/pg_type.dat; oids of built-in types never change.
 * What is not here (text, uuid, json, inet, ranges, ...) is written as text. */
/* clang-format off */
static const struct {
	uint32_t oid;
	uint32_t array_oid;
	enum pgtype_kind kind;
} TYPES[] = {
	{16,   1000, PGTYPE_BOOLEAN},
	{17,   1001, PGTYPE_BYTEA},
	{20,   1016, PGTYPE_INTEGER},     /* int8 */
	{21,   1005, PGTYPE_INTEGER},     /* int2 */
	{23,   1007, PGTYPE_INTEGER},     /* int4 */
	{26,   1028, PGTYPE_INTEGER},     /* oid */
	{700,  1021, PGTYPE_FLOAT},       /* float4 */
	{701,  1022, PGTYPE_FLOAT},       /* float8 */
	{790,  791,  PGTYPE_MONEY},
	{1082, 1182, PGTYPE_DATE},
	{1083, 1183, PGTYPE_TIME},
	{1114, 1115, PGTYPE_TIMESTAMP},
	{1184, 1185, PGTYPE_TIMESTAMPTZ},
	{1186, 1187, PGTYPE_INTERVAL},
	{1266, 1270, PGTYPE_TIMETZ},
	{1560, 1561, PGTYPE_BIT},
	{1562, 1563, PGTYPE_BIT},         /* varbit */
	{1700, 1231, PGTYPE_NUMERIC},
	{18,   1002, PGTYPE_TEXT},        /* "char" */
	{19,   1003, PGTYPE_TEXT},        /* name */
	{25,   1009, PGTYPE_TEXT},
	{114,  199,  PGTYPE_TEXT},        /* json */
	{142,  143,  PGTYPE_TEXT},        /* xml */
	{650,  651,  PGTYPE_TEXT},        /* cidr */
	{774,  775,  PGTYPE_TEXT},        /* macaddr8 */
	{829,  1040, PGTYPE_TEXT},        /* macaddr */
	{869,  1041, PGTYPE_TEXT},        /* inet */
	{1042, 1014, PGTYPE_TEXT},        /* bpchar */
	{1043, 1015, PGTYPE_TEXT},        /* varchar */
	{2950, 2951, PGTYPE_TEXT},        /* uuid */
	{3802, 3807, PGTYPE_TEXT},        /* jsonb */
	{3904, 3905, PGTYPE_TEXT},        /* int4range */
	{3906, 3907, PGTYPE_TEXT},        /* numrange */
	{3908, 3909, PGTYPE_TEXT},        /* tsrange */
	{3910, 3911, PGTYPE_TEXT},        /* tstzrange */
	{3912, 3913, PGTYPE_TEXT},        /* daterange */
	{3926, 3927, PGTYPE_TEXT},        /* int8range */
	{27,   1010, PGTYPE_TEXT},        /* tid */
	{28,   1011, PGTYPE_TEXT},        /* xid */
	{29,   1012, PGTYPE_TEXT},        /* cid */
	{600,  1017, PGTYPE_TEXT},        /* point */
	{601,  1018, PGTYPE_TEXT},        /* lseg */
	{602,  1019, PGTYPE_TEXT},        /* path */
	{604,  1027, PGTYPE_TEXT},        /* polygon */
	{628,  629,  PGTYPE_TEXT},        /* line */
	{718,  719,  PGTYPE_TEXT},        /* circle */
	{2205, 2210, PGTYPE_TEXT},        /* regclass */
	{3220, 3221, PGTYPE_TEXT},        /* pg_lsn */
	{3614, 3643, PGTYPE_TEXT},        /* tsvector */
	{3615, 3645, PGTYPE_TEXT},        /* tsquery */
	{4072, 4073, PGTYPE_TEXT},        /* jsonpath */
	{5069, 271,  PGTYPE_TEXT},        /* xid8 */
};
/* clang-format on */

struct pgtype pgtype_of(uint32_t oid, int32_t modifier)
{
	for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
		if (TYPES[i].oid == oid || TYPES[i].array_oid == oid) {
			return (struct pgtype){.kind = TYPES[i].kind,
					       .is_array = TYPES[i].array_oid == oid,
					       .oid = TYPES[i].oid,
					       .modifier = modifier};
		}
	}
	return (struct pgtype){.kind = PGTYPE_TEXT, .oid = oid, .modifier = modifier};
}

int pgtype_time_digits(const struct pgtype *type)
{
	return type->modifier >= 0 && type->modifier <= 6 ? (int)type->modifier : 6;
}

/* The modifier holds precision and scale behind a header of 4: (precision << 16 | scale) + 4, the
 * scale as 11 bits with a sign. */
int pgtype_scale(const struct pgtype *type)
{
	return (int)((((uint32_t)type->modifier - 4) & 0x7ff) ^ 1024) - 1024;
}
