/* test_breaker.c - when a service's trouble is everybody's, and how often it is tried then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/breaker.h"

static struct uuid user(uint8_t number)
{
	return (struct uuid){{number}};
}

static bool fails(struct breaker *breaker, uint8_t number, int64_t now_ms)
{
	struct uuid id = user(number);

	return breaker_failed(breaker, &id, now_ms);
}

static void one_persons_trouble_is_never_everybodys(void **state)
{
	struct breaker breaker = {0};

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_false(fails(&breaker, 1, i));
		assert_false(fails(&breaker, 2, i));
	}
	assert_true(breaker_may_call(&breaker, 100));
}

static void three_people_in_trouble_and_nobody_served_open_it_once(void **state)
{
	struct breaker breaker = {0};

	(void)state;
	assert_false(fails(&breaker, 1, 0));
	assert_false(fails(&breaker, 2, 0));
	assert_true(fails(&breaker, 3, 0));
	assert_false(fails(&breaker, 4, 0));
	assert_false(breaker_may_call(&breaker, 0));
}

static void somebody_who_is_served_between_them_keeps_it_closed(void **state)
{
	struct breaker breaker = {0};

	(void)state;
	for (uint8_t i = 0; i < 30; i++) {
		assert_false(fails(&breaker, i, 0));
		assert_false(fails(&breaker, (uint8_t)(i + 100), 0));
		assert_false(breaker_succeeded(&breaker));
	}
}

static void while_open_one_probe_a_pause_goes_out_and_pauses_grow_to_thirty_seconds(void **state)
{
	struct breaker breaker = {0};
	int64_t now_ms = 0;
	int64_t last_ms = 0;

	(void)state;
	assert_true(breaker_trip(&breaker, 0));
	assert_false(breaker_trip(&breaker, 0));
	for (int probes = 0; probes < 20; now_ms++) {
		if (!breaker_may_call(&breaker, now_ms)) {
			assert_true(now_ms - last_ms <= BREAKER_PROBE_MOST_MS);
			continue;
		}
		assert_true(now_ms - last_ms >= BREAKER_PROBE_FIRST_MS);
		assert_false(breaker_may_call(&breaker, now_ms));
		last_ms = now_ms;
		probes++;
	}
}

static void the_first_success_lets_everybody_on(void **state)
{
	struct breaker breaker = {0};

	(void)state;
	breaker_trip(&breaker, 0);
	assert_true(breaker_succeeded(&breaker));
	assert_false(breaker_succeeded(&breaker));
	assert_true(breaker_may_call(&breaker, 1));
	assert_true(breaker_may_call(&breaker, 1));
	assert_false(fails(&breaker, 1, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_persons_trouble_is_never_everybodys),
	    cmocka_unit_test(three_people_in_trouble_and_nobody_served_open_it_once),
	    cmocka_unit_test(somebody_who_is_served_between_them_keeps_it_closed),
	    cmocka_unit_test(
		while_open_one_probe_a_pause_goes_out_and_pauses_grow_to_thirty_seconds),
	    cmocka_unit_test(the_first_success_lets_everybody_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
