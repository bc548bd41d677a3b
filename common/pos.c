/* pos.c - reads, writes and compares calrelay.pos. */
#include "common/pos.h"

#include <string.h>

#include "common/digits.h"

#define POS_SHORT 34 /* without an assignment id */

void pos_format(const struct pos *pos, char text[POS_TEXT_SIZE])
{
	char *end = text + POS_SHORT;

	digits_write_hex(text, 8, pos->epoch);
	text[8] = ':';
	digits_write_hex(text + 9, 16, pos->commit_lsn);
	text[25] = ':';
	digits_write_hex(text + 26, 8, pos->ordinal);
	if (pos->has_id) {
		*end++ = ':';
		for (size_t i = 0; i < sizeof pos->id.bytes; i++, end += 2) {
			digits_write_hex(end, 2, pos->id.bytes[i]);
		}
	}
	*end = '\0';
}

/* Exactly digits lower-case hex digits. */
static bool pos_hex(const char *text, int digits, uint64_t *value)
{
	*value = 0;
	for (int i = 0; i < digits; i++) {
		const char *hex = "0123456789abcdef";
		const char *digit = text[i] != '\0' ? strchr(hex, text[i]) : NULL;

		if (digit == NULL) {
			return false;
		}
		*value = *value << 4 | (uint64_t)(digit - hex);
	}
	return true;
}

static bool pos_parse_id(const char *text, struct uuid *id)
{
	for (size_t i = 0; i < 16; i++) {
		uint64_t byte;

		if (!pos_hex(text + 2 * i, 2, &byte)) {
			return false;
		}
		id->bytes[i] = (uint8_t)byte;
	}
	return true;
}

bool pos_parse(const char *text, size_t length, struct pos *pos)
{
	uint64_t epoch;
	uint64_t ordinal;

	*pos = (struct pos){0};
	if (length != POS_SHORT && length != POS_TEXT_SIZE - 1) {
		return false;
	}
	if (!pos_hex(text, 8, &epoch) || text[8] != ':' ||
	    !pos_hex(text + 9, 16, &pos->commit_lsn) || text[25] != ':' ||
	    !pos_hex(text + 26, 8, &ordinal)) {
		return false;
	}
	pos->epoch = (uint32_t)epoch;
	pos->ordinal = (uint32_t)ordinal;
	pos->has_id = length > POS_SHORT;
	return !pos->has_id ||
	       (text[POS_SHORT] == ':' && pos_parse_id(text + POS_SHORT + 1, &pos->id));
}

#define ORDER(a, b)                                                                                \
	if ((a) != (b)) {                                                                          \
		return (a) < (b) ? -1 : 1;                                                         \
	}

int pos_compare(const struct pos *a, const struct pos *b)
{
	ORDER(a->epoch, b->epoch)
	ORDER(a->commit_lsn, b->commit_lsn)
	ORDER(a->ordinal, b->ordinal)
	ORDER(a->has_id, b->has_id)
	return a->has_id ? uuid_compare(&a->id, &b->id) : 0;
}
