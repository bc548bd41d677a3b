/* consent.c - authorize URL, id_token, granted scopes. */
#include "connect/consent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base64.h"
#include "common/json.h"
#include "common/utf8.h"

#define CONSENT_ID_TOKEN_MAX_BYTES 32768
#define CONSENT_SCOPES_MAX_BYTES   1024
#define CONSENT_ISSUER_MAX_BYTES   1024
#define CONSENT_CLOCK_LEEWAY_S	   300 /* Entra's own allowance between clocks */

#define CONSENT_ADMIN_STATE "administrator"

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

const char *consent_prompt(const char *wanted, const char *status)
{
	if (wanted != NULL && strcmp(wanted, "consent") == 0) {
		return "consent";
	}
	if ((wanted != NULL && strcmp(wanted, "select_account") == 0) || status[0] == '\0' ||
	    strcmp(status, "active") == 0) {
		return "select_account";
	}
	return NULL;
}

void consent_url(struct buf *out, const struct oauth_client *client, const struct consent *consent,
		 const struct consent_greeting *greeting)
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
	if (greeting->prompt != NULL) {
		consent_field(out, "prompt", greeting->prompt);
	}
	if (greeting->login_hint != NULL) {
		consent_field(out, "login_hint", greeting->login_hint);
	}
}

void consent_admin_url(struct buf *out, const struct oauth_client *client)
{
	bool is_common = strcmp(client->tenant, "common") == 0;

	if (strcmp(client->tenant, "consumers") == 0) {
		return;
	}
	buf_format(out, "%s/", client->login_url);
	http_encode(out, is_common ? "organizations" : client->tenant);
	buf_text(out, "/v2.0/adminconsent?client_id=");
	http_encode(out, client->client_id);
	buf_text(out, "&scope=");
	consent_scopes(out, client->mailbox);
	consent_field(out, "redirect_uri", client->redirect_uri);
	consent_field(out, "state", CONSENT_ADMIN_STATE);
}

bool consent_is_admins(const char *admin_consent, const char *state)
{
	return admin_consent != NULL || (state != NULL && strcmp(state, CONSENT_ADMIN_STATE) == 0);
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

static bool consent_is_issued_at(const cJSON *claims, const char *origin, const char *tenant_id)
{
	char expected[CONSENT_ISSUER_MAX_BYTES];
	int length = snprintf(expected, sizeof expected, "%s/%s/v2.0", origin, tenant_id);

	return length > 0 && (size_t)length < sizeof expected &&
	       consent_is(claims, "iss", expected);
}

/* Each tenant issues its own tokens, also where the sign-in began at "common"; and Microsoft in its
 * own name where MICROSOFT_LOGIN_URL is a stand-in that passes them on. */
static bool consent_issuer_is_right(const cJSON *claims, const char *login_url,
				    const char *tenant_id)
{
	return consent_is_issued_at(claims, login_url, tenant_id) ||
	       consent_is_issued_at(claims, OAUTH_MICROSOFT, tenant_id);
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
	    !consent_issuer_is_right(payload, client->login_url, claims->tenant_id) ||
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

/* Numbers only choose between words: Microsoft may change them, and then the error's own stand. */
static const struct {
	const char *number;
	enum trouble trouble;
} NUMBERS[] = {
    {"AADSTS90094", TROUBLE_ADMIN},  /* an administrator has to consent; 900941 and so on, too */
    {"AADSTS90095", TROUBLE_ADMIN},  /* the same, with a request to one under way */
    {"AADSTS65001", TROUBLE_ADMIN},  /* nobody has consented, and this person can't */
    {"AADSTS50020", TROUBLE_TENANT}, /* an account of elsewhere */
    {"AADSTS90072", TROUBLE_TENANT},
};

static const struct {
	const char *error;
	enum trouble trouble;
} ERRORS[] = {
    {"access_denied", TROUBLE_DENIED},
    {"consent_required", TROUBLE_ADMIN},
    {"interaction_required", TROUBLE_CHALLENGED},
    {"login_required", TROUBLE_CHALLENGED},
    {"temporarily_unavailable", TROUBLE_MICROSOFT_DOWN},
    {"server_error", TROUBLE_MICROSOFT_DOWN},
    {"invalid_scope", TROUBLE_REGISTRATION},
    {"unauthorized_client", TROUBLE_REGISTRATION},
    {"invalid_request", TROUBLE_REGISTRATION},
    {"invalid_client", TROUBLE_REGISTRATION},
};

enum trouble consent_error(const char *error, const char *description)
{
	for (size_t i = 0; description != NULL && i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
		if (strstr(description, NUMBERS[i].number) != NULL) {
			return NUMBERS[i].trouble;
		}
	}
	for (size_t i = 0; i < sizeof ERRORS / sizeof *ERRORS; i++) {
		if (strcmp(error, ERRORS[i].error) == 0) {
			return ERRORS[i].trouble;
		}
	}
	return TROUBLE_OTHER;
}
