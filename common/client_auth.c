/* client_auth.c - the secret, a fresh assertion, or the token that lies in a file. */
#include "common/client_auth.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base64.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/uuid.h"

#define CLIENT_AUTH_TOKEN_MAX_BYTES 16384
#define CLIENT_AUTH_URL_MAX_BYTES   4096
#define CLIENT_AUTH_AGEING_DAYS	    30
#define DAY_S			    86400
#define JWT_CHARACTERS		    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

/* ---- the federated token ---- */

static bool read_whole(int fd, struct buf *out)
{
	char chunk[4096];
	ssize_t got;

	while ((got = read(fd, chunk, sizeof chunk)) > 0) {
		buf_add(out, chunk, (size_t)got);
	}
	return got == 0 && !out->failed;
}

/* Without waiting for whoever may hold a pipe's other end. */
static bool read_file(const char *path, struct buf *out, struct fault *fault)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool ok = fd >= 0 && fstat(fd, &status) == 0;

	if (!ok) {
		fault_fatal(fault, "MICROSOFT_FEDERATED_TOKEN_FILE: can't open %.120s: %s", path,
			    strerror(errno));
	} else if (!S_ISREG(status.st_mode) || !read_whole(fd, out)) {
		ok = fault_fatal(fault,
				 "MICROSOFT_FEDERATED_TOKEN_FILE: can't read %.120s (a file of "
				 "at most %d bytes)",
				 path, CLIENT_AUTH_TOKEN_MAX_BYTES);
	}
	if (fd >= 0) {
		close(fd);
	}
	return ok;
}

/* The token in the file, without white space around it; allocated. */
static char *read_token(const char *path, struct fault *fault)
{
	struct buf content;
	const char *token;
	size_t length;
	char *copy = NULL;

	buf_init(&content, CLIENT_AUTH_TOKEN_MAX_BYTES);
	if (read_file(path, &content, fault)) {
		token = buf_string(&content);
		token += strspn(token, " \t\r\n");
		length = strspn(token, JWT_CHARACTERS);
		if (length > 0 && token[length + strspn(token + length, " \t\r\n")] == '\0') {
			copy = strndup(token, length);
		}
		if (copy == NULL) {
			fault_fatal(fault,
				    "MICROSOFT_FEDERATED_TOKEN_FILE: %.120s does not hold a token "
				    "(a JWT)",
				    path);
		}
	}
	if (content.data != NULL) {
		OPENSSL_cleanse(content.data, content.capacity);
	}
	buf_close(&content);
	return copy;
}

/* ---- start and end ---- */

static bool exactly_one(const struct client_auth_settings *settings, struct fault *fault)
{
	int count = (settings->secret != NULL) + (settings->certificate != NULL) +
		    (settings->token_file != NULL);

	return count == 1 ||
	       fault_fatal(fault,
			   "%s of MICROSOFT_CLIENT_SECRET, MICROSOFT_CLIENT_CERTIFICATE_FILE and "
			   "MICROSOFT_FEDERATED_TOKEN_FILE %s: set exactly one",
			   count == 0 ? "none" : "more than one",
			   count == 0 ? "is set" : "are set");
}

bool client_auth_open(struct client_auth *auth, const struct client_auth_settings *settings,
		      struct fault *fault)
{
	char *token;

	*auth = (struct client_auth){.settings = *settings};
	if (!exactly_one(settings, fault)) {
		return false;
	}
	if (settings->certificate != NULL) {
		auth->key = client_key_new(settings->certificate, fault);
		return auth->key != NULL;
	}
	if (settings->token_file != NULL) {
		token = read_token(settings->token_file, fault);
		oauth_forget(token);
		return token != NULL;
	}
	return true;
}

void client_auth_close(struct client_auth *auth)
{
	client_key_free(auth->key);
	*auth = (struct client_auth){0};
}

/* ---- one request ---- */

static char *make_assertion(const struct client_key *key, const struct oauth_client *client,
			    struct fault *fault)
{
	struct uuid uuid = uuid_random();
	char jti[UUID_TEXT_SIZE];
	struct buf url;
	struct buf assertion;
	char *text = NULL;

	uuid_format(&uuid, jti);
	buf_init(&url, CLIENT_AUTH_URL_MAX_BYTES);
	buf_init(&assertion, CLIENT_KEY_ASSERTION_MAX);
	oauth_token_url(&url, client);
	struct client_key_claims claims = {.client_id = client->client_id,
					   .token_url = buf_string(&url),
					   .jti = jti,
					   .now_s = clock_wall_ms() / 1000};
	if (client_key_assert(key, &claims, &assertion, fault)) {
		text = buf_steal(&assertion);
	}
	buf_close(&url);
	buf_close(&assertion);
	return text;
}

