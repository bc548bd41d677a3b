/* jsonw.h - writes JSON into a buf, character for character as Jackson (so Debezium) writes it.
 *
 * Characters outside the BMP become escaped surrogate pairs with capital hex, other non-ASCII stays
 * raw, control characters are \b \t \n \f \r or \u00XX.  Invalid UTF-8 becomes U+FFFD.
 * Source of the escaping rule: fasterxml jackson-core UTF8JsonGenerator, seen in golden files. */
#ifndef CALRELAY_COMMON_JSONW_H
#define CALRELAY_COMMON_JSONW_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

void jsonw_string(struct buf *out, const char *text, size_t length); /* with the quotes */
void jsonw_text(struct buf *out, const char *text);		     /* NULL writes null */
void jsonw_number(struct buf *out, int64_t number);

/* `,"key":` before a member; no comma directly behind an opening { or [. */
void jsonw_key(struct buf *out, const char *key);
void jsonw_member_text(struct buf *out, const char *key, const char *text);
void jsonw_member_number(struct buf *out, const char *key, int64_t number);
void jsonw_comma(struct buf *out); /* between array items: nothing directly behind { or [ */

#endif
