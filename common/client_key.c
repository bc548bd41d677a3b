/* client_key.c - PEM in, assertions out, over OpenSSL. */
#include "common/client_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base64.h"
#include "common/jsonw.h"

#define CLIENT_KEY_LEAST_BITS	   2048
#define CLIENT_KEY_SIGNATURE_MAX   2048 /* bytes: of a key of 16384 bits */
#define CLIENT_KEY_THUMBPRINT_SIZE 44

struct client_key {
	EVP_PKEY *key;
	X509 *certificate;
	char thumbprint[CLIENT_KEY_THUMBPRINT_SIZE]; /* base64url of the SHA-256 of its DER form */
};

/* ---- reading ---- */

/* An encrypted key has no pass phrase here: nobody is asked for one at a terminal. */
static int no_pass_phrase(char *out, int size, int writes, void *context)
{
	(void)out;
	(void)size;
	(void)writes;
	(void)context;
	return -1;
}

static EVP_PKEY *read_key(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL);

	BIO_free(bio);
	return key;
}

/* The first certificate of the key, or NULL with how many there are of others. */
static X509 *read_certificate(const char *pem, const EVP_PKEY *key, int *others)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate;

	while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL &&
	       X509_check_private_key(certificate, key) != 1) {
		X509_free(certificate);
		++*others;
	}
	BIO_free(bio);
	return certificate;
}

static bool read_pair(struct client_key *key, const char *pem, struct fault *fault)
{
	int others = 0;

	key->key = read_key(pem);
	if (key->key == NULL) {
		return fault_fatal(fault, "MICROSOFT_CLIENT_CERTIFICATE holds no private key that "
					  "can be read (PEM, not encrypted)");
	}
	if (EVP_PKEY_base_id(key->key) != EVP_PKEY_RSA ||
	    EVP_PKEY_bits(key->key) < CLIENT_KEY_LEAST_BITS) {
		return fault_fatal(fault,
				   "MICROSOFT_CLIENT_CERTIFICATE: its key must be an RSA key of "
				   "%d bits or more",
				   CLIENT_KEY_LEAST_BITS);
	}
	key->certificate = read_certificate(pem, key->key, &others);
	if (key->certificate == NULL) {
		return fault_fatal(fault, "MICROSOFT_CLIENT_CERTIFICATE holds %s beside its key",
				   others > 0 ? "only certificates of other keys"
					      : "no certificate that can be read (PEM)");
	}
	return true;
}

static bool take_thumbprint(struct client_key *key)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	struct buf text;
	bool ok = X509_digest(key->certificate, EVP_sha256(), hash, NULL) == 1;

	buf_init(&text, sizeof key->thumbprint);
	base64url_encode(&text, hash, sizeof hash);
	ok = ok && text.length == sizeof key->thumbprint - 1;
	if (ok) {
		memcpy(key->thumbprint, text.data, sizeof key->thumbprint);
	}
	buf_close(&text);
	return ok;
}

struct client_key *client_key_new(const char *pem, struct fault *fault)
{
	struct client_key *key = calloc(1, sizeof *key);
	bool ok = key != NULL && read_pair(key, pem, fault);

	if (key == NULL || (ok && !take_thumbprint(key))) {
		ok = fault_fatal(fault, "MICROSOFT_CLIENT_CERTIFICATE: out of memory");
	}
	ERR_clear_error();
	if (!ok) {
		client_key_free(key);
		return NULL;
	}
	return key;
}

void client_key_free(struct client_key *key)
{
	if (key != NULL) {
		EVP_PKEY_free(key->key); /* cleanses */
		X509_free(key->certificate);
	}
	free(key);
}

static int64_t seconds_of(const ASN1_TIME *time)
{
	struct tm utc;

	return ASN1_TIME_to_tm(time, &utc) == 1 ? (int64_t)timegm(&utc) : 0;
}

int64_t client_key_begins_s(const struct client_key *key)
{
	return seconds_of(X509_get0_notBefore(key->certificate));
}

int64_t client_key_ends_s(const struct client_key *key)
{
	return seconds_of(X509_get0_notAfter(key->certificate));
}

/* ---- writing ---- */

static void write_header(struct buf *out, const struct client_key *key)
{
	buf_char(out, '{');
	jsonw_member_text(out, "alg", "PS256");
	jsonw_member_text(out, "typ", "JWT");
	jsonw_member_text(out, "x5t#S256", key->thumbprint);
	buf_char(out, '}');
}

static void write_claims(struct buf *out, const struct client_key_claims *claims)
{
	buf_char(out, '{');
	jsonw_member_text(out, "aud", claims->token_url);
	jsonw_member_text(out, "iss", claims->client_id);
	jsonw_member_text(out, "sub", claims->client_id);
	jsonw_member_text(out, "jti", claims->jti);
	jsonw_member_number(out, "nbf", claims->now_s);
	jsonw_member_number(out, "iat", claims->now_s);
	jsonw_member_number(out, "exp", claims->now_s + CLIENT_KEY_LIFE_S);
	buf_char(out, '}');
}

/* PS256 (RFC 7518 3.5): RSA-PSS with SHA-256, the salt as long as the digest. */
static bool sign(const struct client_key *key, const struct buf *text,
		 unsigned char signature[CLIENT_KEY_SIGNATURE_MAX], size_t *length)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *rsa = NULL;
	bool ok;

	*length = CLIENT_KEY_SIGNATURE_MAX;
	ok = context != NULL &&
	     EVP_DigestSignInit(context, &rsa, EVP_sha256(), NULL, key->key) == 1 &&
	     EVP_PKEY_CTX_set_rsa_padding(rsa, RSA_PKCS1_PSS_PADDING) == 1 &&
	     EVP_PKEY_CTX_set_rsa_pss_saltlen(rsa, RSA_PSS_SALTLEN_DIGEST) == 1 &&
	     EVP_DigestSign(context, signature, length, (const unsigned char *)text->data,
			    text->length) == 1;
	EVP_MD_CTX_free(context);
	return ok;
}

bool client_key_assert(const struct client_key *key, const struct client_key_claims *claims,
		       struct buf *out, struct fault *fault)
{
	unsigned char signature[CLIENT_KEY_SIGNATURE_MAX];
	struct buf json;
	struct buf text;
	size_t length;
	bool ok;

	buf_init(&json, CLIENT_KEY_ASSERTION_MAX);
	buf_init(&text, CLIENT_KEY_ASSERTION_MAX);
	write_header(&json, key);
	base64url_encode(&text, json.data, json.length);
	buf_char(&text, '.');
	buf_reset(&json);
	write_claims(&json, claims);
	base64url_encode(&text, json.data, json.length);
	ok = !json.failed && !text.failed && sign(key, &text, signature, &length);
	if (ok) {
		buf_add(out, text.data, text.length);
		buf_char(out, '.');
		base64url_encode(out, signature, length);
	}
	ERR_clear_error();
	buf_close(&json);
	buf_close(&text);
	return (ok && !out->failed) || fault_fatal(fault, "OpenSSL can't sign an assertion");
}
