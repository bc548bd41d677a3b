/* test_faults.c - a rule meets the calls it names, as often as it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json.h"
#include "tests/fake/faults.h"

static struct faults faults;

static int end(void **state)
{
	(void)state;
	faults_clear(&faults);
	return 0;
}

static int64_t add(const char *text)
{
	struct problem problem;
	struct fault fault;
	cJSON *document = json_parse(text, strlen(text), 4096, &fault);
	int64_t id = faults_add(&faults, document, &problem);

	cJSON_Delete(document);
	return id;
}

static bool meets(enum kind kind, const char *account, const char *assignment, bool is_whole)
{
	const struct faults_call call = {account, assignment, kind, is_whole};
	struct faults_rule rule;

	return faults_take(&faults, &call, &rule);
}

static void a_rule_is_used_up(void **state)
{
	(void)state;
	assert_true(add("{\"on\":\"create\",\"do\":\"throttle\",\"times\":2,\"skip\":1}") > 0);
	assert_false(meets(KIND_CREATE, "a", NULL, true));
	assert_false(meets(KIND_UPDATE, "a", NULL, true));
	assert_true(meets(KIND_CREATE, "a", NULL, true));
	assert_true(meets(KIND_CREATE, "b", NULL, false));
	assert_false(meets(KIND_CREATE, "a", NULL, true));
	assert_int_equal(faults.count, 0);
}

static void a_rule_meets_whom_it_names(void **state)
{
	(void)state;
	add("{\"on\":\"any\",\"do\":\"error\",\"account\":\"Anna@x\",\"times\":9}");
	assert_false(meets(KIND_CREATE, "ben@x", NULL, true));
	assert_false(meets(KIND_CREATE, NULL, NULL, true));
	assert_false(meets(KIND_CREATE, "anna@x", NULL, false));
	assert_true(meets(KIND_TOKEN, "anna@x", NULL, true));
	faults_clear(&faults);
	add("{\"on\":\"update\",\"do\":\"error\",\"account\":null,\"assignment\":\"a-1\"}");
	assert_false(meets(KIND_UPDATE, "x", "a-2", false));
	assert_false(meets(KIND_UPDATE, "x", NULL, false));
	assert_true(meets(KIND_UPDATE, "x", "A-1", false));
}

static void refusals_have_their_defaults(void **state)
{
	const struct faults_call token = {NULL, NULL, KIND_TOKEN, true};
	const struct faults_call list = {NULL, NULL, KIND_LIST, true};
	struct faults_rule rule;

	(void)state;
	add("{\"on\":\"token\",\"do\":\"error\"}");
	add("{\"on\":\"list\",\"do\":\"throttle\",\"retry_after\":2.5}");
	add("{\"on\":\"list\",\"do\":\"throttle\",\"retry_after\":null}");
	assert_true(faults_take(&faults, &token, &rule));
	assert_true(rule.status == 400 && strcmp(rule.code, "invalid_grant") == 0);
	assert_true(faults_take(&faults, &list, &rule));
	assert_true(rule.status == 429 && strcmp(rule.retry_after, "2.5") == 0);
	assert_true(faults_take(&faults, &list, &rule));
	assert_string_equal(rule.retry_after, "");
}

static void a_rule_that_is_not_understood_is_refused(void **state)
{
	static const char *const WRONG[] = {
	    "[]",
	    "{}",
	    "{\"on\":\"create\"}",
	    "{\"do\":\"error\"}",
	    "{\"on\":\"x\",\"do\":\"error\"}",
	    "{\"on\":\"create\",\"do\":\"x\"}",
	    "{\"on\":\"create\",\"do\":\"error\",\"status\":200}",
	    "{\"on\":\"create\",\"do\":\"error\",\"status\":600}",
	    "{\"on\":\"create\",\"do\":\"delay\",\"ms\":-1}",
	    "{\"on\":\"create\",\"do\":\"delay\",\"when\":\"never\"}",
	    "{\"on\":\"create\",\"do\":\"error\",\"times\":0}",
	    "{\"on\":\"create\",\"do\":\"error\",\"time\":1}"};

	(void)state;
	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
		assert_int_equal(add(WRONG[i]), 0);
	}
	assert_int_equal(faults.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(a_rule_is_used_up, end),
	    cmocka_unit_test_teardown(a_rule_meets_whom_it_names, end),
	    cmocka_unit_test_teardown(refusals_have_their_defaults, end),
	    cmocka_unit_test_teardown(a_rule_that_is_not_understood_is_refused, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
