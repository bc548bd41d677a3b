/* consent.h - the sign-in at Microsoft as values: where we send people, what must come back.
 *
 * The id_token's signature is not checked: it comes to us directly from the token endpoint, over
 * TLS whose certificate http verified, which OpenID Connect Core 3.1.3.7 (6) accepts in its place.
 * What is checked is that it answers this very sign-in: iss, nonce, aud, exp, tid, oid. */
#ifndef CALRELAY_CONNECT_CONSENT_H
#define CALRELAY_CONNECT_CONSENT_H

#include <stdint.h>

#include "common/buf.h"
#include "common/oauth.h"
#include "common/uuid.h"
#include "connect/secret.h"
#include "connect/words.h"

/* The secrets of one sign-in.  Only state and the challenge of verifier go through the browser. */
struct consent {
	char state[SECRET_SIZE];
	char verifier[SECRET_SIZE];
	char nonce[SECRET_SIZE];
};

bool consent_make(struct consent *consent, struct fault *fault) MUST_CHECK;

/* How Microsoft shall greet the person; NULL: left out. */
struct consent_greeting {
	const char *prompt;
	const char *login_hint; /* the address that is connected already */
};

/* The prompt for a connection of that status ("" for none).  Whoever has to reconnect goes straight
 * to the account in question; otherwise Microsoft lets people choose.  wanted is our own links'
 * ?prompt= or NULL: "consent" where too little was granted, "select_account" where it was the wrong
 * account.  Never "consent" unasked: where administrators consent for everybody, it would demand of
 * each person what they may not give. */
const char *consent_prompt(const char *wanted, const char *status);

/* getAuthUrl: authorization code with PKCE S256; response_mode=query, because a form_post from
 * another site would come without our SameSite=Lax cookie. */
void consent_url(struct buf *out, const struct oauth_client *client, const struct consent *consent,
		 const struct consent_greeting *greeting);

/* Where an administrator approves us for a whole organisation; nothing for personal accounts alone,
 * which have none.  Microsoft answers at our redirect_uri, in whosever browser it was, without a
 * code, with admin_consent=True and the state below, which is no secret.
 * Source: Microsoft identity platform, "Admin consent on the Microsoft identity platform". */
void consent_admin_url(struct buf *out, const struct oauth_client *client);
bool consent_is_admins(const char *admin_consent, const char *state); /* either may be NULL */

struct consent_claims {
	char tenant_id[UUID_TEXT_SIZE];	 /* tid */
	char account_id[UUID_TEXT_SIZE]; /* oid; with tid it names the mailbox, never the e-mail */
	char username[321];		 /* preferred_username, for people; "" where absent */
};

/* TROUBLE_NONE with claims; else TROUBLE_IDENTITY or TROUBLE_TENANT.  now_s: by Microsoft's clock
 * where it is known, which is the one that exp was set by. */
enum trouble consent_claims_read(const char *id_token, const struct oauth_client *client,
				 const char *nonce, int64_t now_s, struct consent_claims *claims);

/* Whether what was granted is enough to keep a calendar; NULL means "as asked" (RFC 6749 5.1). */
bool consent_scopes_suffice(const char *granted);

/* What Microsoft's ?error= on the way back means; description may be NULL. */
enum trouble consent_error(const char *error, const char *description);

#endif
