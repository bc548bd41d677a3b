/* bodies.c - what clients wrote, word for word. */
#include "tests/fake/bodies.h"

#include <stdlib.h>

#include "common/jsonw.h"
#include "tests/fake/memory.h"

void bodies_keep(struct bodies *bodies, enum kind kind, int status, const cJSON *body)
{
	struct bodies_one *one;

	if (bodies->ring == NULL) {
		bodies->ring = memory_zeroed(BODIES_MAX, sizeof *bodies->ring);
	}
	one = &bodies->ring[bodies->count++ % BODIES_MAX];
	free(one->text);
	*one = (struct bodies_one){kind, status, cJSON_PrintUnformatted(body)};
}

void bodies_write(const struct bodies *bodies, struct buf *out)
{
	size_t first = bodies->count > BODIES_MAX ? bodies->count - BODIES_MAX : 0;

	buf_char(out, '[');
	for (size_t i = first; i < bodies->count; i++) {
		const struct bodies_one *one = &bodies->ring[i % BODIES_MAX];

		jsonw_comma(out);
		buf_char(out, '{');
		jsonw_member_text(out, "kind", kind_name(one->kind));
		jsonw_member_number(out, "status", one->status);
		jsonw_key(out, "body");
		buf_text(out, one->text != NULL ? one->text : "null");
		buf_char(out, '}');
	}
	buf_char(out, ']');
}

void bodies_clear(struct bodies *bodies)
{
	for (size_t i = 0; bodies->ring != NULL && i < BODIES_MAX; i++) {
		free(bodies->ring[i].text);
	}
	free(bodies->ring);
	*bodies = (struct bodies){0};
}
