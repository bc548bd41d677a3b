/* ascii.h - characters of ASCII, whatever the locale. */
#ifndef CALRELAY_FAKE_ASCII_H
#define CALRELAY_FAKE_ASCII_H

#include <stdbool.h>

char ascii_lower(char c);
char ascii_upper(char c);

/* The byte that two hex digits stand for. */
char ascii_hex(char high, char low);

/* Whether item, which may be NULL, is one of a list joined by commas, character for character. */
bool ascii_list_has(const char *list, const char *item);

#endif
