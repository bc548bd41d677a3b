/* zone.c - judges names of time zones. */
#include "connect/zone.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

bool zone_copy(char out[ZONE_SIZE], const char *name)
{
	static const char PLAIN[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789 .+-_/()";
	size_t length = name != NULL ? strlen(name) : 0;

	out[0] = '\0';
	if (length == 0 || length >= ZONE_SIZE || strspn(name, PLAIN) != length ||
	    strcasecmp(name, "Customized Time Zone") == 0) {
		return false;
	}
	memcpy(out, name, length + 1);
	return true;
}
