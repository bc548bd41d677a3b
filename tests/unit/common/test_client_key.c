/* test_client_key.c - the assertion's bytes, and every PEM that is no key with its certificate. */
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/base64.h"
#include "common/client_key.h"
#include "tests/unit/common/pem.h"

#define DAY_S 86400L

static const struct client_key_claims CLAIMS = {
    .client_id = "11111111-2222-3333-4444-555555555555",
    .token_url = "https://login.example/t/oauth2/v2.0/token",
    .jti = "the one and only",
    .now_s = 1700000000,
};

static EVP_PKEY *rsa;
static EVP_PKEY *other;
static char *rsa_key;
static char *rsa_certificate;
static char *other_certificate;

static int begin(void **state)
{
	(void)state;
	rsa = EVP_RSA_gen(2048);
	other = EVP_RSA_gen(2048);
	rsa_key = pem_of_key(rsa, NULL);
	rsa_certificate = pem_of_certificate(rsa, -DAY_S, 100 * DAY_S);
	other_certificate = pem_of_certificate(other, -DAY_S, 100 * DAY_S);
	return 0;
}

static int end(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(other);
	free(rsa_key);
	free(rsa_certificate);
	free(other_certificate);
	return 0;
}

static struct client_key *key_of(const char *first, const char *second, struct fault *fault)
{
	char *pem = pem_joined(first, second);
	struct client_key *key = client_key_new(pem, fault);

	free(pem);
	return key;
}

static void assert_refused(const char *first, const char *second, const char *why)
{
	struct fault fault = {0};

	assert_null(key_of(first, second, &fault));
	assert_int_equal(fault.kind, FAULT_FATAL);
	assert_non_null(strstr(fault.what, "MICROSOFT_CLIENT_CERTIFICATE"));
	if (strstr(fault.what, why) == NULL) {
		fail_msg("'%s' does not say '%s'", fault.what, why);
	}
}

/* ---- reading ---- */

static void a_key_and_its_certificate_are_taken_in_any_order(void **state)
{
	struct fault fault;
	char *chain = pem_joined(other_certificate, rsa_certificate);
	struct client_key *keys[] = {key_of(rsa_key, rsa_certificate, &fault),
				     key_of(rsa_certificate, rsa_key, &fault),
				     key_of(chain, rsa_key, &fault)};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_non_null(keys[i]);
		assert_in_range(client_key_ends_s(keys[i]), time(NULL) + 100 * DAY_S - 60,
				time(NULL) + 100 * DAY_S);
		assert_in_range(client_key_begins_s(keys[i]), time(NULL) - DAY_S - 60,
				time(NULL) - DAY_S);
		client_key_free(keys[i]);
	}
	free(chain);
}

static void what_is_no_key_with_its_certificate_is_refused(void **state)
{
	char *encrypted = pem_of_key(rsa, "pass phrase");
	char *cut = strndup(rsa_key, strlen(rsa_key) / 2);

	(void)state;
	assert_refused("", "", "no private key");
	assert_refused("nonsense", rsa_certificate, "no private key");
	assert_refused(cut, rsa_certificate, "no private key");
	assert_refused(encrypted, rsa_certificate, "not encrypted");
	assert_refused(rsa_key, "", "no certificate");
	assert_refused(rsa_key, rsa_key, "no certificate");
	assert_refused(rsa_key, other_certificate, "other keys");
	free(encrypted);
	free(cut);
}

/* An RSA key of the kind id-RSASSA-PSS, which a certificate for Microsoft is not. */
static EVP_PKEY *restricted_key(void)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA_PSS, NULL);
	EVP_PKEY *key = NULL;

	assert_int_equal(EVP_PKEY_keygen_init(context), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048), 1);
	assert_int_equal(EVP_PKEY_keygen(context, &key), 1);
	EVP_PKEY_CTX_free(context);
	return key;
}

static void a_weak_key_and_one_that_is_not_rsa_are_refused(void **state)
{
	EVP_PKEY *weak = EVP_RSA_gen(1024);
	EVP_PKEY *curve = EVP_EC_gen("P-256");
	EVP_PKEY *pss = restricted_key();
	char *weak_key = pem_of_key(weak, NULL);
	char *weak_certificate = pem_of_certificate(weak, 0, DAY_S);
	char *curve_key = pem_of_key(curve, NULL);
	char *curve_certificate = pem_of_certificate(curve, 0, DAY_S);
	char *pss_key = pem_of_key(pss, NULL);

	(void)state;
	assert_refused(weak_key, weak_certificate, "2048 bits");
	assert_refused(curve_key, curve_certificate, "RSA");
	assert_refused(pss_key, rsa_certificate, "an RSA key");
	free(weak_key);
	free(weak_certificate);
	free(curve_key);
	free(curve_certificate);
	free(pss_key);
	EVP_PKEY_free(pss);
	EVP_PKEY_free(weak);
	EVP_PKEY_free(curve);
}

