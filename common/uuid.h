/* uuid.h - UUIDs as 16 bytes and as 36 characters (RFC 9562). */
#ifndef CALRELAY_COMMON_UUID_H
#define CALRELAY_COMMON_UUID_H

#include <stdbool.h>
#include <stdint.h>

#define UUID_TEXT_SIZE 37 /* with the terminating NUL */

struct uuid {
	uint8_t bytes[16];
};

/* Exactly 8-4-4-4-12 hex digits, any case; false otherwise. */
bool uuid_parse(const char *text, struct uuid *uuid);
void uuid_format(const struct uuid *uuid, char text[UUID_TEXT_SIZE]); /* lower case */
int uuid_compare(const struct uuid *a, const struct uuid *b);	      /* PostgreSQL's order */

struct uuid uuid_random(void);					    /* version 4 */
struct uuid uuid_named(const struct uuid *space, const char *name); /* version 5 */

#endif
