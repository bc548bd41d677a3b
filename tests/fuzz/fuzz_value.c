/* fuzz_value.c - any text as a value of any type: one JSON value.
 *
 * Input: which type, its flags (1: an array, 2: a float4), its modifier (4 bytes), then the text.
 */
#include <stdlib.h>

#include "check.h"
#include "producer/bytes.h"
#include "producer/value.h"

#define OUT_MAX_BYTES (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	enum pgtype_kind kind = bytes_u8(&in) % (PGTYPE_BIT + 1);
	uint8_t flags = bytes_u8(&in);
	struct pgtype type = {.kind = kind,
			      .is_array = (flags & 1) != 0,
			      .oid = (flags & 2) != 0 ? PGTYPE_FLOAT4_OID : 0,
			      .modifier = (int32_t)bytes_u32(&in)};
	size_t length = bytes_left(&in);
	char *text = check_copy(bytes_take(&in, length), length);
	struct buf out;

	buf_init(&out, OUT_MAX_BYTES);
	value_write(&out, &type, text, length);
	check_json(&out);
	buf_close(&out);
	free(text);
	return 0;
}
