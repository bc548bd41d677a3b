/* session.h - a browser's session: one sealed cookie, its CSRF token, its OAuth binding.
 *
 * The cookie is a session of our own, sealed with the token keyring, not the host's JWT:
 *  - the JWT also opens the host's database; a copy of it in another site's cookie jar would be one
 *    more place to lose it from;
 *  - Supabase's JWTs carry user metadata and outgrow the 4096 bytes that browsers keep, silently;
 *  - it gives the session a random id, to which OAuth states and CSRF tokens are bound.
 * It needs no table: the seal proves that we made it, the keyring's rotation ends it. */
#ifndef CALRELAY_CONNECT_SESSION_H
#define CALRELAY_CONNECT_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/fault.h"
#include "common/seal.h"
#include "common/uuid.h"
#include "connect/identity.h"

#define SESSION_MAX_S	      43200 /* no session outlives its JWT, nor half a day */
#define SESSION_LINK_MAX_S    3600  /* a JWT in a link (GET /session) may have at most this left */
#define SESSION_ID_SIZE	      44    /* base64url of 32 bytes, and NUL */
#define SESSION_HASH_SIZE     44
#define SESSION_COOKIE_MAX    2048 /* bytes */
#define SESSION_COOKIE_SECURE "__Host-calrelay"
#define SESSION_COOKIE_LOCAL  "calrelay" /* plain http on loopback knows no Secure cookie */

struct session {
	char user_id[UUID_TEXT_SIZE];
	char id[SESSION_ID_SIZE]; /* random; "" where the request carries its own Bearer token */
	int64_t expires_s;
};

/* A session for a browser, from the JWT that was just verified. */
bool session_begin(struct session *session, const struct identity *identity, int64_t now_s,
		   struct fault *fault) MUST_CHECK;

/* A Bearer token's request: no cookie, so neither Origin nor CSRF token is needed. */
void session_bearer(struct session *session, const struct identity *identity);
bool session_is_bearer(const struct session *session);

/* The cookie's value, both ways.  session_open: FAULT_AUTH where it is not ours, or over. */
bool session_seal(const struct session *session, const struct seal_keys *keys, struct buf *out,
		  struct fault *fault) MUST_CHECK;
bool session_open(struct session *session, const struct seal_keys *keys, const char *value,
		  int64_t now_s, struct fault *fault) MUST_CHECK;

/* The whole Set-Cookie value. */
void session_set_cookie(struct buf *out, const char *value, bool secure, int64_t max_age_s);

/* What stands in every form of this session; constant time comparison. */
void session_csrf(const struct session *session, char token[SESSION_HASH_SIZE]);
bool session_csrf_matches(const struct session *session, const char *token);

/* What an OAuth state is bound to: this browser session; for a Bearer client, this user. */
void session_binding(const struct session *session, char hash[SESSION_HASH_SIZE]);

#endif