/* ---- writing ---- */

static char *assertion(void)
{
	struct fault fault;
	struct client_key *key = key_of(rsa_key, rsa_certificate, &fault);
	struct buf out;

	assert_non_null(key);
	buf_init(&out, CLIENT_KEY_ASSERTION_MAX);
	assert_true(client_key_assert(key, &CLAIMS, &out, &fault));
	client_key_free(key);
	return buf_steal(&out);
}

/* A part of a JWT, decoded; closed by the caller. */
static struct buf part_of(const char *jwt, int index)
{
	char part[4096];
	struct buf out;

	for (; index > 0; index--) {
		jwt = strchr(jwt, '.') + 1;
	}
	snprintf(part, sizeof part, "%.*s", (int)strcspn(jwt, "."), jwt);
	buf_init(&out, sizeof part);
	assert_true(base64url_decode(&out, part));
	return out;
}

static void assert_part(const char *jwt, int index, const char *wanted)
{
	struct buf part = part_of(jwt, index);

	assert_string_equal(buf_string(&part), wanted);
	buf_close(&part);
}

static void an_assertion_says_who_for_whom_and_how_long(void **state)
{
	char *jwt = assertion();
	BIO *bio = BIO_new_mem_buf(rsa_certificate, -1);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	unsigned char hash[SHA256_DIGEST_LENGTH];
	struct buf header;

	(void)state;
	X509_digest(certificate, EVP_sha256(), hash, NULL);
	buf_init(&header, 1000);
	buf_text(&header, "{\"alg\":\"PS256\",\"typ\":\"JWT\",\"x5t#S256\":\"");
	base64url_encode(&header, hash, sizeof hash);
	buf_text(&header, "\"}");
	assert_part(jwt, 0, buf_string(&header));
	assert_part(jwt, 1,
		    "{\"aud\":\"https://login.example/t/oauth2/v2.0/token\","
		    "\"iss\":\"11111111-2222-3333-4444-555555555555\","
		    "\"sub\":\"11111111-2222-3333-4444-555555555555\","
		    "\"jti\":\"the one and only\","
		    "\"nbf\":1700000000,\"iat\":1700000000,\"exp\":1700000600}");
	buf_close(&header);
	X509_free(certificate);
	BIO_free(bio);
	free(jwt);
}

static bool verifies(const char *jwt, EVP_PKEY *key, int salt)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pss = NULL;
	struct buf signature = part_of(jwt, 2);
	bool ok;

	assert_int_equal(EVP_DigestVerifyInit(context, &pss, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pss, RSA_PKCS1_PSS_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pss, salt), 1);
	ok = EVP_DigestVerify(context, (const unsigned char *)signature.data, signature.length,
			      (const unsigned char *)jwt, (size_t)(strrchr(jwt, '.') - jwt)) == 1;
	EVP_MD_CTX_free(context);
	buf_close(&signature);
	return ok;
}

static void its_signature_is_pss_with_a_salt_of_32_bytes(void **state)
{
	char *jwt = assertion();

	(void)state;
	assert_true(verifies(jwt, rsa, 32));
	assert_false(verifies(jwt, rsa, 20));
	assert_false(verifies(jwt, other, 32));
	strchr(jwt, '.')[1] ^= 1;
	assert_false(verifies(jwt, rsa, 32));
	free(jwt);
}

static void what_does_not_fit_is_said(void **state)
{
	struct fault fault = {0};
	struct client_key *key = key_of(rsa_key, rsa_certificate, &fault);
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_false(client_key_assert(key, &CLAIMS, &out, &fault));
	assert_int_equal(fault.kind, FAULT_FATAL);
	buf_close(&out);
	client_key_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_key_and_its_certificate_are_taken_in_any_order),
	    cmocka_unit_test(what_is_no_key_with_its_certificate_is_refused),
	    cmocka_unit_test(a_weak_key_and_one_that_is_not_rsa_are_refused),
	    cmocka_unit_test(an_assertion_says_who_for_whom_and_how_long),
	    cmocka_unit_test(its_signature_is_pss_with_a_salt_of_32_bytes),
	    cmocka_unit_test(what_does_not_fit_is_said),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
