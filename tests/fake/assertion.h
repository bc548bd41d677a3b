/* assertion.h - whether a JWT proves that its sender is the registered application.
 *
 * Two kinds (RFC 7523): one that the application signs itself with the key of a registered
 * certificate, and one that a trusted issuer, such as a Kubernetes cluster, made for it.  Pure but
 * for the names of the assertions that it has seen.  Source: Microsoft Entra, "Certificate
 * credentials" and "Workload identity federation". */
#ifndef CALRELAY_FAKE_ASSERTION_H
#define CALRELAY_FAKE_ASSERTION_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/fake/jti.h"

#define ASSERTION_TYPE		  "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define ASSERTION_AUDIENCE	  "api://AzureADTokenExchange" /* of a federated one */
#define ASSERTION_LIFE_MAX_S	  600			       /* of our own kind */
#define ASSERTION_MAX_BYTES	  16384
#define ASSERTION_THUMBPRINT_SIZE 44

/* What is registered beside the secret.  Begins as {0}; named end: assertion_forget. */
struct assertion_trust {
	EVP_PKEY *certificate_key; /* NULL: no certificate is registered */
	char thumbprint[ASSERTION_THUMBPRINT_SIZE];
	EVP_PKEY *federated_key; /* NULL: no issuer is trusted */
	const char *issuer;
	const char *subjects; /* joined by commas */
	struct jti *seen;
};

/* What a good assertion has to say. */
struct assertion_wanted {
	const char *client_id;
	const char *token_url; /* as the client addressed it */
	int64_t now_s;
	bool once; /* no jti a second time */
};

/* False where the text is no PEM certificate with an RSA key; no PEM public RSA key. */
bool assertion_register_certificate(struct assertion_trust *trust, const char *pem);
bool assertion_register_issuer(struct assertion_trust *trust, const char *pem);
void assertion_forget(struct assertion_trust *trust);

/* 0, or the number of Entra's refusal. */
int assertion_check(struct assertion_trust *trust, const char *jwt,
		    const struct assertion_wanted *wanted);

#endif
