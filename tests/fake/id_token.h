/* id_token.h - who signed in, as a JWT signed with RS256. */
#ifndef CALRELAY_FAKE_ID_TOKEN_H
#define CALRELAY_FAKE_ID_TOKEN_H

#include "tests/fake/identity.h"

/* Appends the token.  base_url is the server's own origin, as the client wrote it. */
void id_token_write(struct identity *identity, const struct identity_grant *grant,
		    const char *base_url, int64_t now_ms, struct buf *out);

#endif
