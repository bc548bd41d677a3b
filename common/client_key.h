/* client_key.h - the certificate that the application proves itself with, and what it signs.
 *
 * A JWT assertion (RFC 7523, RFC 7515): PS256, the certificate named by its SHA-256.  Pure: values
 * in, text out, but for the random salt of a signature.  Source: Microsoft Entra, "Certificate
 * credentials". */
#ifndef CALRELAY_COMMON_CLIENT_KEY_H
#define CALRELAY_COMMON_CLIENT_KEY_H

#include <stdint.h>

#include "common/buf.h"
#include "common/fault.h"

#define CLIENT_KEY_LIFE_S	 600 /* of an assertion: Microsoft's most */
#define CLIENT_KEY_ASSERTION_MAX 16384

struct client_key;

/* pem: an RSA key of 2048 bits or more and its certificate, in any order; other certificates beside
 * it are passed over.  NULL with FAULT_FATAL that says what is missing or does not match. */
struct client_key *client_key_new(const char *pem, struct fault *fault) MUST_CHECK;
void client_key_free(struct client_key *key);

/* When the certificate is valid, in seconds since 1970: from begins up to ends. */
int64_t client_key_begins_s(const struct client_key *key);
int64_t client_key_ends_s(const struct client_key *key);

struct client_key_claims {
	const char *client_id;
	const char *token_url;
	const char *jti; /* never used before */
	int64_t now_s;
};

/* Appends the signed assertion; it is good for CLIENT_KEY_LIFE_S. */
bool client_key_assert(const struct client_key *key, const struct client_key_claims *claims,
		       struct buf *out, struct fault *fault) MUST_CHECK;

#endif
