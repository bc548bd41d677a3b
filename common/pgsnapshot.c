/* pgsnapshot.c - pg_snapshot as a value.
 *
 * Its text and meaning: PostgreSQL documentation, 9.26.7; a transaction is visible if it is below
 * xmin, or below xmax and not in the list of those then in progress. */
#include "common/pgsnapshot.h"

#include <stdlib.h>

struct xid_reader {
	const char *at;
	bool failed; /* later reads yield 0 */
};

/* A decimal number of at least one digit. */
static uint64_t reader_number(struct xid_reader *reader)
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

static void reader_colon(struct xid_reader *reader)
{
	if (reader->failed || *reader->at != ':') {
		reader->failed = true;
		return;
	}
	reader->at++;
}

/* To the end of the text; running has room for one more than there are commas. */
static void reader_running(struct xid_reader *reader, struct pgsnapshot *snapshot)
{
	if (reader->failed || *reader->at == '\0') {
		return;
	}
	snapshot->running[snapshot->count++] = reader_number(reader);
	while (!reader->failed && *reader->at == ',') {
		reader->at++;
		snapshot->running[snapshot->count++] = reader_number(reader);
	}
	reader->failed = reader->failed || *reader->at != '\0';
}

static size_t count_commas(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++) {
		count += *text == ',';
	}
	return count;
}

struct pgsnapshot *pgsnapshot_read(const char *text, struct fault *fault)
{
	struct xid_reader reader = {.at = text != NULL ? text : ""};
	struct pgsnapshot *snapshot;

	snapshot =
	    calloc(1, sizeof *snapshot + (count_commas(reader.at) + 1) * sizeof *snapshot->running);
	if (snapshot == NULL) {
		fault_fatal(fault, "out of memory");
		return NULL;
	}
	snapshot->xmin = reader_number(&reader);
	reader_colon(&reader);
	snapshot->xmax = reader_number(&reader);
	reader_colon(&reader);
	reader_running(&reader, snapshot);
	if (reader.failed || snapshot->xmin == 0 || snapshot->xmin > snapshot->xmax) {
		free(snapshot);
		fault_fatal(fault, "PostgreSQL's snapshot '%.60s' can't be read",
			    text != NULL ? text : "");
		return NULL;
	}
	return snapshot;
}

/* The 64-bit id nearest to xmax that ends in these 32 bits; false where there is none. */
static bool widen(uint64_t xmax, uint32_t xid, uint64_t *wide)
{
	uint32_t ahead = xid - (uint32_t)xmax;
	uint32_t behind = (uint32_t)xmax - xid;

	if (ahead < behind) {
		*wide = xmax + ahead;
		return xmax <= UINT64_MAX - ahead;
	}
	*wide = xmax - behind;
	return xmax >= behind;
}

bool pgsnapshot_has_finished(const struct pgsnapshot *snapshot, uint32_t xid)
{
	uint64_t wide;

	if (!widen(snapshot->xmax, xid, &wide) || wide >= snapshot->xmax) {
		return false;
	}
	for (size_t i = 0; wide >= snapshot->xmin && i < snapshot->count; i++) {
		if (snapshot->running[i] == wide) {
			return false;
		}
	}
	return true;
}
