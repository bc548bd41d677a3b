/* ack.c - up to which LSN everything is safely in Kafka. */
#include "producer/ack.h"

static struct ack_transaction *ack_at(struct ack *ack, uint64_t number)
{
	return &ack->ring[number & (ACK_TRANSACTIONS_MAX - 1)];
}

void ack_init(struct ack *ack)
{
	*ack = (struct ack){.first = 1, .next = 1};
}

size_t ack_count(const struct ack *ack)
{
	return (size_t)(ack->next - ack->first);
}

bool ack_is_full(const struct ack *ack)
{
	return ack_count(ack) == ACK_TRANSACTIONS_MAX;
}

uint64_t ack_begin(struct ack *ack, uint32_t xid, int64_t commit_time_us)
{
	*ack_at(ack, ack->next) =
	    (struct ack_transaction){.xid = xid, .commit_time_us = commit_time_us};
	return ack->next++;
}

void ack_sent(struct ack *ack, uint64_t number)
{
	ack_at(ack, number)->unacknowledged++;
}

bool ack_delivered(struct ack *ack, uint64_t number)
{
	struct ack_transaction *transaction = ack_at(ack, number);

	transaction->unacknowledged--;
	return transaction->unacknowledged == 0 && transaction->committed;
}

void ack_commit(struct ack *ack, uint64_t number, uint64_t end_lsn)
{
	struct ack_transaction *transaction = ack_at(ack, number);

	transaction->committed = true;
	transaction->end_lsn = end_lsn;
}

bool ack_see(struct ack *ack, const struct visible *visible, uint64_t before)
{
	bool all = true;

	for (uint64_t number = ack->first; number < ack->next; number++) {
		struct ack_transaction *transaction = ack_at(ack, number);

		transaction->finished =
		    transaction->finished || visible_has_finished(visible, transaction->xid);
		all = all && (transaction->finished || number >= before);
	}
	return all;
}

bool ack_wants_snapshot(const struct ack *ack)
{
	const struct ack_transaction *oldest = ack_oldest(ack);

	return oldest != NULL && oldest->committed && oldest->unacknowledged == 0 &&
	       !oldest->finished;
}

void ack_keepalive(struct ack *ack, uint64_t server_lsn)
{
	if (server_lsn > ack->server_lsn) {
		ack->server_lsn = server_lsn;
	}
}

/* The server sends in order, so every commit below a position it told was decoded before: with
 * nothing on its way, all of them are done. */
bool ack_advance(struct ack *ack)
{
	uint64_t before = ack->flushed_lsn;

	while (ack->first < ack->next) {
		const struct ack_transaction *oldest = ack_at(ack, ack->first);

		if (!oldest->committed || oldest->unacknowledged > 0 || !oldest->finished) {
			break;
		}
		ack->flushed_lsn = oldest->end_lsn;
		ack->done_lsn = oldest->end_lsn;
		ack->first++;
	}
	if (ack->first == ack->next && ack->server_lsn > ack->flushed_lsn) {
		ack->flushed_lsn = ack->server_lsn;
	}
	return ack->flushed_lsn != before;
}

const struct ack_transaction *ack_oldest(const struct ack *ack)
{
	return ack->first < ack->next ? ack_find(ack, ack->first) : NULL;
}

const struct ack_transaction *ack_find(const struct ack *ack, uint64_t number)
{
	return &ack->ring[number & (ACK_TRANSACTIONS_MAX - 1)];
}
