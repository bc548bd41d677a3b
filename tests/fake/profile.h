/* profile.h - /me and /me/mailboxSettings. */
#ifndef CALRELAY_FAKE_PROFILE_H
#define CALRELAY_FAKE_PROFILE_H

#include "tests/fake/operation.h"

bool profile_get(struct operation *operation, struct world *world, struct account *account,
		 int64_t now_ms, struct problem *problem);
bool profile_get_settings(struct operation *operation, struct world *world, struct account *account,
			  int64_t now_ms, struct problem *problem);

#endif
