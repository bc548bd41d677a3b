/* memory.h - allocation that never fails: a test server without memory ends at once and says so. */
#ifndef CALRELAY_FAKE_MEMORY_H
#define CALRELAY_FAKE_MEMORY_H

#include <stddef.h>

/* Named end of all three: free. */
void *memory_zeroed(size_t count, size_t size);
void *memory_resized(void *memory, size_t count, size_t size);
char *memory_text(const char *text); /* NULL stays NULL */

#endif
