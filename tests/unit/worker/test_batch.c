/* test_batch.c - the $batch body as Graph reads it, item by item. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json.h"
#include "worker/batch.h"
#include "worker/listing.h"

#define PROPERTY   "String {0b7c4c8e-5a3f-4a52-9f0e-6d1f6f2a7c11} Name AmiDashAssignment"
#define CONNECTION "11111111-1111-4111-8111-111111111111"
#define ASSIGNMENT "22222222-2222-4222-8222-222222222222"

static struct hostmap map;
static struct outlook_event event;
static struct uuid connection;
static struct uuid assignment;

static int make_event(void **state)
{
	struct assignment source = {.client_name = "Acme \"&\" Söhne",
				    .status = "confirmed",
				    .notes = "bring boots",
				    .start_day = 20780,
				    .end_day = 20784};
	struct change *change = change_new(&source);
	struct fault fault;
	bool ok = change != NULL && hostmap_load(&map, NULL, &fault) &&
		  outlook_event_make(&event, change, &map, "Europe/Berlin", SCOPE_MAILBOX_NONE) &&
		  uuid_parse(CONNECTION, &connection) && uuid_parse(ASSIGNMENT, &assignment);

	(void)state;
	free(change);
	return ok ? 0 : -1;
}

static int close_event(void **state)
{
	(void)state;
	outlook_event_close(&event);
	return 0;
}

static struct op an_op(enum op_request request, const char *event_id)
{
	struct op op;

	op_init(&op, request == OP_CREATE || request == OP_UPDATE, event_id, 7);
	op.request = request;
	return op;
}

static void batch_add(struct batch *batch, struct op *op)
{
	batch->items[batch->count++] =
	    (struct batch_item){.op = op, .event = &event, .assignment = assignment};
}

/* The body of a batch, parsed back. */
static cJSON *written(const struct batch *batch)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct buf out;
	cJSON *root;

	buf_init(&out, BATCH_MAX_BYTES);
	batch_write(&out, batch, &connection, PROPERTY);
	assert_false(out.failed);
	root = json_parse(out.data, out.length, BATCH_MAX_BYTES, &fault);
	if (root == NULL) {
		fail_msg("%s", fault.what);
	}
	buf_close(&out);
	return root;
}

static const cJSON *request_at(const cJSON *root, int index)
{
	const cJSON *request = cJSON_GetArrayItem(json_array(root, "requests"), index);

	assert_non_null(request);
	return request;
}

static int member_count(const cJSON *object)
{
	assert_non_null(object);
	return cJSON_GetArraySize(object);
}

static void expect_text(const cJSON *object, const char *key, const char *text)
{
	const char *found = json_text(object, key);

	if (found == NULL) {
		fail_msg("no text \"%s\"", key);
	}
	assert_string_equal(found, text);
}

/* ---- bodies ---- */

static void a_creation_carries_the_event_its_mark_and_its_transaction_id(void **state)
{
	struct op op = an_op(OP_CREATE, NULL);
	struct uuid transaction = op_transaction_id(&connection, &assignment, 7);
	char transaction_text[UUID_TEXT_SIZE];
	struct batch batch = {0};
	const cJSON *request;
	const cJSON *body;
	const cJSON *marks;
	cJSON *root;

	(void)state;
	batch_add(&batch, &op);
	root = written(&batch);
	uuid_format(&transaction, transaction_text);
	assert_int_equal(member_count(root), 1);
	assert_int_equal(member_count(json_array(root, "requests")), 1);
	request = request_at(root, 0);
	assert_int_equal(member_count(request), 5);
	expect_text(request, "id", "1");
	expect_text(request, "method", "POST");
	expect_text(request, "url", "/me/events");
	assert_int_equal(member_count(json_object(request, "headers")), 2);
	expect_text(json_object(request, "headers"), "Content-Type", "application/json");
	expect_text(json_object(request, "headers"), "Prefer", "IdType=\"ImmutableId\"");
	body = json_object(request, "body");
	expect_text(body, "subject", "Acme \"&\" Söhne");
	expect_text(body, "transactionId", transaction_text);
	assert_true(json_is_true(body, "isAllDay"));
	expect_text(json_object(body, "start"), "dateTime", "2026-11-23T00:00:00");
	expect_text(json_object(body, "end"), "dateTime", "2026-11-28T00:00:00");
	expect_text(json_object(body, "end"), "timeZone", "Europe/Berlin");
	expect_text(json_object(body, "body"), "contentType", "text");
	marks = json_array(body, "singleValueExtendedProperties");
	assert_int_equal(member_count(marks), 1);
	expect_text(cJSON_GetArrayItem(marks, 0), "id", PROPERTY);
	expect_text(cJSON_GetArrayItem(marks, 0), "value", ASSIGNMENT);
	cJSON_Delete(root);
}

