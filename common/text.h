/* text.h - texts in places of a fixed size, where the empty one stands for none.
 *
 * Pure. */
#ifndef CALRELAY_COMMON_TEXT_H
#define CALRELAY_COMMON_TEXT_H

#include <stddef.h>

/* Copies text (NULL: the empty one) into out, cut to size - 1 bytes where it is longer; for what
 * people wrote, utf8_copy cuts between characters. */
void text_copy(char *out, size_t size, const char *text);

const char *text_or_null(const char *text); /* NULL for the empty one */

#endif
