/* part.c - where a partition goes on. */
#include "worker/part.h"

/* How long the log was when we last knew. */
static int64_t known_end(const struct part_progress *progress)
{
	int64_t end = progress->done > progress->committed ? progress->done : progress->committed;

	return progress->replay_to > end ? progress->replay_to : end;
}

void part_decide(struct part *part, int64_t committed, const struct part_progress *progress)
{
	/* done_offset is saved before Kafka has a commit: a crash never leaves us above it */
	int64_t done =
	    progress->is_known && progress->done >= 0 ? progress->done : part->low_watermark;

	part->is_log_new = progress->is_known && part->high_watermark < known_end(progress);
	part->start = !part->is_log_new && committed >= part->low_watermark &&
			      committed <= part->high_watermark
			  ? committed
			  : part->low_watermark;
	part->replay_from_start = part->start == part->low_watermark;
	part->known = progress->replay_to >= 0 ? progress->replay_to : done;
	part->replay_to = -1;
	part->was_skipped = !part->is_requests && (part->is_log_new || part->start > done);
	if (part->is_requests || !progress->is_known || part->was_skipped) {
		return;
	}
	/* committed_offset is written after Kafka acknowledged: a crash leaves us at it or above */
	if ((part->start < progress->committed || progress->replay_to >= 0) &&
	    part->high_watermark > part->start) {
		part->replay_to = part->high_watermark;
	}
}

int64_t part_committable(const struct part *part)
{
	return part->state == PART_READING ? ledger_committable(&part->ledger) : part->start;
}
