/* bodies.h - what clients wrote, word for word: the bodies of the newest creations and changes. */
#ifndef CALRELAY_FAKE_BODIES_H
#define CALRELAY_FAKE_BODIES_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "common/buf.h"
#include "tests/fake/kind.h"

#define BODIES_MAX 1000 /* the oldest goes */

struct bodies_one {
	enum kind kind;
	int status;
	char *text;
};

struct bodies {
	struct bodies_one *ring; /* BODIES_MAX, allocated with the first */
	size_t count;		 /* that were kept, forgotten ones too */
};

void bodies_keep(struct bodies *bodies, enum kind kind, int status, const cJSON *body);
void bodies_write(const struct bodies *bodies, struct buf *out); /* [{"kind","status","body"}] */
void bodies_clear(struct bodies *bodies);

#endif
