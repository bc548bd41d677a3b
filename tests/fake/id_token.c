/* id_token.c - who signed in, as a JWT. */
#include "tests/fake/id_token.h"

#include <jwt.h>
#include <stdio.h>
#include <stdlib.h>

#define ID_TOKEN_LIFE_S 3600

static void must(int status)
{
	if (status != 0) {
		fputs("libjwt can't make a token\n", stderr);
		abort();
	}
}

/* The account's identifier within this application: another one than its oid. */
static void id_token_subject(const struct identity *identity, const struct account *account,
			     char text[UUID_TEXT_SIZE])
{
	struct uuid space = {0};
	struct uuid subject;

	uuid_parse(account->id, &space);
	subject = uuid_named(&space, identity->client_id);
	uuid_format(&subject, text);
}

static void id_token_add_person(jwt_t *jwt, const struct identity *identity,
				const struct identity_grant *grant)
{
	char subject[UUID_TEXT_SIZE];

	id_token_subject(identity, grant->account, subject);
	must(jwt_add_grant(jwt, "sub", subject));
	must(jwt_add_grant(jwt, "oid", grant->account->id));
	must(jwt_add_grant(jwt, "tid", identity->tenant_id));
	must(jwt_add_grant(jwt, "name", grant->account->display_name));
	must(jwt_add_grant(jwt, "preferred_username", grant->account->email));
	must(jwt_add_grant(jwt, "email", grant->account->email));
	if (grant->nonce[0] != '\0') {
		must(jwt_add_grant(jwt, "nonce", grant->nonce));
	}
}

void id_token_write(struct identity *identity, const struct identity_grant *grant,
		    const char *base_url, int64_t now_ms, struct buf *out)
{
	const struct signer *signer = signer_open(&identity->signer);
	char issuer[512];
	jwt_t *jwt = NULL;
	char *text;

	snprintf(issuer, sizeof issuer, "%s/%s/v2.0", base_url, identity->tenant_id);
	must(jwt_new(&jwt));
	must(jwt_add_grant(jwt, "ver", "2.0"));
	must(jwt_add_grant(jwt, "iss", issuer));
	must(jwt_add_grant(jwt, "aud", identity->client_id));
	must(jwt_add_grant_int(jwt, "iat", (long)(now_ms / 1000)));
	must(jwt_add_grant_int(jwt, "nbf", (long)(now_ms / 1000)));
	must(jwt_add_grant_int(jwt, "exp", (long)(now_ms / 1000 + ID_TOKEN_LIFE_S)));
	id_token_add_person(jwt, identity, grant);
	must(jwt_add_header(jwt, "kid", buf_string(&signer->id)));
	must(jwt_set_alg(jwt, JWT_ALG_RS256, (const unsigned char *)signer->pem.data,
			 (int)signer->pem.length));
	text = jwt_encode_str(jwt);
	must(text == NULL);
	buf_text(out, text);
	free(text);
	jwt_free(jwt);
}
