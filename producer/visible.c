/* visible.c - pg_current_snapshot() as a value. */
#include "producer/visible.h"

#include <stdlib.h>
#include <string.h>

static size_t count_commas(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++) {
		count += *text == ',';
	}
	return count;
}

/* Decimal digits up to a stop character or the end. */
static bool read_xid(const char **at, char stop, uint64_t *xid)
{
	char *end;

	if (**at < '0' || **at > '9') {
		return false;
	}
	*xid = strtoull(*at, &end, 10);
	if (*end != stop && *end != '\0') {
		return false;
	}
	*at = *end == stop && stop != '\0' ? end + 1 : end;
	return true;
}

struct visible *visible_read(const char *text, struct fault *fault)
{
	struct visible *visible;
	const char *at = text != NULL ? text : "";

	visible = calloc(1, sizeof *visible + (count_commas(at) + 1) * sizeof *visible->running);
	if (visible == NULL) {
		fault_fatal(fault, "out of memory");
		return NULL;
	}
	visible->references = 1;
	if (!read_xid(&at, ':', &visible->xmin) || !read_xid(&at, ':', &visible->xmax)) {
		goto refuse;
	}
	while (*at != '\0') {
		if (!read_xid(&at, ',', &visible->running[visible->count++])) {
			goto refuse;
		}
	}
	return visible;
refuse:
	free(visible);
	fault_fatal(fault, "PostgreSQL's snapshot '%.60s' can't be read", text != NULL ? text : "");
	return NULL;
}

struct visible *visible_hold(struct visible *visible)
{
	visible->references++;
	return visible;
}

void visible_let_go(struct visible *visible)
{
	if (visible != NULL && --visible->references == 0) {
		free(visible);
	}
}

/* The 64-bit transaction id within 2^31 of near that ends in xid. */
static uint64_t widen(uint32_t xid, uint64_t near)
{
	uint64_t wide = (near & ~UINT64_C(0xffffffff)) | xid;

	if (wide > near && wide - near > UINT64_C(0x80000000)) {
		return wide - UINT64_C(0x100000000);
	}
	if (wide < near && near - wide > UINT64_C(0x80000000)) {
		return wide + UINT64_C(0x100000000);
	}
	return wide;
}

bool visible_has_finished(const struct visible *visible, uint32_t xid)
{
	uint64_t wide;

	if (visible == NULL) {
		return false;
	}
	wide = widen(xid, visible->xmax);
	if (wide >= visible->xmax) {
		return false;
	}
	for (size_t i = 0; wide >= visible->xmin && i < visible->count; i++) {
		if (visible->running[i] == wide) {
			return false;
		}
	}
	return true;
}
