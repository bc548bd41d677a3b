/* seal.h - seals tokens for the database and opens them, with key rotation.
 *
 * AES-256-GCM (SP 800-38D) with a random 96-bit nonce.  Text form:
 * `v1:<key id>:<base64 of nonce, ciphertext, tag>`.  The associated data binds a sealed text to its
 * row and column, so that rows can't be swapped. */
#ifndef CALRELAY_COMMON_SEAL_H
#define CALRELAY_COMMON_SEAL_H

#include <stddef.h>

#include "common/buf.h"
#include "common/fault.h"

struct seal_keys;

/* text: `id:base64 of 32 bytes` per line (# comments, blank lines); the first seals, all open.
 * NULL with FAULT_FATAL: no key, a malformed or short key, an id twice. */
struct seal_keys *seal_keys_new(const char *text, struct fault *fault) MUST_CHECK;
void seal_keys_free(struct seal_keys *keys); /* cleanses */

/* The associated data of one column of one row, e.g. ("calendar_connections", id, "refresh_token").
 */
struct seal_place {
	const char *table;
	const char *row_id;
	const char *column;
};

bool seal_close(const struct seal_keys *keys, const struct seal_place *place, const char *plain,
		struct buf *sealed, struct fault *fault) MUST_CHECK;

/* FAULT_AUTH: unknown key id, altered text, or another row's: that user has to reconnect. */
bool seal_open(const struct seal_keys *keys, const struct seal_place *place, const char *sealed,
	       struct buf *plain, struct fault *fault) MUST_CHECK;

/* Appends the same token sealed with the first key: sealed itself where it is that already.  It is
 * opened in any case.  Faults are those of seal_open and seal_close. */
bool seal_renew(const struct seal_keys *keys, const struct seal_place *place, const char *sealed,
		struct buf *renewed, struct fault *fault) MUST_CHECK;

/* Appends how all that is sealed with the first key begins. */
void seal_prefix(const struct seal_keys *keys, struct buf *out);

#endif
