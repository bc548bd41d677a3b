/* journal.h - what was asked and answered: a ring of records, and counters. */
#ifndef CALRELAY_FAKE_JOURNAL_H
#define CALRELAY_FAKE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "tests/fake/kind.h"

#define JOURNAL_MAX	  200000
#define JOURNAL_PAGE_MAX  100000
#define JOURNAL_PATH_SIZE 256

struct journal_record {
	uint64_t seq;
	int64_t at_ms;
	const char *account; /* lives as long as the account; NULL where not known */
	enum kind kind;
	const char *method; /* constant */
	char *path;	    /* these three are the journal's own */
	char *event_id;	    /* or NULL */
	char *assignment;   /* or NULL */
	int status;
	int in_flight;
	bool lost; /* executed, but the client did not get the answer */
};

struct journal {
	struct journal_record *ring; /* JOURNAL_MAX, allocated with the first record */
	uint64_t last_seq;    /* goes on over a reset, so that an old `since` misses nothing */
	uint64_t cleared_seq; /* up to here everything is forgotten */
	uint64_t counts[KIND_COUNT][600];
	int max_in_flight;
	int max_calls;
	uint64_t batches;
	uint64_t batch_items;
	uint64_t tokens_issued;
	uint64_t tokens_refreshed;
};

/* Copies the three texts; gives the record its seq. */
void journal_add(struct journal *journal, const struct journal_record *record);

/* The answer to that record did not reach the client; nothing where it is forgotten. */
void journal_mark_lost(struct journal *journal, uint64_t seq);

/* {"next":SEQ,"requests":[...]}, of one account where account is not NULL. */
void journal_write(const struct journal *journal, uint64_t since, const char *account,
		   struct buf *out);

void journal_write_counts(const struct journal *journal,
			  struct buf *out); /* {"create":{"201":1}} */
void journal_clear(struct journal *journal);

#endif