static void an_update_never_touches_the_mark_or_the_transaction_id(void **state)
{
	struct op op = an_op(OP_UPDATE, "AAMk");
	struct batch batch = {0};
	const cJSON *request;
	const cJSON *body;
	cJSON *root;

	(void)state;
	batch_add(&batch, &op);
	root = written(&batch);
	request = request_at(root, 0);
	expect_text(request, "method", "PATCH");
	expect_text(json_object(request, "headers"), "Content-Type", "application/json");
	expect_text(json_object(request, "headers"), "Prefer", "IdType=\"ImmutableId\"");
	body = json_object(request, "body");
	expect_text(body, "subject", "Acme \"&\" Söhne");
	assert_null(json_member(body, "transactionId"));
	assert_null(json_member(body, "singleValueExtendedProperties"));
	assert_non_null(json_object(body, "start"));
	assert_non_null(json_object(body, "end"));
	assert_non_null(json_member(body, "isAllDay"));
	cJSON_Delete(root);
}

/* The PATCH of an event whose categories were seen so: its If-Match and its categories, as JSON. */
static void expect_update(bool shows_ours, const char *theirs, const char *change_key,
			  const char *etag, const char *categories)
{
	struct op op = an_op(OP_UPDATE, "AAMk");
	struct batch batch = {0};
	const cJSON *request;
	cJSON *root;
	char *said;

	op_see_categories(&op, shows_ours, theirs, change_key);
	batch_add(&batch, &op);
	root = written(&batch);
	request = request_at(root, 0);
	if (etag != NULL) {
		expect_text(json_object(request, "headers"), "If-Match", etag);
	} else {
		assert_null(json_member(json_object(request, "headers"), "If-Match"));
	}
	said = cJSON_PrintUnformatted(json_array(json_object(request, "body"), "categories"));
	assert_string_equal(said != NULL ? said : "", categories);
	free(said);
	cJSON_Delete(root);
}

static void an_update_replaces_categories_only_as_they_were_seen(void **state)
{
	(void)state;
	expect_update(true, "\x1fMine\x1f", "ck", NULL, "");
	expect_update(false, "", "c/k+1=", "W/\"c/k+1=\"", "[\"Green category\"]");
	expect_update(false, "\x1fMine\x1f", "ck", "W/\"ck\"", "[\"Green category\",\"Mine\"]");
	expect_update(false, "\x1fMine\x1f", "", NULL, "[\"Green category\",\"Mine\"]");
}

static void a_read_asks_for_the_change_key_and_the_categories(void **state)
{
	struct op op = an_op(OP_READ, "AA/Mk");
	struct batch batch = {0};
	cJSON *root;

	(void)state;
	batch_add(&batch, &op);
	root = written(&batch);
	expect_text(request_at(root, 0), "url",
		    "/me/events/AA%2FMk?$select=id%2CchangeKey%2Ccategories");
	cJSON_Delete(root);
}

static void requests_without_a_body_have_no_content_type(void **state)
{
	static const enum op_request REQUESTS[] = {OP_DELETE, OP_FIND, OP_READ};
	static const char *const METHODS[] = {"DELETE", "GET", "GET"};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct op op = an_op(REQUESTS[i], "AAMk");
		struct batch batch = {0};
		const cJSON *request;
		cJSON *root;

		batch_add(&batch, &op);
		root = written(&batch);
		request = request_at(root, 0);
		expect_text(request, "method", METHODS[i]);
		assert_null(json_member(request, "body"));
		assert_int_equal(member_count(json_object(request, "headers")), 1);
		expect_text(json_object(request, "headers"), "Prefer", "IdType=\"ImmutableId\"");
		cJSON_Delete(root);
	}
}

