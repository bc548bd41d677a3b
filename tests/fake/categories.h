/* categories.h - what Graph does with the master list of categories on request. */
#ifndef CALRELAY_FAKE_CATEGORIES_H
#define CALRELAY_FAKE_CATEGORIES_H

#include "tests/fake/operation.h"

#define CATEGORIES_PATH "/me/outlook/masterCategories"

/* Each fills the operation's answer, or returns false with a refusal. */
bool categories_list(struct operation *operation, struct world *world, struct account *account,
		     int64_t now_ms, struct problem *problem);
bool categories_add(struct operation *operation, struct world *world, struct account *account,
		    int64_t now_ms, struct problem *problem);
bool categories_get(struct operation *operation, struct world *world, struct account *account,
		    int64_t now_ms, struct problem *problem);
bool categories_change(struct operation *operation, struct world *world, struct account *account,
		       int64_t now_ms, struct problem *problem);
bool categories_remove(struct operation *operation, struct world *world, struct account *account,
		       int64_t now_ms, struct problem *problem);

#endif
