/* value.h - one column's text, as the JSON that Debezium makes of it (adaptive mode, schemaless).
 *
 * Pure.  A text that is not what its type promises is written as a string: visible, never lost.
 * Without memory, out fails. */
#ifndef CALRELAY_PRODUCER_VALUE_H
#define CALRELAY_PRODUCER_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "producer/pgtype.h"

#define VALUE_UNAVAILABLE "__debezium_unavailable_value"

/* False, with nothing written, where the text is not what the type promises; never true for text.
 */
bool value_write_exactly(struct buf *out, const struct pgtype *type, const char *text,
			 size_t length);
void value_write(struct buf *out, const struct pgtype *type, const char *text, size_t length);

#endif
