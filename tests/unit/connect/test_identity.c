/* test_identity.c - whom a JWT makes you, and above all whom it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "connect/identity.h"

#define NOW_S 1800000000

static const char SECRET[] = "a-secret-of-the-host-that-is-long-enough";
static const char USER[] = "0b7c4c8e-5a3f-4a52-9f0e-6d1f6f2a7c11";

struct pems {
	char *private_key;
	char *public_key;
};

static char *text_of_bio(BIO *bio)
{
	char *bytes;
	long length = BIO_get_mem_data(bio, &bytes);
	char *text = strndup(bytes, (size_t)length);

	BIO_free(bio);
	return text;
}

static struct pems pems_of(EVP_PKEY *key)
{
	BIO *private_key = BIO_new(BIO_s_mem());
	BIO *public_key = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(private_key, key, NULL, NULL, 0, NULL, NULL),
			 1);
	assert_int_equal(PEM_write_bio_PUBKEY(public_key, key), 1);
	EVP_PKEY_free(key);
	return (struct pems){text_of_bio(private_key), text_of_bio(public_key)};
}

static void pems_free(struct pems *pems)
{
	free(pems->private_key);
	free(pems->public_key);
}

/* {"sub":USER,"aud":"authenticated","exp":NOW_S+60}, with one claim replaced or added. */
static char *sign(jwt_alg_t algorithm, const char *key, const char *claim, const char *json)
{
	char grants[512];
	jwt_t *jwt;
	char *token;

	snprintf(grants, sizeof grants, "{\"sub\":\"%s\",\"aud\":\"authenticated\",\"exp\":%d}",
		 USER, NOW_S + 60);
	assert_int_equal(jwt_new(&jwt), 0);
	assert_int_equal(jwt_add_grants_json(jwt, grants), 0);
	if (claim != NULL) {
		jwt_del_grants(jwt, claim);
		if (json != NULL) {
			snprintf(grants, sizeof grants, "{\"%s\":%s}", claim, json);
			assert_int_equal(jwt_add_grants_json(jwt, grants), 0);
		}
	}
	assert_int_equal(
	    jwt_set_alg(jwt, algorithm, (const unsigned char *)key, key ? (int)strlen(key) : 0), 0);
	token = jwt_encode_str(jwt);
	assert_non_null(token);
	jwt_free(jwt);
	return token;
}

/* Frees the token. */
static bool reads_with(struct identity_key *key, char *token, struct identity *identity)
{
	struct fault fault = {0};
	bool ok = identity_read(key, token, NOW_S, identity, &fault);

	if (!ok) {
		assert_int_equal(fault.kind, FAULT_AUTH);
	}
	free(token);
	return ok;
}

static bool reads(char *token)
{
	struct fault fault;
	struct identity identity;
	struct identity_key *key = identity_key_new(SECRET, NULL, &fault);
	bool ok = reads_with(key, token, &identity);

	identity_key_free(key);
	return ok;
}

static bool reads_claim(const char *claim, const char *json)
{
	return reads(sign(JWT_ALG_HS256, SECRET, claim, json));
}

static void hs256_token_of_the_host_names_its_user(void **state)
{
	struct fault fault;
	struct identity identity;
	struct identity_key *key = identity_key_new(SECRET, NULL, &fault);

	(void)state;
	assert_true(reads_with(
	    key, sign(JWT_ALG_HS256, SECRET, "sub", "\"0B7C4C8E-5A3F-4A52-9F0E-6D1F6F2A7C11\""),
	    &identity));
	assert_string_equal(identity.user_id, USER);
	assert_int_equal(identity.expires_s, NOW_S + 60);
	identity_key_free(key);
}

/* Bad input 37, as what follows. */
static void rsa_and_ec_keys_verify_their_own_algorithm_only(void **state)
{
	struct fault fault;
	struct identity identity;
	struct pems rsa = pems_of(EVP_RSA_gen(2048));
	struct pems ec = pems_of(EVP_EC_gen("P-256"));
	struct identity_key *rsa_key = identity_key_new(NULL, rsa.public_key, &fault);
	struct identity_key *ec_key = identity_key_new(NULL, ec.public_key, &fault);

	(void)state;
	assert_non_null(rsa_key);
	assert_non_null(ec_key);
	assert_true(
	    reads_with(rsa_key, sign(JWT_ALG_RS256, rsa.private_key, NULL, NULL), &identity));
	assert_true(reads_with(ec_key, sign(JWT_ALG_ES256, ec.private_key, NULL, NULL), &identity));
	assert_false(
	    reads_with(rsa_key, sign(JWT_ALG_RS512, rsa.private_key, NULL, NULL), &identity));
	assert_false(
	    reads_with(rsa_key, sign(JWT_ALG_ES256, ec.private_key, NULL, NULL), &identity));
	assert_false(
	    reads_with(ec_key, sign(JWT_ALG_RS256, rsa.private_key, NULL, NULL), &identity));
	identity_key_free(rsa_key);
	identity_key_free(ec_key);
	pems_free(&rsa);
	pems_free(&ec);
}

