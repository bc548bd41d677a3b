/* bearer.c - opaque tokens that carry what they stand for under a MAC. */
#include "tests/fake/bearer.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base64.h"

#define MAC_BYTES     16
#define FILLER_UNIT   "Qm9yaW5nQnV0UmVhbGlzdGljYWxseUxvbmc-_"
#define ACCESS_UNITS  40
#define REFRESH_UNITS 27

struct payload { /* as bytes: within one process its own layout will do */
	uint32_t kind;
	uint32_t account;
	uint32_t generation;
	uint32_t scopes;
	int64_t expires_ms;
	unsigned char nonce[8];
};

static const char *bearer_prefix(enum bearer_kind kind)
{
	return kind == BEARER_ACCESS ? "EwBg." : "0.AXoA.";
}

static int bearer_units(enum bearer_kind kind)
{
	return kind == BEARER_ACCESS ? ACCESS_UNITS : REFRESH_UNITS;
}

static void bearer_mac(const unsigned char *key, const struct payload *payload,
		       unsigned char mac[MAC_BYTES])
{
	unsigned char whole[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	if (HMAC(EVP_sha256(), key, BEARER_KEY_BYTES, (const unsigned char *)payload,
		 sizeof *payload, whole, &length) == NULL) {
		fputs("no HMAC\n", stderr);
		abort();
	}
	memcpy(mac, whole, MAC_BYTES);
}

void bearer_write(const unsigned char key[BEARER_KEY_BYTES], const struct bearer *bearer,
		  struct buf *out)
{
	struct payload payload;
	unsigned char bytes[sizeof payload + MAC_BYTES];

	memset(&payload, 0, sizeof payload);
	payload.kind = (uint32_t)bearer->kind;
	payload.account = bearer->account;
	payload.generation = bearer->generation;
	payload.scopes = bearer->scopes;
	payload.expires_ms = bearer->expires_ms;
	if (RAND_bytes(payload.nonce, sizeof payload.nonce) != 1) {
		fputs("no random bytes\n", stderr);
		abort();
	}
	memcpy(bytes, &payload, sizeof payload);
	bearer_mac(key, &payload, bytes + sizeof payload);
	buf_text(out, bearer_prefix(bearer->kind));
	base64url_encode(out, bytes, sizeof bytes);
	buf_char(out, '.');
	for (int i = 0; i < bearer_units(bearer->kind); i++) {
		buf_text(out, FILLER_UNIT);
	}
}

/* The rest of a token must be its filler to the last character: nothing may be cut off. */
static bool bearer_is_filled(const char *text, enum bearer_kind kind)
{
	size_t unit = strlen(FILLER_UNIT);

	for (int i = 0; i < bearer_units(kind); i++, text += unit) {
		if (strncmp(text, FILLER_UNIT, unit) != 0) {
			return false;
		}
	}
	return *text == '\0';
}

static bool bearer_decode(const char *text, size_t length, struct payload *payload,
			  unsigned char mac[MAC_BYTES])
{
	char core[128];
	struct buf bytes;
	bool ok = false;

	if (length >= sizeof core) {
		return false;
	}
	snprintf(core, sizeof core, "%.*s", (int)length, text);
	buf_init(&bytes, sizeof core);
	if (base64url_decode(&bytes, core) && bytes.length == sizeof *payload + MAC_BYTES) {
		memcpy(payload, bytes.data, sizeof *payload);
		memcpy(mac, bytes.data + sizeof *payload, MAC_BYTES);
		ok = true;
	}
	buf_close(&bytes);
	return ok;
}

bool bearer_read(const unsigned char key[BEARER_KEY_BYTES], const char *text, enum bearer_kind kind,
		 struct bearer *bearer)
{
	const char *prefix = bearer_prefix(kind);
	size_t length = strlen(prefix);
	struct payload payload;
	unsigned char mac[MAC_BYTES];
	unsigned char expected[MAC_BYTES];
	size_t core;

	if (strncmp(text, prefix, length) != 0) {
		return false;
	}
	text += length;
	core = strcspn(text, ".");
	if (text[core] != '.' || !bearer_is_filled(text + core + 1, kind) ||
	    !bearer_decode(text, core, &payload, mac)) {
		return false;
	}
	bearer_mac(key, &payload, expected);
	if (CRYPTO_memcmp(mac, expected, MAC_BYTES) != 0 || payload.kind != (uint32_t)kind) {
		return false;
	}
	*bearer = (struct bearer){kind, payload.account, payload.generation, payload.scopes,
				  payload.expires_ms};
	return true;
}
