/* consent.c - authorize URL, id_token, granted scopes. */
#include "connect/consent.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base64.h"
#include "common/json.h"
#include "common/utf8.h"

#define CONSENT_ID_TOKEN_MAX_BYTES 32768
#define CONSENT_SCOPES_MAX_BYTES   1024
#define CONSENT_CLOCK_LEEWAY_S	   300 /* Entra's own allowance between clocks */

/* The tenant of all personal Microsoft accounts. */
static const char PERSONAL_TENANT[] = "9188040d-6c67-4c5b-b112-36a304b66dad";

bool consent_make(struct consent *consent, struct fault *fault)
{
	return secret_make(consent->state, fault) && secret_make(consent->verifier, fault) &&
	       secret_make(consent->nonce, fault);
}

static void consent_field(struct buf *out, const char *name, const char *value)
{
	buf_format(out, "&%s=", name);
	http_encode(out, value);
}

static void consent_scopes(struct buf *out, enum scope_mailbox mailbox)
{
	struct buf scopes;

	buf_init(&scopes, CONSENT_SCOPES_MAX_BYTES);
	scope_write(&scopes, mailbox);
	http_encode(out, buf_string(&scopes));
	out->failed = out->failed || scopes.failed;
	buf_close(&scopes);
}

void consent_url(struct buf *out, const struct oauth_client *client, const struct consent *consent)
{
	char challenge[SECRET_SIZE];

	secret_challenge(consent->verifier, challenge);
	buf_format(out, "%s/", client->login_url);
	http_encode(out, client->tenant);
	buf_text(out, "/oauth2/v2.0/authorize?response_type=code");
	consent_field(out, "client_id", client->client_id);
	consent_field(out, "redirect_uri", client->redirect_uri);
	consent_field(out, "response_mode", "query");
	buf_text(out, "&scope=");
	consent_scopes(out, client->mailbox);
	consent_field(out, "state", consent->state);
	consent_field(out, "nonce", consent->nonce);
	consent_field(out, "code_challenge", challenge);
	consent_field(out, "code_challenge_method", "S256");
	consent_field(out, "prompt", "select_account");
}

/* The payload of header.payload.signature, to delete; NULL where it is none. */
static cJSON *consent_payload(const char *id_token)
{
	const char *start = strchr(id_token, '.');
	const char *end = start != NULL ? strchr(start + 1, '.') : NULL;
	struct fault ignored;
	struct buf text;
	char *middle;
	cJSON *claims = NULL;

	if (end == NULL) {
		return NULL;
	}
	middle = strndup(start + 1, (size_t)(end - start - 1));
	buf_init(&text, CONSENT_ID_TOKEN_MAX_BYTES);
	if (middle != NULL && base64url_decode(&text, middle)) {
		claims = json_parse(buf_string(&text), text.length, CONSENT_ID_TOKEN_MAX_BYTES,
				    &ignored); /* not JSON and no token are the same to us */
	}
	buf_close(&text);
	free(middle);
	return claims;
}

static bool consent_is(const cJSON *claims, const char *key, const char *expected)
{
	const char *value = json_text(claims, key);

	return value != NULL && strcmp(value, expected) == 0;
}

static bool consent_uuid(const cJSON *claims, const char *key, char out[UUID_TEXT_SIZE])
{
	const char *value = json_text(claims, key);
	struct uuid id;

	if (value == NULL || !uuid_parse(value, &id)) {
		return false;
	}
	uuid_format(&id, out);
	return true;
}

/* MICROSOFT_TENANT_ID is common, organizations, consumers, a tenant's id, or one of its domains;
 * of a domain we do not know the id, there Microsoft alone decides. */
static bool consent_tenant_is_allowed(const char *wanted, const char *tenant_id)
{
	bool personal = strcmp(tenant_id, PERSONAL_TENANT) == 0;
	struct uuid id;

	if (strcmp(wanted, "organizations") == 0) {
		return !personal;
	}
	if (strcmp(wanted, "consumers") == 0) {
		return personal;
	}
	return !uuid_parse(wanted, &id) || strcasecmp(wanted, tenant_id) == 0;
}

enum trouble consent_claims_read(const char *id_token, const struct oauth_client *client,
				 const char *nonce, int64_t now_s, struct consent_claims *claims)
{
	cJSON *payload = consent_payload(id_token);
	enum trouble trouble = TROUBLE_IDENTITY;
	const char *username;
	int64_t expires_s;

	*claims = (struct consent_claims){0};
	if (!consent_is(payload, "nonce", nonce) ||
	    !consent_is(payload, "aud", client->client_id) ||
	    !json_integer(payload, "exp", &expires_s) ||
	    expires_s + CONSENT_CLOCK_LEEWAY_S < now_s ||
	    !consent_uuid(payload, "tid", claims->tenant_id) ||
	    !consent_uuid(payload, "oid", claims->account_id)) {
		goto out;
	}
	trouble = consent_tenant_is_allowed(client->tenant, claims->tenant_id) ? TROUBLE_NONE
									       : TROUBLE_TENANT;
	username = json_text(payload, "preferred_username");
	utf8_copy(claims->username, sizeof claims->username, username != NULL ? username : "");
out:
	cJSON_Delete(payload);
	return trouble;
}

bool consent_scopes_suffice(const char *granted)
{
	return granted == NULL || scope_suffices(granted);
}

enum trouble consent_error(const char *error, const char *description)
{
	/* codes only choose the words: what we do is the same */
	if (description != NULL && (strstr(description, "AADSTS90094") != NULL ||
				    strstr(description, "AADSTS90095") != NULL)) {
		return TROUBLE_ADMIN;
	}
	if (strcmp(error, "access_denied") == 0 || strcmp(error, "consent_required") == 0 ||
	    strcmp(error, "interaction_required") == 0 || strcmp(error, "login_required") == 0) {
		return TROUBLE_DENIED;
	}
	if (strcmp(error, "temporarily_unavailable") == 0 || strcmp(error, "server_error") == 0) {
		return TROUBLE_MICROSOFT_DOWN;
	}
	if (strcmp(error, "invalid_scope") == 0 || strcmp(error, "unauthorized_client") == 0 ||
	    strcmp(error, "invalid_request") == 0 || strcmp(error, "invalid_client") == 0) {
		return TROUBLE_REGISTRATION;
	}
	return TROUBLE_OTHER;
}
