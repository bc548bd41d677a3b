/* test_pooler.c - who is a pooler and who is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "producer/pooler.h"

static void supabases_transaction_pooler_is_known_by_its_address(void **state)
{
	(void)state;
	assert_int_equal(
	    pooler_guess("postgresql://postgres.x:y@aws-0-eu.pooler.supabase.com:6543/p"),
	    POOLER_CERTAIN);
	assert_int_equal(pooler_guess("host=db.x.supabase.co port=6543"), POOLER_CERTAIN);
}

static void the_direct_connection_is_no_pooler(void **state)
{
	(void)state;
	assert_int_equal(pooler_guess("postgresql://postgres:y@db.x.supabase.co:5432/postgres"),
			 POOLER_UNLIKELY);
	assert_int_equal(pooler_guess("postgresql://postgres:y@db.x.supabase.co/postgres"),
			 POOLER_UNLIKELY);
}

static void the_port_alone_is_only_a_suspicion(void **state)
{
	(void)state;
	assert_int_equal(pooler_guess("postgresql://me@db.example.com:6543/postgres"),
			 POOLER_LIKELY);
	assert_int_equal(pooler_guess("postgresql://me@notsupabase.com:6543/postgres"),
			 POOLER_LIKELY);
}

static void of_a_malformed_url_nothing_is_said(void **state)
{
	(void)state;
	assert_int_equal(pooler_guess("postgresql://[::1:6543/x"), POOLER_UNLIKELY);
}

static void what_a_pooler_answers_is_told_from_what_a_server_answers(void **state)
{
	(void)state;
	assert_true(pooler_refuses("FATAL:  unsupported startup parameter: replication"));
	assert_false(pooler_refuses("FATAL:  must be superuser or replication role to start "
				    "walsender"));
	assert_true(pooler_misreads("42601"));
	assert_false(pooler_misreads("55006"));
	assert_true(pooler_mixes_up("42P05", "PostgreSQL 42P05: ..."));
	assert_true(pooler_mixes_up("", "PostgreSQL: ERROR:  prepared statement \"s0\" does not "
					"exist"));
	assert_false(pooler_mixes_up("42501", "PostgreSQL 42501: permission denied"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(supabases_transaction_pooler_is_known_by_its_address),
	    cmocka_unit_test(the_direct_connection_is_no_pooler),
	    cmocka_unit_test(the_port_alone_is_only_a_suspicion),
	    cmocka_unit_test(of_a_malformed_url_nothing_is_said),
	    cmocka_unit_test(what_a_pooler_answers_is_told_from_what_a_server_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
