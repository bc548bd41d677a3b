/* identity.h - Entra's rules: who may ask for a code, what a code or refresh token brings.
 *
 * Pure: texts and time in, decisions out.  Refusals carry Entra's numbers (AADSTS...). */
#ifndef CALRELAY_FAKE_IDENTITY_H
#define CALRELAY_FAKE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "tests/fake/account.h"
#include "tests/fake/assertion.h"
#include "tests/fake/bearer.h"
#include "tests/fake/code.h"
#include "tests/fake/scope.h"
#include "tests/fake/signer.h"

#define IDENTITY_REFRESH_LIFE_MS (INT64_C(90) * 86400000)

/* The registration, and codes under way. */
struct identity {
	const char *client_id;
	const char *client_secret;
	struct assertion_trust trust;
	const char *redirect_uris; /* joined by commas */
	const char *tenant_id;
	unsigned char key[BEARER_KEY_BYTES];
	struct signer signer;
	struct code *codes;
	uint32_t approved; /* scopes that an administrator has consented to for everybody */
};

struct identity_problem {
	int status;
	const char *error;    /* invalid_grant, ... */
	int number;	      /* AADSTS */
	const char *suberror; /* or NULL */
	char text[200];
};

/* The query of authorize; any may be NULL. */
struct identity_question {
	const char *tenant;
	const char *client_id;
	const char *redirect_uri;
	const char *response_type;
	const char *response_mode;
	const char *scope;
	const char *state;
	const char *code_challenge;
	const char *code_challenge_method;
	const char *nonce;
	const char *prompt;
	uint32_t scopes; /* filled by identity_check */
};

enum identity_verdict {
	IDENTITY_GOOD,
	IDENTITY_TELL_APPLICATION, /* redirect with the error */
	IDENTITY_TELL_PERSON,	   /* the redirect itself is not to be trusted: a page */
};

/* The form of token; any may be NULL.  And how it came. */
struct identity_demand {
	const char *tenant;
	const char *client_id;
	const char *client_secret;
	const char *client_assertion;
	const char *client_assertion_type;
	const char *grant_type;
	const char *code;
	const char *redirect_uri;
	const char *code_verifier;
	const char *refresh_token;
	const char *scope;
	const char *token_url; /* as the client addressed it */
	bool assertions_once;  /* each may be used a single time */
};

struct identity_grant {
	struct account *account;
	uint32_t scopes;
	bool is_refresh;
	char nonce[CODE_NONCE_SIZE]; /* "" for none */
};

bool identity_knows_tenant(const struct identity *identity, const char *tenant);

enum identity_verdict identity_check(const struct identity *identity,
				     struct identity_question *question,
				     struct identity_problem *problem);

/* The same for an administrator's consent, which needs tenant, client, redirect and scope. */
enum identity_verdict identity_check_approval(const struct identity *identity,
					      struct identity_question *question,
					      struct identity_problem *problem);

/* Whether people who may not consent themselves (but administrators for them) may go on. */
bool identity_is_approved(const struct identity *identity,
			  const struct identity_question *question);

/* A fresh code for a checked question. */
void identity_issue_code(struct identity *identity, const struct identity_question *question,
			 const struct account *account, int64_t now_ms, char text[CODE_SIZE]);

/* Whose code or refresh token the demand carries, without redeeming it; NULL where unknown. */
struct account *identity_peek(const struct identity *identity, const struct accounts *accounts,
			      const struct identity_demand *demand);

bool identity_redeem(struct identity *identity, const struct accounts *accounts,
		     const struct identity_demand *demand, int64_t now_ms,
		     struct identity_grant *grant, struct identity_problem *problem);

/* Why an access token is refused. */
struct identity_denial {
	const char *why;
	bool has_claims; /* continuous access evaluation: a newer token may serve */
};

/* The account of a live access token, with its scopes; NULL with why not. */
struct account *identity_authenticate(const struct identity *identity,
				      const struct accounts *accounts, const char *authorization,
				      int64_t now_ms, uint32_t *scopes,
				      struct identity_denial *denial);

void identity_write_problem(const struct identity_problem *problem, int64_t now_ms,
			    struct buf *out);

#endif
