/* ledger.c - which offset of one partition may be committed: a ring of what is not yet behind it.
 */
#include "worker/ledger.h"

#include <stdlib.h>

static struct ledger_entry *entry_at(const struct ledger *ledger, size_t index)
{
	return &ledger->entries[(ledger->first + index) % LEDGER_WINDOW];
}

bool ledger_init(struct ledger *ledger, int64_t start)
{
	*ledger = (struct ledger){.next = start};
	ledger->entries = calloc(LEDGER_WINDOW, sizeof *ledger->entries);
	return ledger->entries != NULL;
}

void ledger_close(struct ledger *ledger)
{
	free(ledger->entries);
	*ledger = (struct ledger){0};
}

bool ledger_is_full(const struct ledger *ledger)
{
	return ledger->count == LEDGER_WINDOW;
}

bool ledger_deliver(struct ledger *ledger, int64_t offset, int64_t since_ms)
{
	if (ledger_is_full(ledger) || offset < ledger->next) {
		return false;
	}
	if (ledger->count > 0 && offset <= entry_at(ledger, ledger->count - 1)->offset) {
		return false;
	}
	*entry_at(ledger, ledger->count) =
	    (struct ledger_entry){.offset = offset, .since_ms = since_ms};
	ledger->count++;
	ledger->open++;
	return true;
}

/* Entries ascend, so halving finds one; NULL where it is not in the window. */
static struct ledger_entry *ledger_find(const struct ledger *ledger, int64_t offset)
{
	size_t low = 0;
	size_t high = ledger->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (entry_at(ledger, middle)->offset < offset) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	if (low == ledger->count || entry_at(ledger, low)->offset != offset) {
		return NULL;
	}
	return entry_at(ledger, low);
}

/* Lets go of the done ones at the window's start: they are behind the committable offset now. */
static void ledger_advance(struct ledger *ledger)
{
	while (ledger->count > 0 && entry_at(ledger, 0)->is_done) {
		ledger->next = entry_at(ledger, 0)->offset + 1;
		ledger->first = (ledger->first + 1) % LEDGER_WINDOW;
		ledger->count--;
	}
}

bool ledger_mark_done(struct ledger *ledger, int64_t offset)
{
	struct ledger_entry *entry = ledger_find(ledger, offset);

	if (entry == NULL) {
		return false;
	}
	if (!entry->is_done) {
		entry->is_done = true;
		ledger->open--;
		ledger_advance(ledger);
	}
	return true;
}

int64_t ledger_committable(const struct ledger *ledger)
{
	return ledger->next;
}

int64_t ledger_oldest_ms(const struct ledger *ledger)
{
	return ledger->count > 0 ? entry_at(ledger, 0)->since_ms : 0;
}

int64_t ledger_since_ms(const struct ledger *ledger, int64_t offset)
{
	const struct ledger_entry *entry = ledger_find(ledger, offset);

	return entry != NULL ? entry->since_ms : 0;
}

size_t ledger_open_count(const struct ledger *ledger)
{
	return ledger->open;
}
