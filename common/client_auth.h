/* client_auth.h - how the application proves itself at Microsoft: one interface, three methods.
 *
 *   secret       MICROSOFT_CLIENT_SECRET, as it is
 *   certificate  MICROSOFT_CLIENT_CERTIFICATE: its key signs a fresh assertion for each request
 *   federated    MICROSOFT_FEDERATED_TOKEN_FILE: a token that Kubernetes made for the service
 *                account is the assertion; read for each request, because kubelet replaces it
 *
 * What is wrong with it is never a user's trouble: FAULT_FATAL, as where Microsoft refuses it. */
#ifndef CALRELAY_COMMON_CLIENT_AUTH_H
#define CALRELAY_COMMON_CLIENT_AUTH_H

#include "common/client_key.h"
#include "common/oauth.h"

/* Exactly one is not NULL. */
struct client_auth_settings {
	const char *secret;
	const char *certificate; /* PEM, with its key */
	const char *token_file;	 /* a path */
};

struct client_auth {
	struct client_auth_settings settings; /* borrowed */
	struct client_key *key;		      /* of the certificate, or NULL */
};

/* False with FAULT_FATAL naming the variable: none or several are set, or it can't be used.
 * Named end: client_auth_close, also where this failed. */
bool client_auth_open(struct client_auth *auth, const struct client_auth_settings *settings,
		      struct fault *fault) MUST_CHECK;
void client_auth_close(struct client_auth *auth);

/* For one request to client's token endpoint; oauth_credential_forget ends it, also where this
 * failed. */
bool client_auth_prove(const struct client_auth *auth, const struct oauth_client *client,
		       struct oauth_credential *credential, struct fault *fault) MUST_CHECK;

enum client_auth_state { CLIENT_AUTH_GOOD, CLIENT_AUTH_AGEING, CLIENT_AUTH_UNUSABLE };

/* What --check and the log say of it. */
struct client_auth_finding {
	enum client_auth_state state;
	char text[512];
};

/* Looks at what an open auth would send now.  AGEING: a certificate with less than 30 days. */
void client_auth_inspect(const struct client_auth *auth, int64_t now_s,
			 struct client_auth_finding *finding);

#endif
