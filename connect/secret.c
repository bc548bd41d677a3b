/* secret.c - OpenSSL's randomness and SHA-256. */
#include "connect/secret.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#define SECRET_BYTES 32

/* base64url without padding, and without memory that could be refused. */
static void secret_text(const unsigned char bytes[SECRET_BYTES], char text[SECRET_SIZE])
{
	unsigned char padded[SECRET_SIZE + 4];

	EVP_EncodeBlock(padded, bytes, SECRET_BYTES);
	for (size_t i = 0; i < SECRET_SIZE - 1; i++) {
		char c = (char)padded[i];

		text[i] = c;
		if (c == '+') {
			text[i] = '-';
		} else if (c == '/') {
			text[i] = '_';
		}
	}
	text[SECRET_SIZE - 1] = '\0';
}

bool secret_make(char secret[SECRET_SIZE], struct fault *fault)
{
	unsigned char bytes[SECRET_BYTES];

	if (RAND_bytes(bytes, sizeof bytes) != 1) {
		return fault_fatal(fault, "OpenSSL gives no random bytes");
	}
	secret_text(bytes, secret);
	return true;
}

void secret_hash(const char *purpose, const char *text, char hash[SECRET_SIZE])
{
	unsigned char inner[2 * SECRET_BYTES];
	unsigned char digest[SECRET_BYTES];

	/* each part hashed by itself, so that no two pairs of parts read the same */
	EVP_Digest(purpose, strlen(purpose), inner, NULL, EVP_sha256(), NULL);
	EVP_Digest(text, strlen(text), inner + SECRET_BYTES, NULL, EVP_sha256(), NULL);
	EVP_Digest(inner, sizeof inner, digest, NULL, EVP_sha256(), NULL);
	secret_text(digest, hash);
}

void secret_challenge(const char *verifier, char challenge[SECRET_SIZE])
{
	unsigned char digest[SECRET_BYTES];

	EVP_Digest(verifier, strlen(verifier), digest, NULL, EVP_sha256(), NULL);
	secret_text(digest, challenge);
}
