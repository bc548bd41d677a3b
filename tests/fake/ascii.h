/* ascii.h - characters of ASCII, whatever the locale. */
#ifndef CALRELAY_FAKE_ASCII_H
#define CALRELAY_FAKE_ASCII_H

char ascii_lower(char c);
char ascii_upper(char c);

/* The byte that two hex digits stand for. */
char ascii_hex(char high, char low);

#endif
