/* base64.c - base64 over OpenSSL's block coder, and the URL alphabet on top of it. */
#include "common/base64.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void base64_encode(struct buf *out, const void *bytes, size_t length)
{
	size_t size = (length + 2) / 3 * 4;
	unsigned char *text = malloc(size + 1);

	if (text == NULL || length > INT32_MAX) {
		out->failed = true;
	} else {
		EVP_EncodeBlock(text, bytes, (int)length);
		buf_add(out, text, size);
	}
	free(text);
}

void base64url_encode(struct buf *out, const void *bytes, size_t length)
{
	size_t start = out->length;

	base64_encode(out, bytes, length);
	if (out->failed) {
		return;
	}
	while (out->length > start && out->data[out->length - 1] == '=') {
		out->data[--out->length] = '\0';
	}
	for (size_t i = start; i < out->length; i++) {
		char c = out->data[i];

		out->data[i] = (char)(c == '+' ? '-' : c == '/' ? '_' : c);
	}
}

/* EVP_DecodeBlock forgives white space and misplaced padding; this doesn't. */
static bool base64_is_strict(const char *text, size_t length, size_t *padding)
{
	static const char ALPHABET[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	if (length % 4 != 0) {
		return false;
	}
	*padding = 0;
	while (*padding < 2 && *padding < length && text[length - 1 - *padding] == '=') {
		++*padding;
	}
	return strspn(text, ALPHABET) == length - *padding;
}

bool base64_decode(struct buf *out, const char *text)
{
	size_t length = strlen(text);
	size_t padding;
	unsigned char *bytes;
	bool ok = false;

	if (length > INT32_MAX || !base64_is_strict(text, length, &padding)) {
		return false;
	}
	bytes = malloc(length / 4 * 3 + 1);
	if (bytes != NULL) {
		int size = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);

		if (size >= 0) {
			buf_add(out, bytes, (size_t)size - padding);
			ok = !out->failed;
		}
		OPENSSL_cleanse(bytes, length / 4 * 3);
	}
	free(bytes);
	return ok;
}

bool base64url_decode(struct buf *out, const char *text)
{
	size_t length = strlen(text);
	char *standard;
	bool ok;

	if (strpbrk(text, "+/=") != NULL || length % 4 == 1) {
		return false;
	}
	standard = calloc(1, length + 4);
	if (standard == NULL) {
		return false;
	}
	for (size_t i = 0; i < length; i++) {
		standard[i] = (char)(text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
	}
	memset(standard + length, '=', (4 - length % 4) % 4);
	ok = base64_decode(out, standard);
	OPENSSL_cleanse(standard, length);
	free(standard);
	return ok;
}
