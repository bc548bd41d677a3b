/* test_mailbox.c - events by id and by transactionId, folders, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "tests/fake/mailbox.h"
#include "tests/fake/memory.h"
#include "tests/fake/zones.h"

static struct store store;
static struct settings settings;
static struct mailbox mailbox;
static struct mailbox other;
static struct problem problem;

static int begin(void **state)
{
	(void)state;
	settings_reset(&settings);
	problem = (struct problem){0};
	return 0;
}

static int end(void **state)
{
	(void)state;
	mailbox_close(&store, &mailbox);
	mailbox_close(&store, &other);
	assert_int_equal(store.count, 0);
	assert_null(mailbox.transactions);
	mailbox = (struct mailbox){0};
	return 0;
}

/* One day, with that subject and transactionId (NULL for none). */
static struct event *create(const char *subject, const char *transaction_id)
{
	struct draft draft = {.given = 1u << DRAFT_START | 1u << DRAFT_END,
			      .subject = memory_text(subject),
			      .transaction_id = memory_text(transaction_id)};
	struct event *event;

	draft.start.zone = draft.end.zone = zones_find("UTC");
	draft.end.civil.day = 1;
	event = mailbox_create(&store, &settings, &mailbox, &draft, 1000, &problem);
	draft_close(&draft);
	return event;
}

static struct event *find(struct mailbox *where, const char *id, bool is_immutable)
{
	return mailbox_find(&store, &settings, where, id, is_immutable, &problem);
}

static void each_kind_of_id_leads_to_its_event_only(void **state)
{
	struct event *first = create("a", NULL);
	struct event *second = create("b", NULL);
	char immutable[EVENT_ID_SIZE];
	char regular[EVENT_ID_SIZE];

	(void)state;
	event_id(first, true, immutable);
	event_id(first, false, regular);
	assert_ptr_equal(find(&mailbox, immutable, true), first);
	assert_ptr_equal(find(&mailbox, regular, false), first);
	assert_null(find(&mailbox, regular, true));
	assert_string_equal(problem.code, "ErrorInvalidIdMalformed");
	assert_null(find(&other, immutable, true));
	assert_string_equal(problem.code, "ErrorItemNotFound");
	immutable[strlen(immutable) - 1] = 'x';
	assert_null(find(&mailbox, immutable, true));
	event_id(second, true, immutable);
	assert_ptr_equal(find(&mailbox, immutable, true), second);
}

static void a_deleted_event_is_seen_only_where_settings_say_so(void **state)
{
	struct event *event = create("a", NULL);
	char immutable[EVENT_ID_SIZE];
	char before[EVENT_ID_SIZE];
	char after[EVENT_ID_SIZE];

	(void)state;
	event_id(event, true, immutable);
	event_id(event, false, before);
	mailbox_delete(&store, event, 2000);
	event_id(event, false, after);
	assert_string_not_equal(before, after);
	assert_null(find(&mailbox, immutable, true));
	settings.shows_deleted = true;
	assert_ptr_equal(find(&mailbox, immutable, true), event);
	assert_null(find(&mailbox, after, false));
	mailbox_delete(&store, event, 3000);
	assert_int_equal(store.count, 0);
}

static void the_same_content_again_is_the_same_event(void **state)
{
	struct event *event = create("a", "t");

	(void)state;
	assert_ptr_equal(create("a", "t"), event);
	assert_null(create("b", "t"));
	assert_string_equal(problem.code, "ErrorDuplicateTransactionId");
	assert_string_not_equal(problem.existing_id, "");
	assert_int_equal(mailbox.calendar_count, 1);
	assert_ptr_not_equal(create("a", NULL), create("a", NULL));
}

static void the_first_content_counts_not_the_edited_one(void **state)
{
	struct event *event = create("a", "t");
	struct draft change = {.given = 1u << DRAFT_SUBJECT, .subject = memory_text("b")};

	(void)state;
	assert_true(mailbox_change(&store, event, &change, 2000, &problem));
	assert_int_equal(event->version, 2);
	assert_ptr_equal(create("a", "t"), event);
	assert_null(create("b", "t"));
}

static void a_deleted_events_transaction_is_refused_replayed_or_forgotten(void **state)
{
	struct event *event = create("a", "t");

	(void)state;
	mailbox_delete(&store, event, 2000);
	assert_null(create("a", "t"));
	settings.after_delete = SETTINGS_REPLAY;
	assert_ptr_equal(create("a", "t"), event);
	assert_null(create("b", "t"));
	settings.after_delete = SETTINGS_FORGET;
	assert_ptr_not_equal(create("b", "t"), event);
	assert_int_equal(mailbox.calendar_count, 1);
	assert_int_equal(mailbox.deleted_count, 1);
}

static void deleted_items_keep_the_newest(void **state)
{
	(void)state;
	for (int i = 0; i < MAILBOX_DELETED_MAX + 5; i++) {
		char transaction[16];

		snprintf(transaction, sizeof transaction, "t%d", i);
		mailbox_delete(&store, create("a", transaction), i);
	}
	assert_int_equal(mailbox.deleted_count, MAILBOX_DELETED_MAX);
	assert_int_equal(store.count, MAILBOX_DELETED_MAX);
	assert_int_equal(mailbox.deleted->modified_ms, 5);
	assert_non_null(create("b", "t0"));
}

static void the_window_opens_again(void **state)
{
	int64_t wait_s = 0;

	(void)state;
	settings.rate_limit = 2;
	assert_true(mailbox_count_request(&mailbox, &settings, 700000, &wait_s, &problem));
	assert_true(mailbox_count_request(&mailbox, &settings, 700001, &wait_s, &problem));
	assert_false(mailbox_count_request(&mailbox, &settings, 1000000, &wait_s, &problem));
	assert_int_equal(wait_s, 300);
	assert_true(mailbox_count_request(&mailbox, &settings, 1300000, &wait_s, &problem));
	settings.rate_limit = 0;
	assert_true(mailbox_count_request(&mailbox, &settings, 1300000, &wait_s, &problem));
	assert_true(mailbox_count_request(&mailbox, &settings, 1300000, &wait_s, &problem));
}

static void every_edit_gives_another_etag(void **state)
{
	struct event *event = create("a", NULL);
	struct draft change = {0};
	char before[EVENT_ETAG_SIZE];
	char after[EVENT_ETAG_SIZE];

	(void)state;
	event_etag(event, before);
	assert_true(mailbox_change(&store, event, &change, 2000, &problem));
	event_etag(event, after);
	assert_string_not_equal(before, after);
	assert_memory_equal(after, "W/\"", 3);
	assert_int_equal(after[strlen(after) - 1], '"');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(each_kind_of_id_leads_to_its_event_only, begin, end),
	    cmocka_unit_test_setup_teardown(a_deleted_event_is_seen_only_where_settings_say_so,
					    begin, end),
	    cmocka_unit_test_setup_teardown(the_same_content_again_is_the_same_event, begin, end),
	    cmocka_unit_test_setup_teardown(the_first_content_counts_not_the_edited_one, begin,
					    end),
	    cmocka_unit_test_setup_teardown(
		a_deleted_events_transaction_is_refused_replayed_or_forgotten, begin, end),
	    cmocka_unit_test_setup_teardown(deleted_items_keep_the_newest, begin, end),
	    cmocka_unit_test_setup_teardown(the_window_opens_again, begin, end),
	    cmocka_unit_test_setup_teardown(every_edit_gives_another_etag, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
