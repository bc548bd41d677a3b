/* uuid.c - UUIDs: text, random, named. */
#include "common/uuid.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool uuid_parse(const char *text, struct uuid *uuid)
{
	if (strlen(text) != UUID_TEXT_SIZE - 1) {
		return false;
	}
	for (int i = 0, at = 0; i < 16; i++, at += 2) {
		int high;
		int low;

		if (i == 4 || i == 6 || i == 8 || i == 10) {
			if (text[at++] != '-') {
				return false;
			}
		}
		high = hex_value(text[at]);
		low = hex_value(text[at + 1]);
		if (high < 0 || low < 0) {
			return false;
		}
		uuid->bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void uuid_format(const struct uuid *uuid, char text[UUID_TEXT_SIZE])
{
	static const char HEX[] = "0123456789abcdef";
	char *at = text;

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10) {
			*at++ = '-';
		}
		*at++ = HEX[uuid->bytes[i] >> 4];
		*at++ = HEX[uuid->bytes[i] & 15];
	}
	*at = '\0';
}

int uuid_compare(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

static void uuid_stamp(struct uuid *uuid, int version)
{
	uuid->bytes[6] = (uint8_t)((uuid->bytes[6] & 0x0F) | version << 4);
	uuid->bytes[8] = (uint8_t)((uuid->bytes[8] & 0x3F) | 0x80);
}

struct uuid uuid_random(void)
{
	struct uuid uuid;

	if (RAND_bytes(uuid.bytes, sizeof uuid.bytes) != 1) {
		fputs("the system gives no random numbers\n", stderr);
		abort();
	}
	uuid_stamp(&uuid, 4);
	return uuid;
}

struct uuid uuid_named(const struct uuid *space, const char *name)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *sha1 = EVP_MD_CTX_new();
	struct uuid uuid;

	if (sha1 == NULL || EVP_DigestInit_ex(sha1, EVP_sha1(), NULL) != 1 ||
	    EVP_DigestUpdate(sha1, space->bytes, sizeof space->bytes) != 1 ||
	    EVP_DigestUpdate(sha1, name, strlen(name)) != 1 ||
	    EVP_DigestFinal_ex(sha1, digest, NULL) != 1) {
		fputs("OpenSSL can't compute SHA-1\n", stderr);
		abort();
	}
	EVP_MD_CTX_free(sha1);
	memcpy(uuid.bytes, digest, sizeof uuid.bytes);
	uuid_stamp(&uuid, 5);
	return uuid;
}
