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

void tails_renew(struct tails *tails, const struct tails *fresh)
{
	for (int topic = 0; topic < TAILS_TOPICS; topic++) {
		for (int partition = 0; partition < TAILS_PARTITIONS_MAX; partition++) {
			struct tails_end *end = &tails->ends[topic][partition];

			end->known = fresh->ends[topic][partition].known;
			end->newest = fresh->ends[topic][partition].newest;
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
