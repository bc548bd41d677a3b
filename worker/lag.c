/* lag.c - how far a partition is behind. */
#include "worker/lag.h"

int64_t lag_earlier(int64_t one_ms, int64_t other_ms)
{
	if (one_ms == 0 || other_ms == 0) {
		return one_ms + other_ms;
	}
	return one_ms < other_ms ? one_ms : other_ms;
}

int64_t lag_since(int64_t timestamp_ms, int64_t now_ms)
{
	return timestamp_ms > 0 && timestamp_ms < now_ms ? timestamp_ms : now_ms;
}

double lag_seconds(int64_t since_ms, int64_t now_ms)
{
	return since_ms > 0 && since_ms < now_ms ? (double)(now_ms - since_ms) / 1000.0 : 0;
}

void lag_see_end(struct part *part, int64_t end, int64_t now_ms)
{
	part->high_watermark = end;
	if (end <= part->position) {
		part->unread_ms = 0;
	} else if (part->unread_ms == 0) {
		part->unread_ms = now_ms;
	}
}

void lag_begin_replay(struct part *part, int64_t now_ms)
{
	part->fold_ms = 0;
	part->fold_late_ms = now_ms;
}

void lag_fold(struct part *part, int64_t offset, int64_t since_ms)
{
	part->fold_ms = lag_earlier(part->fold_ms, since_ms);
	if (offset >= part->known) {
		part->fold_late_ms = lag_earlier(part->fold_late_ms, since_ms);
	}
}

void lag_end_replay(struct part *part)
{
	part->fold_ms = 0;
	part->fold_late_ms = 0;
}

/* A group that has never committed begins at the log's start. */
static int64_t part_records(const struct part *part)
{
	int64_t end = part->high_watermark > part->position ? part->high_watermark : part->position;
	int64_t from = part->committed >= 0 ? part->committed : part->low_watermark;

	return end > from ? end - from : 0;
}

void lag_of(const struct part *part, struct lag *lag)
{
	int64_t open_ms = lag_earlier(ledger_oldest_ms(&part->ledger), part->unread_ms);

	*lag = (struct lag){
	    .records = part_records(part),
	    .oldest_ms = lag_earlier(open_ms, part->fold_ms),
	    .late_ms = lag_earlier(open_ms, part->fold_late_ms),
	};
}
