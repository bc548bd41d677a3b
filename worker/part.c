/* part.c - where a partition goes on. */
#include "worker/part.h"

void part_decide(struct part *part, int64_t committed, const struct part_progress *progress)
{
	bool was_recreated = progress->is_known && part->high_watermark < progress->done;
	bool was_reset;

	part->start = committed >= part->low_watermark && committed <= part->high_watermark
			  ? committed
			  : part->low_watermark;
	part->replay_to = -1;
	part->replay_from_start = part->start <= part->low_watermark;
	if (part->is_requests || !progress->is_known) {
		return;
	}
	/* committed_offset is written after Kafka acknowledged: a crash leaves us at it or above */
	was_reset = progress->committed >= 0 && part->start < progress->committed;
	if (was_recreated || was_reset || progress->replay_to >= 0) {
		part->replay_to = part->high_watermark > progress->replay_to || was_recreated
				      ? part->high_watermark
				      : progress->replay_to;
	}
	if (part->replay_to <= part->start) {
		part->replay_to = -1; /* nothing left to fold */
	}
}

int64_t part_committable(const struct part *part)
{
	return part->state == PART_READING ? ledger_committable(&part->ledger) : part->start;
}
