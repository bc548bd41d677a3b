/* memory.c - allocation that never fails. */
#include "tests/fake/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *memory_must(void *memory)
{
	if (memory == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return memory;
}

void *memory_zeroed(size_t count, size_t size)
{
	return memory_must(calloc(count, size));
}

void *memory_resized(void *memory, size_t count, size_t size)
{
	return memory_must(reallocarray(memory, count, size));
}

char *memory_text(const char *text)
{
	return text != NULL ? memory_must(strdup(text)) : NULL;
}
