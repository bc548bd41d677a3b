/* tails.h - how far each partition already goes: what a resend must not repeat.
 *
 * Pure.  Records of a partition are written in the order of their positions, so what is not beyond
 * the newest one there is there already.  A delivery that failed may have left a gap behind which a
 * later record did arrive: from the gap on, everything is sent again. */
#ifndef CALRELAY_PRODUCER_TAILS_H
#define CALRELAY_PRODUCER_TAILS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/pos.h"

#define TAILS_PARTITIONS_MAX 1024

enum tails_topic { TAILS_ASSIGNMENTS, TAILS_REQUESTS, TAILS_TOPICS };

struct tails_end {
	bool known;
	struct pos newest;
	bool has_gap;
	struct pos gap;	     /* the first position that failed */
	int64_t next_offset; /* where the partition ended when it was read */
	bool has_foreign;
	int64_t foreign_offset; /* from here on, somebody else has written, too */
};

struct tails {
	struct tails_end ends[TAILS_TOPICS][TAILS_PARTITIONS_MAX];
};

void tails_note(struct tails *tails, enum tails_topic topic, int32_t partition,
		const struct pos *pos);
void tails_note_gap(struct tails *tails, enum tails_topic topic, int32_t partition,
		    const struct pos *pos);
/* Kafka has confirmed pos: a gap at or before it is closed. */
void tails_note_delivered(struct tails *tails, enum tails_topic topic, int32_t partition,
			  const struct pos *pos);
/* Somebody else wrote at this offset, or from it on: next time, read from before it. */
void tails_note_foreign(struct tails *tails, enum tails_topic topic, int32_t partition,
			int64_t offset);
/* What is to be read anew, knowing where somebody else wrote. */
void tails_start(struct tails *fresh, const struct tails *known);
/* Takes over what was read anew; gaps stay. */
void tails_renew(struct tails *tails, const struct tails *fresh);
bool tails_has(const struct tails *tails, enum tails_topic topic, int32_t partition,
	       const struct pos *pos);
uint32_t tails_epoch(const struct tails *tails); /* the highest; 0: no record at all */
bool tails_is_empty(const struct tails *tails, enum tails_topic topic);
/* Where the newest transaction of an epoch that a partition ends with committed; 0: none.  A
 * snapshot's records stand at no transaction. */
uint64_t tails_transaction(const struct tails *tails, uint32_t epoch);

#endif
