/* world.h - everything the server knows, so that one call can forget it. */
#ifndef CALRELAY_FAKE_WORLD_H
#define CALRELAY_FAKE_WORLD_H

#include <stdint.h>

#include "tests/fake/account.h"
#include "tests/fake/bearer.h"
#include "tests/fake/bodies.h"
#include "tests/fake/faults.h"
#include "tests/fake/identity.h"
#include "tests/fake/journal.h"
#include "tests/fake/mailbox.h"
#include "tests/fake/property.h"
#include "tests/fake/settings.h"

struct world {
	struct accounts accounts;
	struct store store;
	struct settings settings;
	struct faults faults;
	struct journal journal;
	struct bodies bodies;
	struct identity identity;
	int64_t latency_ms;		 /* of each Graph answer */
	char property[PROPERTY_ID_SIZE]; /* whose value is shown as the assignment */
};

void world_init(struct world *world);
void world_reset(struct world *world); /* everything gone but the registration; end: the same */

/* The event's assignment, or NULL. */
const char *world_assignment(const struct world *world, const struct draft *draft);

#endif
