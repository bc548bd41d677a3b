/* seal.c - AES-256-GCM for tokens at rest. */
#include "common/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "common/base64.h"

#define SEAL_KEYS_MAX	     16
#define SEAL_KEY_BYTES	     32
#define SEAL_NONCE_BYTES     12
#define SEAL_TAG_BYTES	     16
#define SEAL_ID_SIZE	     33
#define SEAL_PLAIN_MAX_BYTES 32768
#define SEAL_PLACE_MAX_BYTES 256

struct seal_key {
	char id[SEAL_ID_SIZE];
	unsigned char bytes[SEAL_KEY_BYTES];
};

struct seal_keys {
	struct seal_key keys[SEAL_KEYS_MAX];
	int count;
};

static const struct seal_key *seal_find(const struct seal_keys *keys, const char *id, size_t length)
{
	for (int i = 0; i < keys->count; i++) {
		if (strlen(keys->keys[i].id) == length &&
		    memcmp(keys->keys[i].id, id, length) == 0) {
			return &keys->keys[i];
		}
	}
	return NULL;
}

static bool seal_key_bytes(struct seal_key *key, const char *text, size_t length)
{
	struct buf raw;
	char base64[64];
	bool ok;

	if (length >= sizeof base64) {
		return false;
	}
	memcpy(base64, text, length);
	base64[length] = '\0';
	buf_init(&raw, sizeof key->bytes);
	ok = base64_decode(&raw, base64) && raw.length == SEAL_KEY_BYTES;
	if (ok) {
		memcpy(key->bytes, raw.data, SEAL_KEY_BYTES);
	}
	if (raw.data != NULL) {
		OPENSSL_cleanse(raw.data, raw.capacity);
	}
	buf_close(&raw);
	OPENSSL_cleanse(base64, sizeof base64);
	return ok;
}

/* One line `id:base64`, without its newline. */
static bool seal_add_line(struct seal_keys *keys, const char *line, size_t length, int number,
			  struct fault *fault)
{
	const char *colon = memchr(line, ':', length);
	size_t id_length = colon != NULL ? (size_t)(colon - line) : 0;
	struct seal_key *key = &keys->keys[keys->count];

	if (keys->count == SEAL_KEYS_MAX) {
		return fault_fatal(fault, "CALRELAY_TOKEN_KEYS: more than %d keys", SEAL_KEYS_MAX);
	}
	if (id_length == 0 || id_length >= SEAL_ID_SIZE) {
		return fault_fatal(
		    fault, "CALRELAY_TOKEN_KEYS: line %d must read id:base64 of 32 bytes", number);
	}
	if (seal_find(keys, line, id_length) != NULL) {
		return fault_fatal(fault, "CALRELAY_TOKEN_KEYS: line %d repeats a key id", number);
	}
	memcpy(key->id, line, id_length);
	key->id[id_length] = '\0';
	if (!seal_key_bytes(key, colon + 1, length - id_length - 1)) {
		return fault_fatal(
		    fault,
		    "CALRELAY_TOKEN_KEYS: the key on line %d is not 32 bytes in base64 "
		    "(openssl rand -base64 32)",
		    number);
	}
	keys->count++;
	return true;
}

struct seal_keys *seal_keys_new(const char *text, struct fault *fault)
{
	struct seal_keys *keys = calloc(1, sizeof *keys);
	int number = 1;

	if (keys == NULL) {
		fault_fatal(fault, "out of memory");
		return NULL;
	}
	for (const char *line = text; *line != '\0'; number++) {
		size_t length = strcspn(line, "\n");
		size_t used = length > 0 && line[length - 1] == '\r' ? length - 1 : length;

		if (used > 0 && line[0] != '#' && !seal_add_line(keys, line, used, number, fault)) {
			seal_keys_free(keys);
			return NULL;
		}
		line += length + (line[length] == '\n');
	}
	if (keys->count == 0) {
		fault_fatal(fault,
			    "CALRELAY_TOKEN_KEYS holds no key (id:base64 of 32 bytes per line)");
		seal_keys_free(keys);
		return NULL;
	}
	return keys;
}

void seal_keys_free(struct seal_keys *keys)
{
	if (keys != NULL) {
		OPENSSL_cleanse(keys, sizeof *keys);
	}
	free(keys);
}

static void seal_associated(struct buf *out, const struct seal_place *place)
{
	buf_init(out, SEAL_PLACE_MAX_BYTES);
	buf_format(out, "%s|%s|%s", place->table, place->row_id, place->column);
}

/* nonce, ciphertext, tag into out, which holds length + 28 bytes. */
static bool seal_encrypt(const struct seal_key *key, const struct buf *associated,
			 const char *plain, size_t length, unsigned char *out)
{
	EVP_CIPHER_CTX *gcm = EVP_CIPHER_CTX_new();
	unsigned char *cipher = out + SEAL_NONCE_BYTES;
	int size;
	bool ok =
	    gcm != NULL && !associated->failed && RAND_bytes(out, SEAL_NONCE_BYTES) == 1 &&
	    EVP_EncryptInit_ex(gcm, EVP_aes_256_gcm(), NULL, key->bytes, out) == 1 &&
	    EVP_EncryptUpdate(gcm, NULL, &size, (const unsigned char *)associated->data,
			      (int)associated->length) == 1 &&
	    EVP_EncryptUpdate(gcm, cipher, &size, (const unsigned char *)plain, (int)length) == 1 &&
	    EVP_EncryptFinal_ex(gcm, cipher + length, &size) == 1 &&
	    EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_BYTES, cipher + length) == 1;

	EVP_CIPHER_CTX_free(gcm);
	return ok;
}

