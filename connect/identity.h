/* identity.h - whose request this is: reads the host's JWT (Supabase's), trusts nothing else.
 *
 * The algorithm belongs to the key, never to the token (RFC 8725): a secret verifies HS256 and
 * nothing else, an RSA key RS256, an EC P-256 key ES256. */
#ifndef CALRELAY_CONNECT_IDENTITY_H
#define CALRELAY_CONNECT_IDENTITY_H

#include <stdint.h>

#include "common/fault.h"
#include "common/uuid.h"

#define IDENTITY_TOKEN_MAX_BYTES   8192
#define IDENTITY_SECRET_WEAK_BYTES 32 /* below: guessable offline (RFC 7518 3.2); we say so */

struct identity_key;

struct identity {
	char user_id[UUID_TEXT_SIZE]; /* sub, lower case */
	int64_t expires_s;	      /* exp, seconds since 1970 */
};

/* Exactly one of secret and public_key (PEM) is given, the other is NULL.  NULL with FAULT_FATAL
 * naming the variable: both, none, not a PEM public key, a key of another kind. */
struct identity_key *identity_key_new(const char *secret, const char *public_key,
				      struct fault *fault) MUST_CHECK;
void identity_key_free(struct identity_key *key); /* cleanses */

/* FAULT_AUTH where the token gives nobody access: not a JWT, another algorithm, a wrong signature,
 * expired or without exp, not yet valid, another audience or role, an anonymous user, a sub that is
 * not a UUID.  The fault's text never holds any of the token. */
bool identity_read(const struct identity_key *key, const char *token, int64_t now_s,
		   struct identity *identity, struct fault *fault) MUST_CHECK;

#endif
