/* decimal.h - decimal numbers as Kafka Connect and Java write them.
 *
 * Pure.  Each returns false, with nothing written, where the text is no such number; without
 * memory, out fails. */
#ifndef CALRELAY_PRODUCER_DECIMAL_H
#define CALRELAY_PRODUCER_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

/* Connect's Decimal: base64 of the unscaled number, big-endian two's complement, in quotes. */
bool decimal_write_scaled(struct buf *out, const char *text, size_t length, int scale);

/* Debezium's VariableScaleDecimal: {"scale":2,"value":"ATo="}, trailing zeros stripped. */
bool decimal_write_variable(struct buf *out, const char *text, size_t length);

/* A float as Java's Double.toString (of a single: Float.toString): 0.5, 1.0E20, "NaN". */
bool decimal_write_float(struct buf *out, const char *text, size_t length, bool is_single);

#endif
