/* signer.c - the RSA key that signs id_tokens. */
#include "tests/fake/signer.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base64.h"
#include "common/jsonw.h"

#define KEY_BITS      2048
#define KEY_MAX_BYTES 8192

static void must(bool ok)
{
	if (!ok) {
		fputs("OpenSSL can't make a key\n", stderr);
		abort();
	}
}

/* Three primes instead of two are found in half of the time. */
static EVP_PKEY *make_key(void)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
	EVP_PKEY *key = NULL;

	must(context != NULL && EVP_PKEY_keygen_init(context) == 1 &&
	     EVP_PKEY_CTX_set_rsa_keygen_bits(context, KEY_BITS) == 1 &&
	     EVP_PKEY_CTX_set_rsa_keygen_primes(context, 3) == 1 &&
	     EVP_PKEY_keygen(context, &key) == 1);
	EVP_PKEY_CTX_free(context);
	return key;
}

/* One of the key's numbers, base64url; its bytes are left in place for whoever wants them. */
static size_t read_number(const EVP_PKEY *key, const char *name, unsigned char bytes[KEY_BITS / 8],
			  struct buf *text)
{
	BIGNUM *number = NULL;
	int length;

	must(EVP_PKEY_get_bn_param(key, name, &number) == 1);
	length = BN_bn2bin(number, bytes);
	BN_free(number);
	buf_init(text, KEY_MAX_BYTES);
	base64url_encode(text, bytes, (size_t)length);
	return (size_t)length;
}

static void write_pem(const EVP_PKEY *key, struct buf *pem)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes = NULL;
	long length;

	must(bio != NULL && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
	length = BIO_get_mem_data(bio, &bytes);
	buf_init(pem, KEY_MAX_BYTES);
	buf_add(pem, bytes, (size_t)length);
	BIO_free(bio);
}

const struct signer *signer_open(struct signer *signer)
{
	unsigned char bytes[KEY_BITS / 8];
	unsigned char hash[SHA_DIGEST_LENGTH];
	EVP_PKEY *key;
	size_t length;

	if (signer->pem.length > 0) {
		return signer;
	}
	key = make_key();
	write_pem(key, &signer->pem);
	read_number(key, OSSL_PKEY_PARAM_RSA_E, bytes, &signer->exponent);
	length = read_number(key, OSSL_PKEY_PARAM_RSA_N, bytes, &signer->modulus);
	SHA1(bytes, length, hash);
	buf_init(&signer->id, KEY_MAX_BYTES);
	base64url_encode(&signer->id, hash, sizeof hash);
	EVP_PKEY_free(key);
	return signer;
}

void signer_close(struct signer *signer)
{
	buf_close(&signer->pem);
	buf_close(&signer->id);
	buf_close(&signer->modulus);
	buf_close(&signer->exponent);
	*signer = (struct signer){0};
}

void signer_write_keys(struct signer *signer, const char *issuer, struct buf *out)
{
	signer_open(signer);
	buf_text(out, "{\"keys\":[{");
	jsonw_member_text(out, "kty", "RSA");
	jsonw_member_text(out, "use", "sig");
	jsonw_member_text(out, "kid", buf_string(&signer->id));
	jsonw_member_text(out, "n", buf_string(&signer->modulus));
	jsonw_member_text(out, "e", buf_string(&signer->exponent));
	jsonw_member_text(out, "issuer", issuer);
	buf_text(out, "}]}");
}
