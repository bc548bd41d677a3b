/* code.c - authorization codes that wait to be redeemed. */
#include "tests/fake/code.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base64.h"
#include "tests/fake/memory.h"

/* What uthash's macros expand to is nobody's function to measure. */
/* NOLINTBEGIN(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */
struct code *code_find(struct code *codes, const char *text)
{
	struct code *code = NULL;

	HASH_FIND_STR(codes, text, code);
	return code;
}

static void code_forget(struct code **codes, struct code *code)
{
	HASH_DEL(*codes, code);
	free(code);
}

static void code_add(struct code **codes, struct code *code)
{
	while (HASH_COUNT(*codes) >= CODE_MAX) {
		code_forget(codes, *codes);
	}
	HASH_ADD_STR(*codes, text, code);
}

void code_forget_all(struct code **codes)
{
	while (*codes != NULL) {
		code_forget(codes, *codes);
	}
}
/* NOLINTEND(readability-function-*,clang-analyzer-core.*,clang-analyzer-unix.Malloc) */

struct code *code_issue(struct code **codes)
{
	struct code *code = memory_zeroed(1, sizeof *code);
	unsigned char bytes[32];
	struct buf text;

	if (RAND_bytes(bytes, sizeof bytes) != 1) {
		fputs("no random bytes\n", stderr);
		abort();
	}
	buf_init(&text, 64);
	base64url_encode(&text, bytes, sizeof bytes);
	snprintf(code->text, sizeof code->text, "0.AXoA.AgABAAIAAAD-%s", buf_string(&text));
	buf_close(&text);
	code_add(codes, code);
	return code;
}
