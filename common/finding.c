/* finding.c - the lines of --check. */
#include "common/finding.h"

#include <stdarg.h>
#include <stdio.h>

static void say(const char *kind, const char *format, va_list arguments)
{
	fputs(kind, stdout);
	vprintf(format, arguments);
	putchar('\n');
}

void finding_say(struct findings *findings, bool is_good, const char *format, ...)
{
	va_list arguments;

	findings->bad += is_good ? 0 : 1;
	va_start(arguments, format);
	say(is_good ? "ok    " : "FAIL  ", format, arguments);
	va_end(arguments);
}

void finding_warn(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("warn  ", format, arguments);
	va_end(arguments);
}
