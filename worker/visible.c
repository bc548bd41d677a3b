/* visible.c - whether a transaction was visible in a snapshot.
 *
 * pg_snapshot's text and meaning: PostgreSQL documentation, 9.26.7; a transaction is visible if it
 * is below xmin, or below xmax and not in the list of those then in progress. */
#include "worker/visible.h"

#include <stddef.h>

struct snapshot_reader {
	const char *at;
	bool failed; /* later reads yield 0 */
};

/* A decimal number of at least one digit. */
static uint64_t reader_number(struct snapshot_reader *reader)
{
	uint64_t number = 0;

	if (reader->failed || *reader->at < '0' || *reader->at > '9') {
		reader->failed = true;
		return 0;
	}
	for (; *reader->at >= '0' && *reader->at <= '9'; reader->at++) {
		unsigned digit = (unsigned)(*reader->at - '0');

		if (number > (UINT64_MAX - digit) / 10) {
			reader->failed = true;
			return 0;
		}
		number = number * 10 + digit;
	}
	return number;
}

static void reader_colon(struct snapshot_reader *reader)
{
	if (reader->failed || *reader->at != ':') {
		reader->failed = true;
		return;
	}
	reader->at++;
}

/* Whether xid is among the ids in progress; reads the list to its end. */
static bool reader_lists(struct snapshot_reader *reader, uint64_t xid)
{
	bool is_listed = false;

	if (reader->failed || *reader->at == '\0') {
		return false;
	}
	is_listed = reader_number(reader) == xid;
	while (!reader->failed && *reader->at == ',') {
		reader->at++;
		is_listed = reader_number(reader) == xid || is_listed;
	}
	reader->failed = reader->failed || *reader->at != '\0';
	return is_listed;
}

/* The 64-bit id nearest to xmax that ends in these 32 bits; 0 where there is none. */
static uint64_t full_xid(uint64_t xmax, uint32_t xid)
{
	uint32_t ahead = xid - (uint32_t)xmax;
	uint32_t behind = (uint32_t)xmax - xid;

	if (ahead < behind) {
		return xmax <= UINT64_MAX - ahead ? xmax + ahead : 0;
	}
	return xmax >= behind ? xmax - behind : 0;
}

bool visible_in_snapshot(const char *snapshot, uint32_t xid)
{
	struct snapshot_reader reader = {.at = snapshot};
	uint64_t xmin;
	uint64_t xmax;
	uint64_t full;
	bool in_progress;

	if (snapshot == NULL || xid == 0) {
		return false;
	}
	xmin = reader_number(&reader);
	reader_colon(&reader);
	xmax = reader_number(&reader);
	reader_colon(&reader);
	full = full_xid(xmax, xid);
	in_progress = reader_lists(&reader, full);
	if (reader.failed || xmin == 0 || xmin > xmax || full == 0) {
		return false;
	}
	return full < xmin || (full < xmax && !in_progress);
}
