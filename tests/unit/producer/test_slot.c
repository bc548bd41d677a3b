/* test_slot.c - what is done about a slot, and when an epoch begins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "producer/slot.h"

static const struct slot_system HERE = {"7711532394934352370", 1};

/* A slot that streams in epoch 3. */
static struct slot_view view(void)
{
	return (struct slot_view){.exists = true,
				  .confirmed_lsn = 0x200,
				  .flush_lsn = 0x300,
				  .has_rows = true,
				  .has_epoch = true,
				  .epoch = 3,
				  .system = HERE,
				  .slot = "calrelay",
				  .snapshot_finished = true,
				  .consistent_point = 0x100};
}

/* What Kafka has in that epoch, its newest transaction acknowledged and known to the server. */
static struct slot_topics topics(uint32_t epoch)
{
	return (struct slot_topics){.epoch = epoch, .transaction_lsn = 0x180};
}

static struct slot_epoch decide_epoch(const struct slot_view *seen,
				      const struct slot_system *system, const char *slot,
				      uint32_t epoch)
{
	struct slot_topics known = topics(epoch);

	return slot_decide_epoch(seen, system, slot, &known);
}

static enum slot_plan decide(const struct slot_view *seen, const struct slot_system *system)
{
	struct fault fault = {0};
	enum slot_plan plan = slot_decide(seen, system, "calrelay", &fault);

	assert_int_equal(fault.kind, plan == SLOT_STOP ? FAULT_FATAL : FAULT_NONE);
	return plan;
}

static void a_slot_that_is_there_is_used(void **state)
{
	struct slot_view seen = view();

	(void)state;
	assert_int_equal(decide(&seen, &HERE), SLOT_USE);
}

static void the_first_start_creates_one(void **state)
{
	struct slot_view seen = {0};

	(void)state;
	assert_int_equal(decide(&seen, &HERE), SLOT_CREATE);
}

static void a_slot_that_is_gone_or_lost_stops_until_somebody_gives_it_up(void **state)
{
	struct slot_view seen = view();

	(void)state;
	seen.is_lost = true;
	assert_int_equal(decide(&seen, &HERE), SLOT_STOP);
	seen.is_lost = false;
	seen.exists = false;
	assert_int_equal(decide(&seen, &HERE), SLOT_STOP);
	seen.given_up = true;
	assert_int_equal(decide(&seen, &HERE), SLOT_CREATE);
}

static void another_server_has_no_slot_to_lose(void **state)
{
	const struct slot_system promoted = {"7711532394934352370", 2};
	const struct slot_system restored = {"42", 1};
	struct slot_view seen = view();

	(void)state;
	seen.exists = false;
	assert_int_equal(decide(&seen, &promoted), SLOT_CREATE);
	assert_int_equal(decide(&seen, &restored), SLOT_CREATE);
}

static void an_epoch_goes_on_where_nothing_changed(void **state)
{
	struct slot_view seen = view();
	struct slot_epoch epoch = decide_epoch(&seen, &HERE, "calrelay", 3);

	(void)state;
	assert_int_equal(epoch.number, 3);
	assert_false(epoch.is_new);
	assert_false(epoch.needs_snapshot);
	seen.snapshot_finished = false;
	epoch = decide_epoch(&seen, &HERE, "calrelay", 3);
	assert_true(epoch.needs_snapshot);
	assert_false(epoch.is_new);
	assert_int_equal(epoch.consistent_point, 0x100);
}

static void an_epoch_begins_wherever_positions_cannot_be_compared(void **state)
{
	const struct slot_system promoted = {"7711532394934352370", 2};
	struct slot_view seen = view();
	struct slot_epoch epoch = decide_epoch(&seen, &promoted, "calrelay", 3);

	(void)state;
	assert_int_equal(epoch.number, 4);
	assert_true(epoch.is_new);
	assert_true(epoch.needs_snapshot);
	assert_int_equal(epoch.consistent_point, 0x200);
	assert_int_equal(decide_epoch(&seen, &HERE, "another", 3).number, 4);
	/* an older backup of the table: Kafka has seen more */
	assert_int_equal(decide_epoch(&seen, &HERE, "calrelay", 7).number, 8);
	seen = (struct slot_view){.exists = true, .flush_lsn = 0x300};
	assert_int_equal(decide_epoch(&seen, &HERE, "calrelay", 0).number, 1);
}

static void an_epoch_begins_where_kafka_has_what_the_servers_log_has_not(void **state)
{
	struct slot_view seen = view();
	struct slot_topics known = topics(3);

	(void)state;
	known.transaction_lsn = 0x300;
	assert_false(slot_decide_epoch(&seen, &HERE, "calrelay", &known).is_new);
	known.transaction_lsn = 0x301;
	assert_int_equal(slot_decide_epoch(&seen, &HERE, "calrelay", &known).number, 4);
	known = topics(3);
	known.is_other = true;
	assert_int_equal(slot_decide_epoch(&seen, &HERE, "calrelay", &known).number, 4);
}

