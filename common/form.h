/* form.h - reads application/x-www-form-urlencoded bodies (WHATWG URL, section 5.1). */
#ifndef CALRELAY_COMMON_FORM_H
#define CALRELAY_COMMON_FORM_H

#include <stdbool.h>
#include <stddef.h>

struct form {
	char *pairs; /* name\0value\0 ... */
	size_t length;
};

/* False where there is no memory.  Named end: form_close.  A NUL, plain or as %00, is left out,
 * because a text can't hold it. */
bool form_parse(struct form *form, const char *bytes, size_t length);
void form_close(struct form *form);

/* The first value of that name, decoded; "" for a name without one, NULL where there is none. */
const char *form_field(const struct form *form, const char *name);

#endif
