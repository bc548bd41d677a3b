/* assertion.c - reads and verifies client assertions. */
#include "tests/fake/assertion.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "common/base64.h"
#include "common/json.h"
#include "tests/fake/ascii.h"

#define WRONG_KEY      700027 /* also of whatever is no assertion at all */
#define WRONG_TIME     700024
#define WRONG_AUDIENCE 700023
#define WRONG_NAME     700021
#define NO_ISSUER      700211
#define NO_AUDIENCE    700212
#define NO_SUBJECT     700213

#define SKEW_S 1 /* msal-node rounds its clock to the nearest second, so up as well */

/* One JWT, taken apart. */
struct assertion {
	cJSON *header;
	cJSON *claims;
	size_t signed_bytes; /* from the beginning */
	struct buf signature;
};

/* ---- what is registered ---- */

bool assertion_register_certificate(struct assertion_trust *trust, const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	unsigned char hash[SHA256_DIGEST_LENGTH];
	unsigned length = 0;
	struct buf text;
	bool ok = certificate != NULL && X509_digest(certificate, EVP_sha256(), hash, &length) == 1;

	if (ok) {
		buf_init(&text, ASSERTION_THUMBPRINT_SIZE);
		base64url_encode(&text, hash, sizeof hash);
		snprintf(trust->thumbprint, sizeof trust->thumbprint, "%s", buf_string(&text));
		buf_close(&text);
		trust->certificate_key = X509_get_pubkey(certificate);
		ok = trust->certificate_key != NULL &&
		     EVP_PKEY_base_id(trust->certificate_key) == EVP_PKEY_RSA;
	}
	X509_free(certificate);
	BIO_free(bio);
	return ok;
}

bool assertion_register_issuer(struct assertion_trust *trust, const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);

	trust->federated_key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	BIO_free(bio);
	return trust->federated_key != NULL &&
	       EVP_PKEY_base_id(trust->federated_key) == EVP_PKEY_RSA;
}

void assertion_forget(struct assertion_trust *trust)
{
	EVP_PKEY_free(trust->certificate_key);
	EVP_PKEY_free(trust->federated_key);
	jti_forget_all(&trust->seen);
	*trust = (struct assertion_trust){0};
}

/* ---- reading ---- */

/* The JSON object in a part of a JWT, or NULL. */
static cJSON *read_part(const char *part, size_t length)
{
	struct buf text;
	struct buf json;
	struct fault why;
	cJSON *document = NULL;

	buf_init(&text, ASSERTION_MAX_BYTES);
	buf_init(&json, ASSERTION_MAX_BYTES);
	buf_add(&text, part, length);
	if (base64url_decode(&json, buf_string(&text))) {
		document = json_parse(buf_string(&json), json.length, ASSERTION_MAX_BYTES, &why);
	}
	buf_close(&text);
	buf_close(&json);
	return document;
}

static bool read_assertion(const char *jwt, struct assertion *assertion)
{
	size_t header = strcspn(jwt, ".");
	const char *claims = jwt + header + (jwt[header] == '.');
	size_t length = strcspn(claims, ".");

	if (strlen(jwt) > ASSERTION_MAX_BYTES || claims[length] != '.') {
		return false;
	}
	assertion->signed_bytes = (size_t)(claims + length - jwt);
	assertion->header = read_part(jwt, header);
	assertion->claims = read_part(claims, length);
	return cJSON_IsObject(assertion->header) && cJSON_IsObject(assertion->claims) &&
	       base64url_decode(&assertion->signature, claims + length + 1);
}

static bool is_signed(const char *jwt, const struct assertion *assertion, EVP_PKEY *key,
		      int padding)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *rsa = NULL;
	bool ok = context != NULL &&
		  EVP_DigestVerifyInit(context, &rsa, EVP_sha256(), NULL, key) == 1 &&
		  EVP_PKEY_CTX_set_rsa_padding(rsa, padding) == 1 &&
		  (padding != RSA_PKCS1_PSS_PADDING ||
		   EVP_PKEY_CTX_set_rsa_pss_saltlen(rsa, RSA_PSS_SALTLEN_DIGEST) == 1) &&
		  EVP_DigestVerify(context, (const unsigned char *)assertion->signature.data,
				   assertion->signature.length, (const unsigned char *)jwt,
				   assertion->signed_bytes) == 1;

	EVP_MD_CTX_free(context);
	return ok;
}