/* bad input 52 */
static void ids_are_encoded_before_they_enter_a_url(void **state)
{
	struct op update = an_op(OP_UPDATE, "AAMk/T+G=='?$#%");
	struct op removal = an_op(OP_DELETE, "a/../b+=");
	struct batch batch = {0};
	cJSON *root;

	(void)state;
	batch_add(&batch, &update);
	batch_add(&batch, &removal);
	root = written(&batch);
	expect_text(request_at(root, 0), "url", "/me/events/AAMk%2FT%2BG%3D%3D%27%3F%24%23%25");
	expect_text(request_at(root, 1), "url", "/me/events/a%2F..%2Fb%2B%3D");
	cJSON_Delete(root);
}

static void the_longest_id_still_fits(void **state)
{
	char id[OP_ID_SIZE];
	struct batch batch = {0};
	struct op op;
	cJSON *root;

	(void)state;
	memset(id, '/', sizeof id - 1);
	id[sizeof id - 1] = '\0';
	op = an_op(OP_UPDATE, id);
	batch_add(&batch, &op);
	root = written(&batch);
	assert_int_equal(strlen(json_text(request_at(root, 0), "url")),
			 strlen("/me/events/") + 3 * (sizeof id - 1));
	cJSON_Delete(root);
}

static void a_look_up_asks_for_the_marked_event_by_its_assignment(void **state)
{
	struct op op = an_op(OP_FIND, NULL);
	struct batch batch = {0};
	struct buf path;
	const char *url;
	cJSON *root;

	(void)state;
	batch_add(&batch, &op);
	root = written(&batch);
	url = json_text(request_at(root, 0), "url");
	buf_init(&path, 4096);
	listing_find_path(&path, PROPERTY, &assignment);
	assert_string_equal(url, buf_string(&path));
	assert_ptr_equal(strstr(url, "/me/events?"), url);
	assert_non_null(strstr(url, ASSIGNMENT));
	assert_null(strpbrk(url, " {}'"));
	buf_close(&path);
	cJSON_Delete(root);
}

static void twenty_requests_have_twenty_ids_and_depend_on_nothing(void **state)
{
	struct op ops[BATCH_ITEMS_MAX];
	struct batch batch = {0};
	cJSON *root;

	(void)state;
	assert_int_equal(BATCH_ITEMS_MAX, 20);
	for (int i = 0; i < BATCH_ITEMS_MAX; i++) {
		ops[i] = an_op((enum op_request)(i % OP_REQUESTS), "AAMk");
		batch_add(&batch, &ops[i]);
	}
	root = written(&batch);
	assert_int_equal(member_count(json_array(root, "requests")), 20);
	for (int i = 0; i < BATCH_ITEMS_MAX; i++) {
		char id[12];

		snprintf(id, sizeof id, "%d", i + 1);
		expect_text(request_at(root, i), "id", id);
		expect_text(json_object(request_at(root, i), "headers"), "Prefer",
			    "IdType=\"ImmutableId\"");
		assert_null(json_member(request_at(root, i), "dependsOn"));
	}
	cJSON_Delete(root);
}

static void a_body_that_is_too_large_fails_as_a_whole(void **state)
{
	struct op op = an_op(OP_CREATE, NULL);
	struct batch batch = {0};
	struct buf out;

	(void)state;
	batch_add(&batch, &op);
	buf_init(&out, 64);
	batch_write(&out, &batch, &connection, PROPERTY);
	assert_true(out.failed);
	assert_string_equal(buf_string(&out), "");
	buf_close(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_creation_carries_the_event_its_mark_and_its_transaction_id),
	    cmocka_unit_test(an_update_never_touches_the_mark_or_the_transaction_id),
	    cmocka_unit_test(an_update_replaces_categories_only_as_they_were_seen),
	    cmocka_unit_test(a_read_asks_for_the_change_key_and_the_categories),
	    cmocka_unit_test(requests_without_a_body_have_no_content_type),
	    cmocka_unit_test(ids_are_encoded_before_they_enter_a_url),
	    cmocka_unit_test(the_longest_id_still_fits),
	    cmocka_unit_test(a_look_up_asks_for_the_marked_event_by_its_assignment),
	    cmocka_unit_test(twenty_requests_have_twenty_ids_and_depend_on_nothing),
	    cmocka_unit_test(a_body_that_is_too_large_fails_as_a_whole),
	};

	return cmocka_run_group_tests(tests, make_event, close_event);
}
