/* utf8.h - reads UTF-8 one character at a time (RFC 3629). */
#ifndef CALRELAY_COMMON_UTF8_H
#define CALRELAY_COMMON_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at text, its code point in *code; 0 where it is not valid UTF-8: a stray
 * or missing byte, an overlong form, a surrogate, beyond U+10FFFF.  length must be at least 1. */
size_t utf8_character(const char *text, size_t length, uint32_t *code);

/* The longest prefix of at most length bytes that ends between two characters. */
size_t utf8_prefix(const char *text, size_t length);

/* Copies text into out, cut between two characters (or before invalid bytes) where it is too long.
 */
void utf8_copy(char *out, size_t size, const char *text);

#endif
