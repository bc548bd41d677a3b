/* ascii.c - characters of ASCII, whatever the locale. */
#include "tests/fake/ascii.h"

#include <stddef.h>
#include <string.h>

#define CASE 0x20 /* the bit by which a and A differ */

char ascii_lower(char c)
{
	if (c >= 'A' && c <= 'Z') {
		c = (char)(c | CASE);
	}
	return c;
}

char ascii_upper(char c)
{
	if (c >= 'a' && c <= 'z') {
		c = (char)(c & ~CASE);
	}
	return c;
}

static unsigned hex_value(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : ascii_lower(c) - 'a' + 10);
}

char ascii_hex(char high, char low)
{
	return (char)(unsigned char)(hex_value(high) << 4 | hex_value(low));
}

bool ascii_list_has(const char *list, const char *item)
{
	while (item != NULL && *list != '\0') {
		size_t length = strcspn(list, ",");

		if (length > 0 && strlen(item) == length && strncmp(item, list, length) == 0) {
			return true;
		}
		list += length + (list[length] == ',');
	}
	return false;
}
