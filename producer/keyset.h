/* keyset.h - where a walk through a table in id order goes on.
 *
 * Pure.  A chunk starts at an id, inclusive; the next one starts at the id behind the last row's.
 */
#ifndef CALRELAY_PRODUCER_KEYSET_H
#define CALRELAY_PRODUCER_KEYSET_H

#include <stdbool.h>

#include "common/uuid.h"
#include "producer/pgoutput.h"

struct keyset {
	char from[UUID_TEXT_SIZE]; /* a parameter of the chunk's statement */
	bool ended;		   /* behind the last id there can be */
};

/* From the first id there can be, or from one that is given; "" is none. */
void keyset_start(struct keyset *keyset, const char *from);
void keyset_pass(struct keyset *keyset, const struct uuid *last);

/* False where the value is null or no UUID. */
bool keyset_read_id(const struct pgoutput_value *value, struct uuid *id);

#endif
