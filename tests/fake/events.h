/* events.h - what Graph does with a mailbox's events on request. */
#ifndef CALRELAY_FAKE_EVENTS_H
#define CALRELAY_FAKE_EVENTS_H

#include "tests/fake/operation.h"

bool events_create(struct operation *operation, struct world *world, struct account *account,
		   int64_t now_ms, struct problem *problem);
bool events_get(struct operation *operation, struct world *world, struct account *account,
		int64_t now_ms, struct problem *problem);
bool events_update(struct operation *operation, struct world *world, struct account *account,
		   int64_t now_ms, struct problem *problem);
bool events_delete(struct operation *operation, struct world *world, struct account *account,
		   int64_t now_ms, struct problem *problem);

/* /me/events and /me/calendarView */
bool events_list(struct operation *operation, struct world *world, struct account *account,
		 int64_t now_ms, struct problem *problem);

#endif
