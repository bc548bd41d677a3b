/* keyset.c - where a walk through a table in id order goes on. */
#include "producer/keyset.h"

#include <string.h>

void keyset_start(struct keyset *keyset, const char *from)
{
	struct uuid first = {{0}};

	keyset->ended = false;
	if (!uuid_parse(from, &first)) {
		first = (struct uuid){{0}};
	}
	uuid_format(&first, keyset->from);
}

/* PostgreSQL orders UUIDs as 128-bit numbers: the next one is this plus one. */
void keyset_pass(struct keyset *keyset, const struct uuid *last)
{
	struct uuid next = *last;
	int i = 15;

	while (i >= 0 && ++next.bytes[i] == 0) {
		i--;
	}
	keyset->ended = i < 0;
	uuid_format(&next, keyset->from);
}

bool keyset_read_id(const struct pgoutput_value *value, struct uuid *id)
{
	char text[UUID_TEXT_SIZE];

	if (value->kind != 't' || value->length != sizeof text - 1) {
		return false;
	}
	memcpy(text, value->text, value->length);
	text[value->length] = '\0';
	return uuid_parse(text, id);
}
