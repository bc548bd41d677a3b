/* oauth.h - Microsoft's token endpoint: what we send, what it answers (RFC 6749, Entra v2.0).
 *
 * Pure: bodies in, values out.  connect exchanges codes with it, the worker refreshes. */
#ifndef CALRELAY_COMMON_OAUTH_H
#define CALRELAY_COMMON_OAUTH_H

#include <stdint.h>

#include "common/buf.h"
#include "common/fault.h"
#include "common/http.h"
#include "common/scope.h"

/* Microsoft's global cloud. */
#define OAUTH_MICROSOFT "https://login.microsoftonline.com"

struct oauth_client {
	const char *login_url; /* origin, no trailing slash */
	const char *tenant;
	const char *client_id;
	const char *redirect_uri;
	enum scope_mailbox mailbox; /* what a sign-in asks for */
};

/* What proves that we are client_id: one of the two. */
struct oauth_credential {
	const char *secret; /* borrowed */
	char *assertion;    /* a JWT (RFC 7523) */
};

struct oauth_tokens {
	char *access_token;
	char *refresh_token; /* NULL: none returned, keep the old one */
	char *id_token;	     /* NULL: none */
	char *scope;	     /* as granted, or NULL */
	int64_t expires_in_s;
};

void oauth_token_url(struct buf *out, const struct oauth_client *client);
void oauth_code_body(struct buf *out, const struct oauth_client *client,
		     const struct oauth_credential *credential, const char *code,
		     const char *verifier); /* exchangeCodeForTokens */
/* Asks for what was granted, and no more: a scope that nobody consented to refuses all of it. */
void oauth_refresh_body(struct buf *out, const struct oauth_client *client,
			const struct oauth_credential *credential, const char *refresh_token,
			enum scope_mailbox granted); /* refreshAccessToken */

/* True with tokens to free.  Otherwise what the answer means for whom: FAULT_AUTH: this user has to
 * connect again (invalid_grant, interaction_required, ...); FAULT_FATAL: our registration is wrong
 * (invalid_client, unauthorized_client), nobody's connection is to blame; FAULT_RETRY: later. */
bool oauth_answer(const struct http_reply *reply, struct oauth_tokens *tokens,
		  struct fault *fault) MUST_CHECK;
void oauth_tokens_free(struct oauth_tokens *tokens); /* cleanses */
void oauth_credential_forget(struct oauth_credential *credential);
void oauth_forget(char *text); /* cleanses and frees; NULL: nothing */

#endif