bool client_auth_prove(const struct client_auth *auth, const struct oauth_client *client,
		       struct oauth_credential *credential, struct fault *fault)
{
	*credential = (struct oauth_credential){.secret = auth->settings.secret};
	if (auth->key != NULL) {
		credential->assertion = make_assertion(auth->key, client, fault);
	} else if (auth->settings.token_file != NULL) {
		credential->assertion = read_token(auth->settings.token_file, fault);
	}
	return credential->secret != NULL || credential->assertion != NULL;
}

/* ---- what is said of it ---- */

/* Writes text and returns the state, as does the next. */
static enum client_auth_state inspect_certificate(const struct client_key *key, int64_t now_s,
						  char *text, size_t size)
{
	int64_t ends_s = client_key_ends_s(key);
	int days = (int)((ends_s - now_s) / DAY_S);
	time_t ends = (time_t)ends_s;
	struct tm utc = {0};
	char date[16] = "";

	gmtime_r(&ends, &utc);
	strftime(date, sizeof date, "%Y-%m-%d", &utc);
	if (now_s >= ends_s) {
		snprintf(text, size,
			 "MICROSOFT_CLIENT_CERTIFICATE expired on %s: Microsoft refuses it, put a "
			 "new one in its place",
			 date);
		return CLIENT_AUTH_UNUSABLE;
	}
	if (now_s < client_key_begins_s(key)) {
		snprintf(text, size,
			 "MICROSOFT_CLIENT_CERTIFICATE is not valid yet: check the clock");
		return CLIENT_AUTH_UNUSABLE;
	}
	snprintf(text, size,
		 "MICROSOFT_CLIENT_CERTIFICATE: matches its key, %d days left (until %s)", days,
		 date);
	return days < CLIENT_AUTH_AGEING_DAYS ? CLIENT_AUTH_AGEING : CLIENT_AUTH_GOOD;
}

/* The claims of a JWT that somebody else will verify, or NULL. */
static cJSON *read_claims(const char *token)
{
	const char *claims = strchr(token, '.');
	const char *end = claims != NULL ? strchr(claims + 1, '.') : NULL;
	struct buf text;
	struct buf json;
	struct fault why;
	cJSON *document = NULL;

	buf_init(&text, CLIENT_AUTH_TOKEN_MAX_BYTES);
	buf_init(&json, CLIENT_AUTH_TOKEN_MAX_BYTES);
	if (end != NULL) {
		buf_add(&text, claims + 1, (size_t)(end - claims - 1));
	}
	if (base64url_decode(&json, buf_string(&text))) {
		document =
		    json_parse(buf_string(&json), json.length, CLIENT_AUTH_TOKEN_MAX_BYTES, &why);
	}
	buf_close(&text);
	buf_close(&json);
	return document;
}

/* Issuer and subject are what the app registration's federated credential has to name. */
static enum client_auth_state inspect_token(const char *token, int64_t now_s, char *text,
					    size_t size)
{
	cJSON *claims = read_claims(token);
	const char *issuer = json_text(claims, "iss");
	const char *subject = json_text(claims, "sub");
	enum client_auth_state state = CLIENT_AUTH_UNUSABLE;
	int64_t ends_s = 0;

	if (issuer == NULL || subject == NULL || !json_integer(claims, "exp", &ends_s)) {
		snprintf(text, size,
			 "MICROSOFT_FEDERATED_TOKEN_FILE holds no service account's token (a JWT "
			 "with iss, sub and exp)");
	} else if (ends_s <= now_s) {
		snprintf(
		    text, size,
		    "MICROSOFT_FEDERATED_TOKEN_FILE: its token has expired: does kubelet still "
		    "replace it?");
	} else {
		snprintf(text, size,
			 "MICROSOFT_FEDERATED_TOKEN_FILE: of %.120s for %.120s, %d minutes left",
			 issuer, subject, (int)((ends_s - now_s) / 60));
		state = CLIENT_AUTH_GOOD;
	}
	cJSON_Delete(claims);
	return state;
}

void client_auth_inspect(const struct client_auth *auth, int64_t now_s,
			 struct client_auth_finding *finding)
{
	const char *path = auth->settings.token_file;
	char *token = NULL;
	struct fault fault;

	if (auth->key != NULL) {
		finding->state =
		    inspect_certificate(auth->key, now_s, finding->text, sizeof finding->text);
	} else if (path == NULL) {
		finding->state = CLIENT_AUTH_GOOD;
		snprintf(finding->text, sizeof finding->text,
			 "MICROSOFT_CLIENT_SECRET is what is sent");
	} else if ((token = read_token(path, &fault)) == NULL) {
		finding->state = CLIENT_AUTH_UNUSABLE;
		snprintf(finding->text, sizeof finding->text, "%s", fault.what);
	} else {
		finding->state = inspect_token(token, now_s, finding->text, sizeof finding->text);
	}
	oauth_forget(token);
}
