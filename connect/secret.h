/* secret.h - random secrets and their hashes, as text that fits URLs, cookies and columns. */
#ifndef CALRELAY_CONNECT_SECRET_H
#define CALRELAY_CONNECT_SECRET_H

#include "common/fault.h"

#define SECRET_SIZE 44 /* base64url of 32 bytes, and NUL */

/* 256 random bits.  FAULT_FATAL where the system gives no randomness. */
bool secret_make(char secret[SECRET_SIZE], struct fault *fault) MUST_CHECK;

/* base64url of a SHA-256 over both: one secret gives unrelated hashes, one per purpose. */
void secret_hash(const char *purpose, const char *text, char hash[SECRET_SIZE]);

/* base64url of SHA-256 over text alone: PKCE's S256 (RFC 7636 4.2). */
void secret_challenge(const char *verifier, char challenge[SECRET_SIZE]);

#endif
