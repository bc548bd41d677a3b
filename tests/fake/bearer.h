/* bearer.h - opaque tokens that carry what they stand for under a MAC, so that none is stored.
 *
 * That keeps memory bounded however often tokens rotate: old refresh tokens stay valid, as Entra's
 * do, until the account's generation is raised. */
#ifndef CALRELAY_FAKE_BEARER_H
#define CALRELAY_FAKE_BEARER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

#define BEARER_KEY_BYTES 32
#define BEARER_MAX_BYTES 4096

enum bearer_kind { BEARER_ACCESS, BEARER_REFRESH };

struct bearer {
	enum bearer_kind kind;
	uint32_t account;    /* its number */
	uint32_t generation; /* of the account when the token was issued */
	uint32_t scopes;
	int64_t expires_ms; /* wall clock */
};

/* About as long as Entra's: 1.6 kB and 1.1 kB. */
void bearer_write(const unsigned char key[BEARER_KEY_BYTES], const struct bearer *bearer,
		  struct buf *out);

/* False where the text is not a token of that kind that this key made. */
bool bearer_read(const unsigned char key[BEARER_KEY_BYTES], const char *text, enum bearer_kind kind,
		 struct bearer *bearer);

#endif
