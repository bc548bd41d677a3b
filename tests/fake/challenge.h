/* challenge.h - the WWW-Authenticate header of Graph's 401. */
#ifndef CALRELAY_FAKE_CHALLENGE_H
#define CALRELAY_FAKE_CHALLENGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHALLENGE_SIZE 512

/* With claims: continuous access evaluation asks for a token that is newer than now_ms. */
void challenge_format(bool has_claims, int64_t now_ms, char *text, size_t size);

#endif
