/* tails.c - how far each partition already goes. */
#include "producer/tails.h"

void tails_note(struct tails *tails, enum tails_topic topic, int32_t partition,
		const struct pos *pos)
{
	struct tails_end *end = &tails->ends[topic][partition];

	if (!end->known || pos_compare(pos, &end->newest) > 0) {
		end->known = true;
		end->newest = *pos;
	}
}

void tails_note_gap(struct tails *tails, enum tails_topic topic, int32_t partition,
		    const struct pos *pos)
{
	struct tails_end *end = &tails->ends[topic][partition];

	if (!end->has_gap || pos_compare(pos, &end->gap) < 0) {
		end->has_gap = true;
		end->gap = *pos;
	}
}

void tails_note_delivered(struct tails *tails, enum tails_topic topic, int32_t partition,
			  const struct pos *pos)
{
	struct tails_end *end = &tails->ends[topic][partition];

	if (end->has_gap && pos_compare(pos, &end->gap) >= 0) {
		end->has_gap = false;
	}
}

void tails_note_foreign(struct tails *tails, enum tails_topic topic, int32_t partition,
			int64_t offset)
{
	struct tails_end *end = &tails->ends[topic][partition];

	if (!end->has_foreign || offset < end->foreign_offset) {
		end->has_foreign = true;
		end->foreign_offset = offset;
	}
}

void tails_start(struct tails *fresh, const struct tails *known)
{
	*fresh = (struct tails){0};
	for (int topic = 0; topic < TAILS_TOPICS; topic++) {
		for (int partition = 0; partition < TAILS_PARTITIONS_MAX; partition++) {
			struct tails_end *end = &fresh->ends[topic][partition];

			end->has_foreign = known->ends[topic][partition].has_foreign;
			end->foreign_offset = known->ends[topic][partition].foreign_offset;
		}
	}
}

void tails_renew(struct tails *tails, const struct tails *fresh)
{
	for (int topic = 0; topic < TAILS_TOPICS; topic++) {
		for (int partition = 0; partition < TAILS_PARTITIONS_MAX; partition++) {
			struct tails_end *end = &tails->ends[topic][partition];

			end->known = fresh->ends[topic][partition].known;
			end->newest = fresh->ends[topic][partition].newest;
			end->next_offset = fresh->ends[topic][partition].next_offset;
			end->has_foreign = false;
		}
	}
}

bool tails_has(const struct tails *tails, enum tails_topic topic, int32_t partition,
	       const struct pos *pos)
{
	const struct tails_end *end = &tails->ends[topic][partition];

	if (!end->known || pos_compare(pos, &end->newest) > 0) {
		return false;
	}
	return !end->has_gap || pos_compare(pos, &end->gap) < 0;
}

uint32_t tails_epoch(const struct tails *tails)
{
	uint32_t epoch = 0;

	for (int topic = 0; topic < TAILS_TOPICS; topic++) {
		for (int partition = 0; partition < TAILS_PARTITIONS_MAX; partition++) {
			const struct tails_end *end = &tails->ends[topic][partition];

			if (end->known && end->newest.epoch > epoch) {
				epoch = end->newest.epoch;
			}
		}
	}
	return epoch;
}

bool tails_is_empty(const struct tails *tails, enum tails_topic topic)
{
	for (int partition = 0; partition < TAILS_PARTITIONS_MAX; partition++) {
		if (tails->ends[topic][partition].known) {
			return false;
		}
	}
	return true;
}

uint64_t tails_transaction(const struct tails *tails, uint32_t epoch)
{
	uint64_t newest_lsn = 0;

	for (int topic = 0; topic < TAILS_TOPICS; topic++) {
		for (int partition = 0; partition < TAILS_PARTITIONS_MAX; partition++) {
			const struct tails_end *end = &tails->ends[topic][partition];

			if (end->known && end->newest.epoch == epoch && end->newest.ordinal > 0 &&
			    end->newest.commit_lsn > newest_lsn) {
				newest_lsn = end->newest.commit_lsn;
			}
		}
	}
	return newest_lsn;
}
