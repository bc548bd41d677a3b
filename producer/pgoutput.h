/* pgoutput.h - decodes one message of PostgreSQL's pgoutput plugin, protocol 1.
 *
 * Pure: bytes in, values out, and the values point into those bytes.
 *
 * The wire (protocol version 1 with messages; all numbers big-endian; str is NUL-terminated):
 *   B  u64 final lsn, u64 commit time (us since 2000-01-01), u32 xid
 *   C  u8 flags, u64 commit lsn, u64 end lsn, u64 commit time
 *   O  u64 commit lsn at the origin, str name
 *   R  u32 oid, str schema ("" is pg_catalog), str table, u8 replica identity (d n f i), u16
 * columns, each: u8 flags (1: part of the key), str name, u32 type oid, u32 type modifier Y  u32
 * oid, str schema, str name I  u32 oid, 'N', tuple U  u32 oid, ['K' | 'O', tuple], 'N', tuple D u32
 * oid, 'K' | 'O', tuple T  u32 count, u8 options (1: cascade, 2: restart identity), u32 oid each M
 * u8 flags (1: transactional), u64 lsn, str prefix, u32 length, bytes tuple: u16 columns, each 'n'
 * (null, or not logged in a 'K' tuple), 'u' (unchanged TOAST), 't' u32 length, text Relation and
 * type messages come before their first use and again after each change. */
#ifndef CALRELAY_PRODUCER_PGOUTPUT_H
#define CALRELAY_PRODUCER_PGOUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "common/fault.h"

#define PGOUTPUT_COLUMNS_MAX 1664		      /* PostgreSQL's MaxTupleAttributeNumber */
#define PGOUTPUT_EPOCH_US    INT64_C(946684800000000) /* 2000-01-01 in us since 1970 */

enum pgoutput_kind {
	PGOUTPUT_BEGIN = 'B',
	PGOUTPUT_COMMIT = 'C',
	PGOUTPUT_ORIGIN = 'O',
	PGOUTPUT_RELATION = 'R',
	PGOUTPUT_TYPE = 'Y',
	PGOUTPUT_INSERT = 'I',
	PGOUTPUT_UPDATE = 'U',
	PGOUTPUT_DELETE = 'D',
	PGOUTPUT_TRUNCATE = 'T',
	PGOUTPUT_MESSAGE = 'M',
};

/* One column of a row, as text: from a tuple, or from a query's result. */
struct pgoutput_value {
	char kind; /* 'n' null, 'u' unchanged and not sent, 't' text */
	uint32_t length;
	const char *text; /* not NUL-terminated */
};

struct pgoutput_tuple {
	uint16_t count;
	struct pgoutput_value values[PGOUTPUT_COLUMNS_MAX];
};

struct pgoutput_column {
	bool is_key;
	const char *name;
	uint32_t type;
	int32_t modifier;
};

struct pgoutput_message {
	enum pgoutput_kind kind;
	uint64_t commit_lsn;	/* B: final lsn; C: commit lsn */
	uint64_t end_lsn;	/* C */
	int64_t commit_time_us; /* B, C: since 1970 */
	uint32_t xid;		/* B */
	uint32_t relation;	/* R I U D: oid */

	char old_kind; /* U D: 'K', 'O', or 0 where no old tuple was sent */
	struct pgoutput_tuple old_tuple;
	struct pgoutput_tuple new_tuple;

	const char *schema; /* R */
	const char *table;  /* R */
	char identity;	    /* R */
	uint16_t column_count;
	struct pgoutput_column columns[PGOUTPUT_COLUMNS_MAX];

	const char *origin;  /* O: where the transaction was first, by name and commit LSN there */
	uint64_t origin_lsn; /* O */

	uint32_t truncated_count; /* T; only the first few oids are kept */
	uint32_t truncated[16];

	bool is_transactional; /* M: it belongs to the transaction it stands in */
	const char *prefix;    /* M */
	const char *content;   /* M; not NUL-terminated */
	uint32_t content_length;
};

/* False with FAULT_FATAL: not a message of this protocol, cut short, or longer than it says; then
 * the message has no rows, no columns, no names and no content. */
bool pgoutput_decode(const void *data, size_t length, struct pgoutput_message *message,
		     struct fault *fault) MUST_CHECK;

/* Same text, or both null.  'u' equals anything: it says that the value did not change. */
bool pgoutput_same(const struct pgoutput_value *a, const struct pgoutput_value *b);

#endif
