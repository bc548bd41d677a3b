/* identity.c - the host's JWT becomes a user id, or nothing. */
#include "connect/identity.h"

#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

#define IDENTITY_AUDIENCE	     "authenticated"
#define IDENTITY_NOT_BEFORE_LEEWAY_S 5 /* the host's clock may be a little ahead of ours */

struct identity_key {
	jwt_alg_t algorithm;
	unsigned char *bytes;
	size_t length;
};

/* The one algorithm that a PEM public key verifies; JWT_ALG_NONE where we know none. */
static jwt_alg_t identity_pem_algorithm(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = bio != NULL ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
	jwt_alg_t algorithm = JWT_ALG_NONE;

	if (key != NULL && EVP_PKEY_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_bits(key) >= 2048) {
		algorithm = JWT_ALG_RS256;
	} else if (key != NULL && EVP_PKEY_base_id(key) == EVP_PKEY_EC &&
		   EVP_PKEY_bits(key) == 256) {
		algorithm = JWT_ALG_ES256;
	}
	EVP_PKEY_free(key);
	BIO_free(bio);
	return algorithm;
}

struct identity_key *identity_key_new(const char *secret, const char *public_key,
				      struct fault *fault)
{
	const char *text = secret != NULL ? secret : public_key;
	struct identity_key *key;

	if ((secret == NULL) == (public_key == NULL)) {
		fault_fatal(
		    fault,
		    "set exactly one of CALRELAY_JWT_SECRET (HS256) and CALRELAY_JWT_PUBLIC_KEY "
		    "(RS256, ES256): %s set",
		    secret == NULL ? "neither is" : "both are");
		return NULL;
	}
	key = calloc(1, sizeof *key);
	if (key == NULL || (key->bytes = (unsigned char *)strdup(text)) == NULL) {
		fault_fatal(fault, "out of memory");
		free(key);
		return NULL;
	}
	key->length = strlen(text);
	key->algorithm = secret != NULL ? JWT_ALG_HS256 : identity_pem_algorithm(public_key);
	if (key->algorithm == JWT_ALG_NONE) {
		fault_fatal(fault,
			    "CALRELAY_JWT_PUBLIC_KEY is not a PEM public key of RSA (2048 bits "
			    "or more) or EC P-256: begin it with -----BEGIN PUBLIC KEY-----");
		identity_key_free(key);
		return NULL;
	}
	return key;
}

void identity_key_free(struct identity_key *key)
{
	if (key != NULL) {
		OPENSSL_cleanse(key->bytes, key->length);
		free(key->bytes);
	}
	free(key);
}

/* The verified payload as JSON text to free, or NULL.  The header is read without a key first, so
 * that no key is ever used with an algorithm it was not given for: HS256 signed with the text of
 * an RSA public key is the classic. */
static char *identity_payload(const struct identity_key *key, const char *token,
			      struct fault *fault)
{
	jwt_t *unverified = NULL;
	jwt_t *jwt = NULL;
	const char *algorithm;
	char *critical = NULL;
	char *payload = NULL;

	if (jwt_decode(&unverified, token, NULL, 0) != 0) {
		fault_auth(fault, "not a JWT");
		goto out;
	}
	algorithm = jwt_get_header(unverified, "alg");
	critical = jwt_get_headers_json(unverified, "crit");
	if (algorithm == NULL || strcmp(algorithm, jwt_alg_str(key->algorithm)) != 0 ||
	    critical != NULL) {
		fault_auth(fault, "JWT of another algorithm than %s, or with unknown extensions",
			   jwt_alg_str(key->algorithm));
		goto out;
	}
	if (jwt_decode(&jwt, token, key->bytes, (int)key->length) != 0 ||
	    jwt_get_alg(jwt) != key->algorithm) {
		fault_auth(fault, "JWT's signature is wrong");
		goto out;
	}
	payload = jwt_get_grants_json(jwt, NULL);
	if (payload == NULL) {
		fault_auth(fault, "JWT without a payload");
	}
out:
	if (critical != NULL) {
		free(critical);
	}
	if (unverified != NULL) {
		jwt_free(unverified);
	}
	if (jwt != NULL) {
		jwt_free(jwt);
	}
	return payload;
}

static bool identity_audience_is_ours(const cJSON *claims)
{
	const char *single = json_text(claims, "aud");
	const cJSON *item;

	if (single != NULL) {
		return strcmp(single, IDENTITY_AUDIENCE) == 0;
	}
	cJSON_ArrayForEach(item, json_array(claims, "aud"))
	{
		if (cJSON_IsString(item) && strcmp(item->valuestring, IDENTITY_AUDIENCE) == 0) {
			return true;
		}
	}
	return false;
}

static bool identity_is_valid_at(const cJSON *claims, int64_t now_s, int64_t *expires_s,
				 struct fault *fault)
{
	int64_t not_before_s;

	if (!json_integer(claims, "exp", expires_s) || *expires_s <= now_s) {
		return fault_auth(fault, "JWT has expired, or never does");
	}
	if (json_member(claims, "nbf") != NULL &&
	    (!json_integer(claims, "nbf", &not_before_s) ||
	     not_before_s > now_s + IDENTITY_NOT_BEFORE_LEEWAY_S)) {
		return fault_auth(fault, "JWT is not valid yet");
	}
	return true;
}

/* service_role and anon tokens carry other roles; is_anonymous marks a person without an account.
 */
static bool identity_is_person(const cJSON *claims, struct fault *fault)
{
	const cJSON *anonymous = json_member(claims, "is_anonymous");
	const char *role = json_text(claims, "role");

	if (!identity_audience_is_ours(claims)) {
		return fault_auth(fault, "JWT is for another audience");
	}
	if (json_member(claims, "role") != NULL &&
	    (role == NULL || strcmp(role, IDENTITY_AUDIENCE) != 0)) {
		return fault_auth(fault, "JWT is not a signed-in person's");
	}
	if (anonymous != NULL && !cJSON_IsFalse(anonymous)) {
		return fault_auth(fault, "JWT is an anonymous user's");
	}
	return true;
}

static bool identity_from_claims(const cJSON *claims, int64_t now_s, struct identity *identity,
				 struct fault *fault)
{
	const char *subject = json_text(claims, "sub");
	struct uuid user;

	if (!identity_is_valid_at(claims, now_s, &identity->expires_s, fault) ||
	    !identity_is_person(claims, fault)) {
		return false;
	}
	if (subject == NULL || !uuid_parse(subject, &user)) {
		return fault_auth(fault, "JWT's sub is not a UUID");
	}
	uuid_format(&user, identity->user_id);
	return true;
}

bool identity_read(const struct identity_key *key, const char *token, int64_t now_s,
		   struct identity *identity, struct fault *fault)
{
	char *payload;
	cJSON *claims;
	bool ok;

	if (strlen(token) > IDENTITY_TOKEN_MAX_BYTES) {
		return fault_auth(fault, "JWT longer than %d bytes", IDENTITY_TOKEN_MAX_BYTES);
	}
	payload = identity_payload(key, token, fault);
	if (payload == NULL) {
		return false;
	}
	claims = json_parse(payload, strlen(payload), IDENTITY_TOKEN_MAX_BYTES, fault);
	free(payload);
	ok = claims != NULL && identity_from_claims(claims, now_s, identity, fault);
	cJSON_Delete(claims);
	if (!ok) {
		fault->kind = FAULT_AUTH; /* whatever is wrong with it, it gives nobody access */
	}
	return ok;
}
