/* pooler.c - tells a connection pooler from the server itself. */
#include "producer/pooler.h"

#include <libpq-fe.h>
#include <string.h>

#define POOLER_PORT "6543" /* source: Supabase's documentation of its connection strings */

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);
	size_t end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static const char *option(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword != NULL; options++) {
		if (strcmp(options->keyword, keyword) == 0 && options->val != NULL) {
			return options->val;
		}
	}
	return "";
}

enum pooler_guess pooler_guess(const char *url)
{
	PQconninfoOption *options = PQconninfoParse(url, NULL);
	enum pooler_guess guess = POOLER_UNLIKELY;

	if (options != NULL && strcmp(option(options, "port"), POOLER_PORT) == 0) {
		const char *host = option(options, "host");

		guess = ends_with(host, ".supabase.com") || ends_with(host, ".supabase.co")
			    ? POOLER_CERTAIN
			    : POOLER_LIKELY;
	}
	PQconninfoFree(options);
	return guess;
}

bool pooler_refuses(const char *message)
{
	return strstr(message, "unsupported startup parameter") != NULL;
}

bool pooler_misreads(const char *sqlstate)
{
	return strcmp(sqlstate, "42601") == 0;
}

bool pooler_mixes_up(const char *sqlstate, const char *message)
{
	return strcmp(sqlstate, "42P05") == 0 || strcmp(sqlstate, "26000") == 0 ||
	       strstr(message, "prepared statement \"") != NULL;
}
