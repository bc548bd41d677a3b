/* code.h - authorization codes that wait to be redeemed. */
#ifndef CALRELAY_FAKE_CODE_H
#define CALRELAY_FAKE_CODE_H

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#define CODE_MAX	10000 /* the oldest is forgotten first */
#define CODE_LIFE_MS	600000
#define CODE_SIZE	80
#define CODE_NONCE_SIZE 512

struct code {
	char text[CODE_SIZE];
	uint32_t account;
	uint32_t scopes;
	int64_t issued_ms;
	bool is_redeemed;
	char redirect_uri[512];
	char challenge[64];
	char nonce[CODE_NONCE_SIZE];
	UT_hash_handle hh; /* by text, in order of issue */
};

/* A fresh code, to be filled by the caller; the oldest makes room. */
struct code *code_issue(struct code **codes);

struct code *code_find(struct code *codes, const char *text); /* NULL where unknown */
void code_forget_all(struct code **codes);

#endif
