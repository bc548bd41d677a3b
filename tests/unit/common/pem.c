/* pem.c - keys and self-signed certificates for tests, as PEM. */
#include "tests/unit/common/pem.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *text_of(BIO *bio)
{
	char *bytes;
	long length = BIO_get_mem_data(bio, &bytes);
	char *text = strndup(bytes, (size_t)length);

	assert_non_null(text);
	BIO_free(bio);
	return text;
}

char *pem_of_key(EVP_PKEY *key, const char *pass_phrase)
{
	BIO *bio = BIO_new(BIO_s_mem());
	const EVP_CIPHER *cipher = pass_phrase != NULL ? EVP_aes_256_cbc() : NULL;

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(
			     bio, key, cipher, pass_phrase,
			     pass_phrase != NULL ? (int)strlen(pass_phrase) : 0, NULL, NULL),
			 1);
	return text_of(bio);
}

char *pem_of_certificate(EVP_PKEY *key, long begins_s, long ends_s)
{
	X509 *certificate = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());

	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), begins_s);
	X509_gmtime_adj(X509_getm_notAfter(certificate), ends_s);
	X509_set_pubkey(certificate, key);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
	X509_free(certificate);
	return text_of(bio);
}

char *pem_joined(const char *first, const char *second)
{
	char *text = NULL;

	assert_true(asprintf(&text, "%s%s", first, second) >= 0);
	return text;
}
