/* challenge.c - the WWW-Authenticate header of Graph's 401. */
#include "tests/fake/challenge.h"

#include <stdio.h>

#include "common/base64.h"

#define PLAIN                                                                                      \
	"Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/"  \
	"authorize\", client_id=\"00000003-0000-0000-c000-000000000000\""

void challenge_format(bool has_claims, int64_t now_ms, char *text, size_t size)
{
	char claims[96];
	struct buf encoded;
	int length;

	if (!has_claims) {
		snprintf(text, size, "%s", PLAIN);
		return;
	}
	length = snprintf(claims, sizeof claims,
			  "{\"access_token\":{\"nbf\":{\"essential\":true,\"value\":\"%lld\"}}}",
			  (long long)(now_ms / 1000));
	buf_init(&encoded, CHALLENGE_SIZE);
	base64_encode(&encoded, claims, (size_t)length);
	snprintf(text, size, "%s, error=\"insufficient_claims\", claims=\"%s\"", PLAIN,
		 buf_string(&encoded));
	buf_close(&encoded);
}
