/* journal.c - what was asked and answered. */
#include "tests/fake/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/jsonw.h"
#include "common/text.h"
#include "tests/fake/memory.h"

static void record_close(struct journal_record *record)
{
	free(record->path);
	free(record->event_id);
	free(record->assignment);
	*record = (struct journal_record){0};
}

void journal_add(struct journal *journal, const struct journal_record *record)
{
	struct journal_record *slot;
	char path[JOURNAL_PATH_SIZE];

	if (journal->ring == NULL) {
		journal->ring = memory_zeroed(JOURNAL_MAX, sizeof *journal->ring);
	}
	slot = &journal->ring[journal->last_seq++ % JOURNAL_MAX];
	record_close(slot);
	text_copy(path, sizeof path, record->path);
	*slot = *record;
	slot->seq = journal->last_seq;
	slot->path = memory_text(path);
	slot->event_id = memory_text(record->event_id);
	slot->assignment = memory_text(record->assignment);
	if (record->status >= 0 && record->status < 600) {
		journal->counts[record->kind][record->status]++;
	}
	if (record->in_flight > journal->max_in_flight) {
		journal->max_in_flight = record->in_flight;
	}
}

void journal_mark_lost(struct journal *journal, uint64_t seq)
{
	struct journal_record *record;

	if (journal->ring == NULL || seq == 0) {
		return;
	}
	record = &journal->ring[(seq - 1) % JOURNAL_MAX];
	record->lost = record->lost || record->seq == seq;
}

static void record_write(const struct journal_record *record, struct buf *out)
{
	jsonw_comma(out);
	buf_char(out, '{');
	jsonw_member_number(out, "seq", (int64_t)record->seq);
	jsonw_member_number(out, "at_ms", record->at_ms);
	jsonw_member_text(out, "account", record->account);
	jsonw_member_text(out, "kind", kind_name(record->kind));
	jsonw_member_text(out, "method", record->method);
	jsonw_member_text(out, "path", record->path);
	jsonw_member_number(out, "status", record->status);
	jsonw_member_text(out, "event_id", record->event_id);
	jsonw_member_text(out, "assignment", record->assignment);
	jsonw_member_number(out, "in_flight", record->in_flight);
	jsonw_key(out, "lost");
	buf_text(out, record->lost ? "true}" : "false}");
}

/* The first sequence number not below since that is still remembered, or the next one to come. */
static uint64_t journal_first(const struct journal *journal, uint64_t since)
{
	uint64_t first = journal->cleared_seq + 1;

	if (journal->last_seq > JOURNAL_MAX && journal->last_seq - JOURNAL_MAX + 1 > first) {
		first = journal->last_seq - JOURNAL_MAX + 1;
	}
	first = since > first ? since : first;
	return first < journal->last_seq + 1 ? first : journal->last_seq + 1;
}

void journal_write(const struct journal *journal, uint64_t since, const char *account,
		   struct buf *out)
{
	uint64_t seq = journal_first(journal, since);
	struct buf records;
	int written = 0;

	buf_init(&records, out->ceiling);
	buf_char(&records, '[');
	for (; seq <= journal->last_seq && written < JOURNAL_PAGE_MAX; seq++) {
		const struct journal_record *record = &journal->ring[(seq - 1) % JOURNAL_MAX];

		if (account == NULL ||
		    (record->account != NULL && strcasecmp(record->account, account) == 0)) {
			record_write(record, &records);
			written++;
		}
	}
	buf_char(out, '{');
	jsonw_member_number(out, "next", (int64_t)seq);
	jsonw_key(out, "requests");
	buf_add(out, buf_string(&records), records.length);
	buf_text(out, "]}");
	out->failed = out->failed || records.failed;
	buf_close(&records);
}

static bool journal_has(const struct journal *journal, int kind)
{
	for (int status = 0; status < 600; status++) {
		if (journal->counts[kind][status] > 0) {
			return true;
		}
	}
	return false;
}

void journal_write_counts(const struct journal *journal, struct buf *out)
{
	buf_char(out, '{');
	for (int kind = 0; kind < KIND_COUNT; kind++) {
		if (!journal_has(journal, kind)) {
			continue;
		}
		jsonw_key(out, kind_name((enum kind)kind));
		buf_char(out, '{');
		for (int status = 0; status < 600; status++) {
			char name[16];

			if (journal->counts[kind][status] > 0) {
				snprintf(name, sizeof name, "%d", status);
				jsonw_member_number(out, name,
						    (int64_t)journal->counts[kind][status]);
			}
		}
		buf_char(out, '}');
	}
	buf_char(out, '}');
}

void journal_clear(struct journal *journal)
{
	for (size_t i = 0; journal->ring != NULL && i < JOURNAL_MAX; i++) {
		record_close(&journal->ring[i]);
	}
	free(journal->ring);
	*journal =
	    (struct journal){.last_seq = journal->last_seq, .cleared_seq = journal->last_seq};
}