static void an_epoch_begins_where_kafka_has_forgotten_the_assignments(void **state)
{
	struct slot_topics none = {.is_empty = true};
	struct slot_view seen = view();

	(void)state;
	assert_int_equal(slot_decide_epoch(&seen, &HERE, "calrelay", &none).number, 4);
	seen.has_rows = false;
	assert_false(slot_decide_epoch(&seen, &HERE, "calrelay", &none).is_new);
	seen.has_rows = true;
	seen.snapshot_finished = false;
	assert_false(slot_decide_epoch(&seen, &HERE, "calrelay", &none).is_new);
}

static void a_transaction_that_the_slot_was_not_told_of_is_expected_again(void **state)
{
	struct slot_view seen = view();
	struct slot_topics known = topics(3);

	(void)state;
	assert_true(slot_expected(&seen, &known) == 0);
	known.transaction_lsn = 0x200;
	assert_true(slot_expected(&seen, &known) == 0);
	known.transaction_lsn = 0x210;
	assert_true(slot_expected(&seen, &known) == 0x210);
}

static void positions_are_read_as_postgresql_writes_them(void **state)
{
	uint64_t lsn;

	(void)state;
	assert_true(slot_read_lsn("1A/16B3748", &lsn));
	assert_true(lsn == UINT64_C(0x1a016b3748));
	assert_false(slot_read_lsn("", &lsn));
	assert_false(slot_read_lsn("1A", &lsn));
	assert_false(slot_read_lsn("1/2x", &lsn));
	assert_false(slot_read_lsn("1/123456789", &lsn));
	assert_false(slot_read_lsn(NULL, &lsn));
	assert_false(slot_read_lsn("-0/0", &lsn));
	assert_false(slot_read_lsn("0/ 1", &lsn));
	assert_false(slot_read_lsn("0x1A/1", &lsn));
	assert_false(slot_read_lsn("0/000000001", &lsn));
}

static void names_are_quoted_as_often_as_they_are_parsed(void **state)
{
	char slot[] = "calrelay";
	char publication[] = "it's \"ours\"";
	struct settings settings = {.slot = slot, .publication = publication};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	slot_write_start(&out, &settings);
	assert_string_equal(buf_string(&out),
			    "START_REPLICATION SLOT \"calrelay\" LOGICAL 0/0 (proto_version '1', "
			    "messages 'true', publication_names '\"it''s \"\"ours\"\"\","
			    "\"calrelay_requests\"')");
	buf_close(&out);
}

static void records_expire_before_the_server_gives_the_slot_away(void **state)
{
	struct slot_view seen = view();

	(void)state;
	seen.sender_timeout_ms = 60000; /* our session asks for less */
	assert_int_equal(slot_record_timeout_ms(&seen), SLOT_SENDER_TIMEOUT_MS * 3 / 4);
	seen.sender_timeout_ms = 0;
	assert_int_equal(slot_record_timeout_ms(&seen), SLOT_SENDER_TIMEOUT_MS * 3 / 4);
	seen.sender_timeout_ms = 4000;
	assert_int_equal(slot_record_timeout_ms(&seen), 3000);
	seen.sender_timeout_ms = 100;
	assert_int_equal(slot_record_timeout_ms(&seen), 2000);
}

static void an_unfinished_snapshot_goes_on_where_it_was_but_only_in_its_epoch(void **state)
{
	struct slot_view seen = view();
	struct slot_epoch epoch;

	(void)state;
	seen.snapshot_finished = false;
	snprintf(seen.snapshot_from, sizeof seen.snapshot_from,
		 "22222222-2222-4222-8222-222222222222");
	epoch = decide_epoch(&seen, &HERE, "calrelay", 3);
	assert_true(epoch.needs_snapshot);
	assert_string_equal(epoch.snapshot_from, seen.snapshot_from);
	epoch = decide_epoch(&seen, &HERE, "calrelay", 4);
	assert_true(epoch.is_new);
	assert_string_equal(epoch.snapshot_from, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_slot_that_is_there_is_used),
	    cmocka_unit_test(the_first_start_creates_one),
	    cmocka_unit_test(a_slot_that_is_gone_or_lost_stops_until_somebody_gives_it_up),
	    cmocka_unit_test(another_server_has_no_slot_to_lose),
	    cmocka_unit_test(an_epoch_goes_on_where_nothing_changed),
	    cmocka_unit_test(an_epoch_begins_wherever_positions_cannot_be_compared),
	    cmocka_unit_test(an_epoch_begins_where_kafka_has_what_the_servers_log_has_not),
	    cmocka_unit_test(an_epoch_begins_where_kafka_has_forgotten_the_assignments),
	    cmocka_unit_test(a_transaction_that_the_slot_was_not_told_of_is_expected_again),
	    cmocka_unit_test(positions_are_read_as_postgresql_writes_them),
	    cmocka_unit_test(records_expire_before_the_server_gives_the_slot_away),
	    cmocka_unit_test(an_unfinished_snapshot_goes_on_where_it_was_but_only_in_its_epoch),
	    cmocka_unit_test(names_are_quoted_as_often_as_they_are_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
