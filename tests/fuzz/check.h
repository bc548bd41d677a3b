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

/* Aborts unless out is one JSON value, to the letter of RFC 8259 and to cJSON, in valid UTF-8. */
void check_json(const struct buf *out);

#endif
