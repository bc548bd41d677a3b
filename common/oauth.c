/* oauth.c - bodies for and answers of Microsoft's token endpoint. */
#include "common/oauth.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

#define OAUTH_ANSWER_MAX_BYTES 262144
#define OAUTH_EXPIRY_MAX_S     86400
#define OAUTH_SCOPES_MAX_BYTES 1024

void oauth_token_url(struct buf *out, const struct oauth_client *client)
{
	buf_format(out, "%s/", client->login_url);
	http_encode(out, client->tenant);
	buf_text(out, "/oauth2/v2.0/token");
}

static void oauth_field(struct buf *out, const char *name, const char *value)
{
	if (out->length > 0) {
		buf_char(out, '&');
	}
	buf_format(out, "%s=", name);
	http_encode(out, value);
}

/* RFC 6749 2.3.1 or RFC 7523 2.2. */
static void oauth_credential_fields(struct buf *out, const struct oauth_credential *credential)
{
	if (credential->assertion == NULL) {
		oauth_field(out, "client_secret", credential->secret);
		return;
	}
	oauth_field(out, "client_assertion_type",
		    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
	oauth_field(out, "client_assertion", credential->assertion);
}

static void oauth_client_fields(struct buf *out, const struct oauth_client *client,
				const struct oauth_credential *credential,
				enum scope_mailbox mailbox)
{
	struct buf scopes;

	buf_init(&scopes, OAUTH_SCOPES_MAX_BYTES);
	scope_write(&scopes, mailbox);
	oauth_field(out, "client_id", client->client_id);
	oauth_credential_fields(out, credential);
	oauth_field(out, "scope", buf_string(&scopes));
	out->failed = out->failed || scopes.failed;
	buf_close(&scopes);
}

void oauth_code_body(struct buf *out, const struct oauth_client *client,
		     const struct oauth_credential *credential, const char *code,
		     const char *verifier)
{
	oauth_client_fields(out, client, credential, client->mailbox);
	oauth_field(out, "grant_type", "authorization_code");
	oauth_field(out, "code", code);
	oauth_field(out, "redirect_uri", client->redirect_uri);
	oauth_field(out, "code_verifier", verifier);
}

void oauth_refresh_body(struct buf *out, const struct oauth_client *client,
			const struct oauth_credential *credential, const char *refresh_token,
			enum scope_mailbox granted)
{
	oauth_client_fields(out, client, credential, granted);
	oauth_field(out, "grant_type", "refresh_token");
	oauth_field(out, "refresh_token", refresh_token);
}

static char *oauth_copy(const cJSON *answer, const char *key)
{
	const char *text = json_text(answer, key);

	return text != NULL && *text != '\0' ? strdup(text) : NULL;
}

/* A missing or nonsensical lifetime is read as "about to expire": it costs one more refresh. */
static int64_t oauth_expires_in(const cJSON *answer)
{
	int64_t seconds = 0;
	const char *text = json_text(answer, "expires_in"); /* some proxies quote it */

	if (text != NULL) {
		seconds = strtoll(text, NULL, 10);
	} else if (!json_integer(answer, "expires_in", &seconds)) {
		seconds = 0;
	}
	if (seconds < 0) {
		return 0;
	}
	return seconds > OAUTH_EXPIRY_MAX_S ? OAUTH_EXPIRY_MAX_S : seconds;
}

static bool oauth_is_one_of(const char *error, const char *const *names)
{
	for (; *names != NULL; names++) {
		if (strcmp(error, *names) == 0) {
			return true;
		}
	}
	return false;
}

/* Acts on `error` alone: Microsoft says codes and texts change without notice. */
static bool oauth_refused(const struct http_reply *reply, const cJSON *answer, struct fault *fault)
{
	static const char *const OURS[] = {"invalid_client", "unauthorized_client",
					   "invalid_request", "invalid_scope", NULL};
	static const char *const USERS[] = {"invalid_grant",	"interaction_required",
					    "consent_required", "login_required",
					    "access_denied",	NULL};
	const char *error = json_text(answer, "error");

	if (error != NULL && oauth_is_one_of(error, USERS)) {
		return fault_auth(fault, "Microsoft refused the grant: %.60s", error);
	}
	if (error != NULL && oauth_is_one_of(error, OURS)) {
		return fault_fatal(
		    fault,
		    "Microsoft refused this application: %.60s: check MICROSOFT_CLIENT_ID, "
		    "MICROSOFT_TENANT_ID, and its secret, certificate or federated credential",
		    error);
	}
	fault_retry(fault, "Microsoft's token endpoint answered %d %.60s", reply->status,
		    error != NULL ? error : "");
	fault->retry_after_ms = reply->retry_after_ms > 0 ? reply->retry_after_ms : 0;
	return false;
}

bool oauth_answer(const struct http_reply *reply, struct oauth_tokens *tokens, struct fault *fault)
{
	struct fault why;
	cJSON *answer =
	    json_parse(buf_string(&reply->body), reply->body.length, OAUTH_ANSWER_MAX_BYTES, &why);
	bool ok = false;

	*tokens = (struct oauth_tokens){0};
	if (reply->status != 200 || json_text(answer, "access_token") == NULL) {
		oauth_refused(reply, answer, fault);
		goto out;
	}
	tokens->access_token = oauth_copy(answer, "access_token");
	tokens->refresh_token = oauth_copy(answer, "refresh_token");
	tokens->id_token = oauth_copy(answer, "id_token");
	tokens->scope = oauth_copy(answer, "scope");
	tokens->expires_in_s = oauth_expires_in(answer);
	ok = tokens->access_token != NULL || fault_retry(fault, "an empty access token came back");
out:
	cJSON_Delete(answer);
	return ok;
}

void oauth_forget(char *text)
{
	if (text != NULL) {
		OPENSSL_cleanse(text, strlen(text));
	}
	free(text);
}

void oauth_tokens_free(struct oauth_tokens *tokens)
{
	oauth_forget(tokens->access_token);
	oauth_forget(tokens->refresh_token);
	oauth_forget(tokens->id_token);
	oauth_forget(tokens->scope);
	*tokens = (struct oauth_tokens){0};
}

void oauth_credential_forget(struct oauth_credential *credential)
{
	oauth_forget(credential->assertion);
	*credential = (struct oauth_credential){0};
}
