/* session.c - seals, opens and binds a browser's session. */
#include "connect/session.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "connect/secret.h"

static const struct seal_place SESSION_PLACE = {"session", "connect", "cookie"};

bool session_begin(struct session *session, const struct identity *identity, int64_t now_s,
		   struct fault *fault)
{
	*session = (struct session){.expires_s = identity->expires_s};
	if (session->expires_s > now_s + SESSION_MAX_S) {
		session->expires_s = now_s + SESSION_MAX_S;
	}
	memcpy(session->user_id, identity->user_id, sizeof session->user_id);
	return secret_make(session->id, fault);
}

void session_bearer(struct session *session, const struct identity *identity)
{
	*session = (struct session){.expires_s = identity->expires_s};
	memcpy(session->user_id, identity->user_id, sizeof session->user_id);
}

bool session_is_bearer(const struct session *session)
{
	return session->id[0] == '\0';
}

bool session_seal(const struct session *session, const struct seal_keys *keys, struct buf *out,
		  struct fault *fault)
{
	char plain[UUID_TEXT_SIZE + SESSION_ID_SIZE + 24];
	struct buf sealed;
	bool ok;

	snprintf(plain, sizeof plain, "%s %s %" PRId64, session->user_id, session->id,
		 session->expires_s);
	buf_init(&sealed, SESSION_COOKIE_MAX);
	ok = seal_close(keys, &SESSION_PLACE, plain, &sealed, fault);
	if (ok) {
		/* a key's id may hold what a cookie may not */
		base64url_encode(out, sealed.data, sealed.length);
	}
	buf_close(&sealed);
	return ok;
}

static bool session_parse(struct session *session, const char *plain)
{
	static const size_t ID_AT = UUID_TEXT_SIZE;
	static const size_t EXPIRES_AT = UUID_TEXT_SIZE + SESSION_ID_SIZE;
	struct uuid user;
	char *end;

	if (strlen(plain) <= EXPIRES_AT) {
		return false;
	}
	memcpy(session->user_id, plain, UUID_TEXT_SIZE - 1);
	memcpy(session->id, plain + ID_AT, SESSION_ID_SIZE - 1);
	session->expires_s = strtoll(plain + EXPIRES_AT, &end, 10);
	return *end == '\0' && uuid_parse(session->user_id, &user);
}

bool session_open(struct session *session, const struct seal_keys *keys, const char *value,
		  int64_t now_s, struct fault *fault)
{
	struct buf sealed;
	struct buf plain;
	bool ok = false;

	*session = (struct session){0};
	buf_init(&sealed, SESSION_COOKIE_MAX);
	buf_init(&plain, SESSION_COOKIE_MAX);
	if (!base64url_decode(&sealed, value)) {
		fault_auth(fault, "the session cookie is not ours");
		goto out;
	}
	if (!seal_open(keys, &SESSION_PLACE, buf_string(&sealed), &plain, fault)) {
		goto out;
	}
	if (!session_parse(session, buf_string(&plain))) {
		fault_auth(fault, "the session cookie is malformed");
		goto out;
	}
	ok = session->expires_s > now_s || fault_auth(fault, "the session has ended");
out:
	if (plain.data != NULL) {
		OPENSSL_cleanse(plain.data, plain.capacity);
	}
	buf_close(&plain);
	buf_close(&sealed);
	return ok;
}

void session_set_cookie(struct buf *out, const char *value, bool secure, int64_t max_age_s)
{
	buf_format(out, "%s=%s; Path=/; Max-Age=%" PRId64 "; HttpOnly; SameSite=Lax%s",
		   secure ? SESSION_COOKIE_SECURE : SESSION_COOKIE_LOCAL, value, max_age_s,
		   secure ? "; Secure" : "");
}

void session_csrf(const struct session *session, char token[SESSION_HASH_SIZE])
{
	secret_hash("csrf", session->id, token);
}

bool session_csrf_matches(const struct session *session, const char *token)
{
	char expected[SESSION_HASH_SIZE];

	session_csrf(session, expected);
	return token != NULL && strlen(token) == sizeof expected - 1 &&
	       CRYPTO_memcmp(token, expected, sizeof expected - 1) == 0;
}

void session_binding(const struct session *session, char hash[SESSION_HASH_SIZE])
{
	if (session_is_bearer(session)) {
		secret_hash("oauth bearer", session->user_id, hash);
	} else {
		secret_hash("oauth session", session->id, hash);
	}
}
