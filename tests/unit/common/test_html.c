/* test_html.c - what text becomes inside HTML. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/html.h"

static void markup_and_quotes_become_entities(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	html_escape(&out, "<a href=\"x\" id='y'>A&B &amp;</a> \xC3\xA4");
	assert_string_equal(
	    buf_string(&out),
	    "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;A&amp;B &amp;amp;&lt;/a&gt; "
	    "\xC3\xA4");
	buf_close(&out);
}

static void a_part_ends_where_it_is_said_to(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	html_escape_part(&out, "a<b>c", 3);
	html_escape_part(&out, "<", 0);
	html_escape(&out, "");
	assert_string_equal(buf_string(&out), "a&lt;b");
	buf_close(&out);
}

static void what_does_not_fit_is_noticed(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 3);
	html_escape(&out, "&");
	assert_true(out.failed);
	buf_close(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(markup_and_quotes_become_entities),
	    cmocka_unit_test(a_part_ends_where_it_is_said_to),
	    cmocka_unit_test(what_does_not_fit_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
