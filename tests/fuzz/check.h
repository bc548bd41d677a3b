/* check.h - what every fuzz target holds the producer's text to. */
#ifndef CALRELAY_TESTS_FUZZ_CHECK_H
#define CALRELAY_TESTS_FUZZ_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

/* What libFuzzer calls, and replay.c for each file of the corpus. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts with the words where it is not true. */
void check_that(bool is_true, const char *words);

/* A copy in a block of just its length, so that the sanitizer sees every step beyond it.  Named
 * end: free. */
char *check_copy(const void *bytes, size_t length) __attribute__((returns_nonnull));

/* Aborts unless out is one JSON value, to the letter of RFC 8259 and to cJSON, in valid UTF-8. */
void check_json(const struct buf *out);

#endif
