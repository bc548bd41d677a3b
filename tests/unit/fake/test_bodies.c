/* test_bodies.c - what clients wrote is kept word for word, the newest of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fake/bodies.h"

static void the_newest_thousand_are_kept(void **state)
{
	struct bodies bodies = {0};
	struct buf out;

	(void)state;
	for (int i = 0; i < BODIES_MAX + 2; i++) {
		cJSON *body = cJSON_CreateObject();

		cJSON_AddNumberToObject(body, "n", i);
		bodies_keep(&bodies, KIND_CREATE, 201, body);
		cJSON_Delete(body);
	}
	buf_init(&out, 1u << 20);
	bodies_write(&bodies, &out);
	assert_memory_equal(out.data, "[{\"kind\":\"create\",\"status\":201,\"body\":{\"n\":2}},",
			    47);
	assert_non_null(strstr(buf_string(&out), "{\"n\":1001}}]"));
	buf_reset(&out);
	bodies_clear(&bodies);
	bodies_write(&bodies, &out);
	assert_string_equal(buf_string(&out), "[]");
	buf_close(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_newest_thousand_are_kept)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
