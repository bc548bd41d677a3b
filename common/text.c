/* text.c - texts in places of a fixed size. */
#include "common/text.h"

#include <stdio.h>

void text_copy(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text != NULL ? text : "");
}

const char *text_or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}
