/* pem.h - keys and self-signed certificates for tests, as PEM. */
#ifndef CALRELAY_UNIT_PEM_H
#define CALRELAY_UNIT_PEM_H

#include <openssl/evp.h>
#include <stdint.h>

/* Allocated.  pass_phrase NULL: not encrypted. */
char *pem_of_key(EVP_PKEY *key, const char *pass_phrase);

/* Allocated: signed with the key itself, valid from begins_s up to ends_s, from now. */
char *pem_of_certificate(EVP_PKEY *key, long begins_s, long ends_s);

/* Both, one behind the other, allocated. */
char *pem_joined(const char *first, const char *second);

#endif
