/* test_scope.c - what is asked for, and what was granted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/scope.h"

static void what_is_asked_for_is_what_was_granted(void **state)
{
	struct buf out;

	(void)state;
	for (int i = SCOPE_MAILBOX_NONE; i <= SCOPE_MAILBOX_WRITE; i++) {
		buf_init(&out, 1024);
		scope_write(&out, (enum scope_mailbox)i);
		assert_true(scope_suffices(buf_string(&out)));
		assert_int_equal(scope_mailbox_granted(buf_string(&out)), i);
		buf_close(&out);
	}
}

static void the_plans_scopes_are_asked_for_by_default(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	scope_write(&out, SCOPE_MAILBOX_NONE);
	assert_string_equal(buf_string(&out), "openid profile offline_access "
					      "https://graph.microsoft.com/Calendars.ReadWrite "
					      "https://graph.microsoft.com/User.Read");
	buf_close(&out);
}

static void a_scope_is_found_by_its_whole_name_in_any_case(void **state)
{
	(void)state;
	assert_true(scope_has("  user.read   https://graph/MAILBOXSETTINGS.READ", "User.Read"));
	assert_int_equal(scope_mailbox_granted("x https://graph/MAILBOXSETTINGS.READ "),
			 SCOPE_MAILBOX_READ);
	assert_false(scope_has("User.ReadBasic.All", "User.Read"));
	assert_false(scope_has(NULL, "User.Read"));
	assert_false(scope_has("", "User.Read"));
}

static void the_setting_has_three_words(void **state)
{
	enum scope_mailbox mailbox;

	(void)state;
	assert_true(scope_mailbox_parse("write", &mailbox));
	assert_int_equal(mailbox, SCOPE_MAILBOX_WRITE);
	assert_false(scope_mailbox_parse("Write", &mailbox));
	assert_false(scope_mailbox_parse("", &mailbox));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_asked_for_is_what_was_granted),
	    cmocka_unit_test(the_plans_scopes_are_asked_for_by_default),
	    cmocka_unit_test(a_scope_is_found_by_its_whole_name_in_any_case),
	    cmocka_unit_test(the_setting_has_three_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