static void hs256_signed_with_the_text_of_an_rsa_key_is_refused(void **state)
{
	struct fault fault;
	struct identity identity;
	struct pems rsa = pems_of(EVP_RSA_gen(2048));
	struct identity_key *key = identity_key_new(NULL, rsa.public_key, &fault);

	(void)state;
	assert_false(reads_with(key, sign(JWT_ALG_HS256, rsa.public_key, NULL, NULL), &identity));
	identity_key_free(key);
	pems_free(&rsa);
}

static void unsigned_token_is_refused(void **state)
{
	char *unsigned_token = sign(JWT_ALG_NONE, NULL, NULL, NULL);

	(void)state;
	assert_false(reads(strdup(unsigned_token)));
	unsigned_token[strlen(unsigned_token) - 1] = '\0'; /* without the last dot */
	assert_false(reads(unsigned_token));
}

static void other_secret_other_algorithm_and_altered_payload_are_refused(void **state)
{
	char *token = sign(JWT_ALG_HS256, SECRET, NULL, NULL);

	(void)state;
	assert_false(
	    reads(sign(JWT_ALG_HS256, "another-secret-that-is-long-enough-too", NULL, NULL)));
	assert_false(reads(sign(JWT_ALG_HS512, SECRET, NULL, NULL)));
	strchr(token, '.')[5] ^= 1;
	assert_false(reads(token));
}

static void what_is_no_jwt_is_refused(void **state)
{
	char *huge = calloc(1, 20001);

	(void)state;
	memset(huge, 'a', 20000);
	assert_false(reads(strdup("")));
	assert_false(reads(strdup("..")));
	assert_false(reads(strdup("a.b.c")));
	assert_false(reads(strdup("Bearer")));
	assert_false(reads(strdup("eyJhbGciOiJIUzI1NiJ9")));
	assert_false(reads(huge));
}

static void token_lives_from_nbf_to_exp(void **state)
{
	char just_now[32];
	char soon[32];

	(void)state;
	snprintf(just_now, sizeof just_now, "%d", NOW_S);
	snprintf(soon, sizeof soon, "%d", NOW_S + 30);
	assert_false(reads_claim("exp", just_now));
	assert_false(reads_claim("exp", NULL));
	assert_false(reads_claim("exp", "\"2099-01-01\""));
	assert_false(reads_claim("exp", "-1"));
	assert_true(reads_claim("exp", soon));
	assert_true(reads_claim("nbf", just_now));
	assert_false(reads_claim("nbf", soon));
	assert_false(reads_claim("nbf", "\"now\""));
}

static void audience_must_be_authenticated(void **state)
{
	(void)state;
	assert_true(reads_claim("aud", "[\"other\",\"authenticated\"]"));
	assert_false(reads_claim("aud", "\"authenticated2\""));
	assert_false(reads_claim("aud", "[\"other\"]"));
	assert_false(reads_claim("aud", "[]"));
	assert_false(reads_claim("aud", NULL));
}

static void service_role_anon_and_anonymous_are_nobody(void **state)
{
	(void)state;
	assert_true(reads_claim("role", "\"authenticated\""));
	assert_false(reads_claim("role", "\"service_role\""));
	assert_false(reads_claim("role", "\"anon\""));
	assert_false(reads_claim("role", "null"));
	assert_true(reads_claim("is_anonymous", "false"));
	assert_false(reads_claim("is_anonymous", "true"));
	assert_false(reads_claim("is_anonymous", "\"no\""));
}

static void subject_must_be_a_uuid(void **state)
{
	(void)state;
	assert_false(reads_claim("sub", "\"admin\""));
	assert_false(reads_claim("sub", "7"));
	assert_false(reads_claim("sub", NULL));
	assert_false(reads_claim("sub", "\"0b7c4c8e-5a3f-4a52-9f0e-6d1f6f2a7c11' OR 1=1\""));
}

static void exactly_one_key_is_configured(void **state)
{
	struct fault fault;
	struct pems rsa = pems_of(EVP_RSA_gen(1024));
	struct pems ed = pems_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));

	(void)state;
	assert_null(identity_key_new(NULL, NULL, &fault));
	assert_non_null(strstr(fault.what, "neither"));
	assert_null(identity_key_new("a", "b", &fault));
	assert_non_null(strstr(fault.what, "both"));
	assert_null(identity_key_new(NULL, "not a key", &fault));
	assert_int_equal(fault.kind, FAULT_FATAL);
	assert_null(identity_key_new(NULL, rsa.public_key, &fault)); /* too short to be safe */
	assert_null(identity_key_new(NULL, ed.public_key, &fault));
	assert_null(identity_key_new(NULL, ed.private_key, &fault));
	pems_free(&rsa);
	pems_free(&ed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hs256_token_of_the_host_names_its_user),
	    cmocka_unit_test(rsa_and_ec_keys_verify_their_own_algorithm_only),
	    cmocka_unit_test(hs256_signed_with_the_text_of_an_rsa_key_is_refused),
	    cmocka_unit_test(unsigned_token_is_refused),
	    cmocka_unit_test(other_secret_other_algorithm_and_altered_payload_are_refused),
	    cmocka_unit_test(what_is_no_jwt_is_refused),
	    cmocka_unit_test(token_lives_from_nbf_to_exp),
	    cmocka_unit_test(audience_must_be_authenticated),
	    cmocka_unit_test(service_role_anon_and_anonymous_are_nobody),
	    cmocka_unit_test(subject_must_be_a_uuid),
	    cmocka_unit_test(exactly_one_key_is_configured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
