/* digits.h - numbers as text, for what every record holds: several times as fast as printf.
 *
 * Pure.  Nothing is terminated by a NUL. */
#ifndef CALRELAY_COMMON_DIGITS_H
#define CALRELAY_COMMON_DIGITS_H

#include <stddef.h>
#include <stdint.h>

#define DIGITS_MAX 20 /* characters of the longest 64-bit number, with its sign */

/* Writes at most DIGITS_MAX characters; how many. */
size_t digits_write(char *text, int64_t number);
size_t digits_write_unsigned(char *text, uint64_t number);

/* Exactly width characters, with leading zeros; higher digits are left out. */
void digits_write_padded(char *text, int width, uint64_t number);
void digits_write_hex(char *text, int width, uint64_t number);

#endif
