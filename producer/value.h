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

#define VALUE_UNAVAILABLE      "__debezium_unavailable_value"
#define VALUE_UNAVAILABLE_UUID "b68a35a7-17ad-35b3-af2a-ae46edb4545a" /* its name-based UUID */

/* False, with nothing written, where the text is not what the type promises; never true for text.
 */
bool value_write_exactly(struct buf *out, const struct pgtype *type, const char *text,
			 size_t length);
/* What stands for a value that the log left out, in the type's form as Debezium has it.  Some forms
 * have no room for it (a boolean): there it is a string all the same, or null where it must_fit. */
void value_write_unavailable(struct buf *out, const struct pgtype *type, bool must_fit);
void value_write(struct buf *out, const struct pgtype *type, const char *text, size_t length);

#endif
