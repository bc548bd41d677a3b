/* world.c - everything the server knows. */
#include "tests/fake/world.h"

void world_init(struct world *world)
{
	settings_reset(&world->settings);
}

void world_reset(struct world *world)
{
	code_forget_all(&world->identity.codes);
	jti_forget_all(&world->identity.trust.seen);
	world->identity.approved = 0;
	accounts_clear(&world->accounts, &world->store);
	faults_clear(&world->faults);
	journal_clear(&world->journal);
	bodies_clear(&world->bodies);
	settings_reset(&world->settings);
	world->latency_ms = 0;
}

const char *world_assignment(const struct world *world, const struct draft *draft)
{
	return draft_property(draft, world->property);
}
