/* signer.h - the RSA key that signs id_tokens, and how clients are told of it. */
#ifndef CALRELAY_FAKE_SIGNER_H
#define CALRELAY_FAKE_SIGNER_H

#include "common/buf.h"

/* Begins as {0}: the key is made when it is first asked for, which takes a tenth of a second. */
struct signer {
	struct buf pem;	    /* the private key */
	struct buf id;	    /* kid */
	struct buf modulus; /* base64url, as the exponent */
	struct buf exponent;
};

const struct signer *signer_open(struct signer *signer);
void signer_close(struct signer *signer);

/* {"keys":[...]} of OpenID Connect's jwks_uri. */
void signer_write_keys(struct signer *signer, const char *issuer, struct buf *out);

#endif