static bool says(const cJSON *part, const char *key, const char *value)
{
	const char *text = json_text(part, key);

	return text != NULL && strcmp(text, value) == 0;
}

static bool is_in_time(const cJSON *claims, int64_t now_s)
{
	int64_t begins_s = 0;
	int64_t ends_s = 0;

	return json_integer(claims, "nbf", &begins_s) && json_integer(claims, "exp", &ends_s) &&
	       begins_s <= now_s + SKEW_S && now_s < ends_s;
}

/* ---- the two kinds ---- */

/* Signed by the application itself. */
static int check_own(struct assertion_trust *trust, const char *jwt,
		     const struct assertion *assertion, const struct assertion_wanted *wanted)
{
	const cJSON *claims = assertion->claims;
	const char *jti = json_text(claims, "jti");
	int64_t ends_s = 0;

	if (trust->certificate_key == NULL || !says(assertion->header, "alg", "PS256") ||
	    !says(assertion->header, "typ", "JWT") ||
	    !says(assertion->header, "x5t#S256", trust->thumbprint) ||
	    !is_signed(jwt, assertion, trust->certificate_key, RSA_PKCS1_PSS_PADDING)) {
		return WRONG_KEY;
	}
	if (!says(claims, "iss", wanted->client_id) || !says(claims, "sub", wanted->client_id)) {
		return WRONG_NAME;
	}
	if (!says(claims, "aud", wanted->token_url)) {
		return WRONG_AUDIENCE;
	}
	if (!is_in_time(claims, wanted->now_s) || !json_integer(claims, "exp", &ends_s) ||
	    ends_s > wanted->now_s + ASSERTION_LIFE_MAX_S + SKEW_S) {
		return WRONG_TIME;
	}
	if (jti == NULL || *jti == '\0' || strlen(jti) >= JTI_SIZE) {
		return WRONG_KEY;
	}
	return jti_note(&trust->seen, jti) && wanted->once ? WRONG_KEY : 0;
}

/* Kubernetes writes a list of audiences, also of one. */
static bool is_for_exchange(const cJSON *claims)
{
	const cJSON *list = json_array(claims, "aud");
	const char *only = json_item_text(list, 0);

	return says(claims, "aud", ASSERTION_AUDIENCE) ||
	       (cJSON_GetArraySize(list) == 1 && only != NULL &&
		strcmp(only, ASSERTION_AUDIENCE) == 0);
}

/* Made by an issuer that the application trusts. */
static int check_federated(const struct assertion_trust *trust, const char *jwt,
			   const struct assertion *assertion, const struct assertion_wanted *wanted)
{
	const cJSON *claims = assertion->claims;

	if (trust->federated_key == NULL || !says(claims, "iss", trust->issuer)) {
		return NO_ISSUER;
	}
	if (!says(assertion->header, "alg", "RS256") ||
	    !is_signed(jwt, assertion, trust->federated_key, RSA_PKCS1_PADDING)) {
		return WRONG_KEY;
	}
	if (!is_for_exchange(claims)) {
		return NO_AUDIENCE;
	}
	if (!ascii_list_has(trust->subjects, json_text(claims, "sub"))) {
		return NO_SUBJECT;
	}
	return is_in_time(claims, wanted->now_s) ? 0 : WRONG_TIME;
}

int assertion_check(struct assertion_trust *trust, const char *jwt,
		    const struct assertion_wanted *wanted)
{
	struct assertion assertion = {0};
	int number = WRONG_KEY;

	buf_init(&assertion.signature, ASSERTION_MAX_BYTES);
	if (read_assertion(jwt, &assertion)) {
		bool is_own = json_member(assertion.header, "x5t#S256") != NULL ||
			      json_member(assertion.header, "x5t") != NULL;

		number = is_own ? check_own(trust, jwt, &assertion, wanted)
				: check_federated(trust, jwt, &assertion, wanted);
	}
	cJSON_Delete(assertion.header);
	cJSON_Delete(assertion.claims);
	buf_close(&assertion.signature);
	return number;
}
