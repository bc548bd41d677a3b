/* assemble.h - which records a row's change becomes, for whom, and at which position.
 *
 * Pure.  An assignment's change is at most three records: for a change of user (or id) `d` and
 * tombstone to the old key, `c` to the new one.  The ordinal numbers the row messages of a
 * transaction, published or not, three per message and from 1 on (0 is the snapshot's), so a resend
 * repeats every position exactly. */
#ifndef CALRELAY_PRODUCER_ASSEMBLE_H
#define CALRELAY_PRODUCER_ASSEMBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "producer/pgoutput.h"
#include "producer/relation.h"

#define ASSEMBLE_RECORDS_MAX 3
#define ASSEMBLE_ROWS_MAX    1400000000u /* row messages in one transaction */

/* Old and new row of a change; NULL where there is none.  Points into the message. */
struct assemble_change {
	const struct relation *relation;
	char kind;    /* I U D */
	uint32_t row; /* number of the row message in its transaction, from 0 */
	const struct pgoutput_value *old_values;
	uint16_t old_count;
	const struct pgoutput_value *new_values;
	uint16_t new_count;
};

struct assemble_key {
	const struct pgoutput_value *user_id;
	const struct pgoutput_value *id;
};

struct assemble_record {
	char op; /* c u d, or 0 for the tombstone behind a d */
	uint32_t ordinal;
	struct assemble_key key;
	bool has_old_key; /* of a c: __debezium.oldkey */
	bool has_new_key; /* of a d and its tombstone: __debezium.newkey */
	struct assemble_key other_key;
};

uint32_t assemble_ordinal(uint32_t row);

/* A value of the new row (there has to be one, and it has that place); the old row's where it did
 * not change and so was not sent. */
const struct pgoutput_value *assemble_new_value(const struct assemble_change *change, int place);

/* The records of an assignment's or a request's change, in order; how many. */
int assemble_records(const struct assemble_change *change,
		     struct assemble_record records[ASSEMBLE_RECORDS_MAX]);

/* Whether a project's update touches a column that events show. */
bool assemble_project_shows(const struct assemble_change *change);

#endif
