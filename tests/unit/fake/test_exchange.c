/* test_exchange.c - a body never comes back as it went. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fake/exchange.h"

static void expect(void (*write)(const char *, bool, struct buf *), const char *body, bool is_html,
		   const char *part)
{
	struct buf out;

	buf_init(&out, 65536);
	write(body, is_html, &out);
	if (strstr(buf_string(&out), part) == NULL) {
		fail_msg("'%s' is not in '%s'", part, buf_string(&out));
	}
	buf_close(&out);
}

static void text_becomes_escaped_html(void **state)
{
	(void)state;
	expect(exchange_write_html, "a<b>&\"c\"\nd\r\ne", false,
	       "<div class=\"PlainText\">a&lt;b&gt;&amp;&quot;c&quot;<br>\r\nd<br>\r\ne</div>");
	expect(exchange_write_html, "<p>x</p>", true, "<body>\r\n<p>x</p>\r\n</body>");
}

static void text_comes_back_with_other_line_ends(void **state)
{
	(void)state;
	expect(exchange_write_text, "a\nb\r\nc", false, "a\r\nb\r\nc\r\n");
	expect(exchange_write_text, "<p>x</p>", true, "x\r\n");
	expect(exchange_write_text, "", false, "\r\n");
}

static void a_long_line_is_escaped_whole(void **state)
{
	char line[2001];
	struct buf out;

	(void)state;
	memset(line, '<', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	buf_init(&out, 65536);
	exchange_write_html(line, false, &out);
	assert_non_null(strstr(buf_string(&out), "PlainText\">&lt;"));
	assert_null(strstr(buf_string(&out), "<<"));
	buf_close(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_becomes_escaped_html),
	    cmocka_unit_test(text_comes_back_with_other_line_ends),
	    cmocka_unit_test(a_long_line_is_escaped_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
