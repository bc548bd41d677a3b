/* bytes.h - a bounds-checked reader of big-endian wire formats; it remembers failure.
 *
 * Read all fields, then ask bytes_ok once.  After a failure every read yields zero or "". */
#ifndef CALRELAY_PRODUCER_BYTES_H
#define CALRELAY_PRODUCER_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	const uint8_t *at;
	const uint8_t *end;
	bool failed; /* something was missing: later reads yield nothing */
};

struct bytes bytes_of(const void *data, size_t length);
bool bytes_ok(const struct bytes *bytes);
size_t bytes_left(const struct bytes *bytes);

uint8_t bytes_u8(struct bytes *bytes);
uint16_t bytes_u16(struct bytes *bytes);
uint32_t bytes_u32(struct bytes *bytes);
uint64_t bytes_u64(struct bytes *bytes);
const char *bytes_cstr(struct bytes *bytes); /* NUL-terminated, inside the data; never NULL */
const char *bytes_take(struct bytes *bytes, size_t length); /* never NULL */

#endif
