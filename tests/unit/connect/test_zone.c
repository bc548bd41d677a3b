/* test_zone.c - which names of time zones may stand in an event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connect/zone.h"

static void names_of_windows_and_of_iana_are_taken_as_they_are(void **state)
{
	static const char *const NAMES[] = {"W. Europe Standard Time",
					    "Central Standard Time (Mexico)",
					    "UTC",
					    "UTC-11",
					    "Etc/GMT+12",
					    "America/Argentina/Buenos_Aires"};
	char zone[ZONE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
		assert_true(zone_copy(zone, NAMES[i]));
		assert_string_equal(zone, NAMES[i]);
	}
}

static void what_graph_gives_but_does_not_take_is_left_alone(void **state)
{
	static const char *const NAMES[] = {
	    NULL,
	    "",
	    "Customized Time Zone",
	    "tzone://Microsoft/Custom",
	    "UTC\r\nX: y",
	    "\"UTC\"",
	    "Zeitzone \xc3\xbc",
	    "0123456789012345678901234567890123456789012345678901234567890123"};
	char zone[ZONE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
		assert_false(zone_copy(zone, NAMES[i]));
		assert_string_equal(zone, "");
	}
	assert_true(zone_copy(zone, NAMES[7] + 1)); /* 63 bytes */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_of_windows_and_of_iana_are_taken_as_they_are),
	    cmocka_unit_test(what_graph_gives_but_does_not_take_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