void seal_prefix(const struct seal_keys *keys, struct buf *out)
{
	buf_format(out, "v1:%s:", keys->keys[0].id);
}

bool seal_close(const struct seal_keys *keys, const struct seal_place *place, const char *plain,
		struct buf *sealed, struct fault *fault)
{
	size_t length = strlen(plain);
	size_t total = SEAL_NONCE_BYTES + length + SEAL_TAG_BYTES;
	unsigned char *raw;
	struct buf associated;
	bool ok = false;

	if (length > SEAL_PLAIN_MAX_BYTES) {
		return fault_input(fault, "a token of %zu bytes is too long to seal", length);
	}
	raw = malloc(total);
	seal_associated(&associated, place);
	if (raw != NULL && seal_encrypt(&keys->keys[0], &associated, plain, length, raw)) {
		seal_prefix(keys, sealed);
		base64_encode(sealed, raw, total);
		ok = !sealed->failed;
	}
	free(raw);
	buf_close(&associated);
	return ok || fault_fatal(fault, "OpenSSL can't seal a token");
}

static bool seal_decrypt(const struct seal_key *key, const struct buf *associated, struct buf *raw,
			 unsigned char *plain)
{
	EVP_CIPHER_CTX *gcm = EVP_CIPHER_CTX_new();
	unsigned char *nonce = (unsigned char *)raw->data;
	int length = (int)(raw->length - SEAL_NONCE_BYTES - SEAL_TAG_BYTES);
	int size;
	bool ok = gcm != NULL && !associated->failed &&
		  EVP_DecryptInit_ex(gcm, EVP_aes_256_gcm(), NULL, key->bytes, nonce) == 1 &&
		  EVP_DecryptUpdate(gcm, NULL, &size, (const unsigned char *)associated->data,
				    (int)associated->length) == 1 &&
		  EVP_DecryptUpdate(gcm, plain, &size, nonce + SEAL_NONCE_BYTES, length) == 1 &&
		  EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_GCM_SET_TAG, SEAL_TAG_BYTES,
				      nonce + SEAL_NONCE_BYTES + length) == 1 &&
		  EVP_DecryptFinal_ex(gcm, plain + length, &size) == 1;

	EVP_CIPHER_CTX_free(gcm);
	return ok;
}

/* The key that sealed text names, and where its base64 begins. */
static const struct seal_key *seal_parse(const struct seal_keys *keys, const char *sealed,
					 const char **base64, struct fault *fault)
{
	const char *id = sealed + 3;
	const char *colon = strncmp(sealed, "v1:", 3) == 0 ? strchr(id, ':') : NULL;
	const struct seal_key *key;

	if (colon == NULL) {
		fault_auth(fault, "a stored token is not sealed text");
		return NULL;
	}
	key = seal_find(keys, id, (size_t)(colon - id));
	if (key == NULL) {
		fault_auth(fault,
			   "a stored token was sealed with a key that is not in the keyring");
	}
	*base64 = colon + 1;
	return key;
}

bool seal_open(const struct seal_keys *keys, const struct seal_place *place, const char *sealed,
	       struct buf *plain, struct fault *fault)
{
	const char *base64;
	const struct seal_key *key = seal_parse(keys, sealed, &base64, fault);
	unsigned char *out = NULL;
	struct buf raw;
	struct buf associated;
	bool ok = false;

	if (key == NULL) {
		return false;
	}
	buf_init(&raw, SEAL_PLAIN_MAX_BYTES + SEAL_NONCE_BYTES + SEAL_TAG_BYTES);
	seal_associated(&associated, place);
	if (!base64_decode(&raw, base64) || raw.length < SEAL_NONCE_BYTES + SEAL_TAG_BYTES) {
		fault_auth(fault, "a stored token is cut or altered");
		goto out;
	}
	out = calloc(1, raw.length);
	if (out == NULL || !seal_decrypt(key, &associated, &raw, out)) {
		fault_auth(fault,
			   "a stored token does not open: altered, or moved from another row");
		goto out;
	}
	buf_add(plain, out, raw.length - SEAL_NONCE_BYTES - SEAL_TAG_BYTES);
	ok = !plain->failed || fault_auth(fault, "a stored token is too long");
out:
	if (out != NULL) {
		OPENSSL_cleanse(out, raw.length);
	}
	free(out);
	buf_close(&raw);
	buf_close(&associated);
	return ok;
}

bool seal_renew(const struct seal_keys *keys, const struct seal_place *place, const char *sealed,
		struct buf *renewed, struct fault *fault)
{
	struct buf prefix;
	struct buf plain;
	bool ok;

	buf_init(&prefix, SEAL_PLACE_MAX_BYTES);
	buf_init(&plain, SEAL_PLAIN_MAX_BYTES);
	seal_prefix(keys, &prefix);
	ok = seal_open(keys, place, sealed, &plain, fault);
	if (ok && strncmp(sealed, buf_string(&prefix), prefix.length) == 0) {
		buf_text(renewed, sealed);
		ok = !renewed->failed || fault_fatal(fault, "out of memory");
	} else if (ok) {
		ok = seal_close(keys, place, buf_string(&plain), renewed, fault);
	}
	if (plain.data != NULL) {
		OPENSSL_cleanse(plain.data, plain.capacity);
	}
	buf_close(&plain);
	buf_close(&prefix);
	return ok;
}
