/* filter.c - the part of OData's $filter and $expand that finds events by an extended property. */
#include "tests/fake/filter.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define VARIABLE_SIZE 33

/* Reads left to right; after the first surprise everything else fails too. */
struct scan {
	const char *at;
	bool failed;
};

static void scan_space(struct scan *scan)
{
	while (*scan->at == ' ') {
		scan->at++;
	}
}

static bool scan_is(const struct scan *scan, const char *token)
{
	return !scan->failed && strncmp(scan->at, token, strlen(token)) == 0;
}

static void scan_expect(struct scan *scan, const char *token)
{
	scan_space(scan);
	if (scan_is(scan, token)) {
		scan->at += strlen(token);
	} else {
		scan->failed = true;
	}
}

/* A word that stands between spaces. */
static void scan_word(struct scan *scan, const char *word)
{
	if (*scan->at != ' ') {
		scan->failed = true;
	}
	scan_expect(scan, word);
	if (*scan->at != ' ') {
		scan->failed = true;
	}
}

static void scan_identifier(struct scan *scan, char *out, size_t size)
{
	size_t length = 0;

	scan_space(scan);
	while (isalnum((unsigned char)scan->at[length]) || scan->at[length] == '_') {
		length++;
	}
	if (length == 0 || length >= size) {
		scan->failed = true;
		length = 0;
	}
	snprintf(out, size, "%.*s", (int)length, scan->at);
	scan->at += length;
}

/* '...' where two quotes stand for one. */
static void scan_literal(struct scan *scan, char *out, size_t size)
{
	size_t length = 0;

	scan_expect(scan, "'");
	out[0] = '\0';
	while (!scan->failed && (*scan->at != '\'' || scan->at[1] == '\'')) {
		if (*scan->at == '\0' || length + 1 >= size) {
			scan->failed = true;
			return;
		}
		scan->at += *scan->at == '\'';
		out[length++] = *scan->at++;
		out[length] = '\0';
	}
	scan_expect(scan, "'");
}

static void scan_end(struct scan *scan)
{
	scan_space(scan);
	scan->failed = scan->failed || *scan->at != '\0';
}

static void scan_member(struct scan *scan, const char *variable, const char *member)
{
	scan_expect(scan, variable);
	scan_expect(scan, "/");
	scan_expect(scan, member);
}

static void scan_comparison(struct scan *scan, struct filter *filter)
{
	scan_space(scan);
	if (scan_is(scan, "eq ")) {
		scan_expect(scan, "eq ");
		scan_literal(scan, filter->value, sizeof filter->value);
		filter->kind = FILTER_EQUAL;
		return;
	}
	scan_expect(scan, "ne ");
	scan_space(scan);
	if (scan_is(scan, "null")) {
		scan_expect(scan, "null");
		filter->kind = FILTER_PRESENT;
		return;
	}
	scan_expect(scan, "''");
	filter->kind = FILTER_NOT_EMPTY;
}

bool filter_parse(const char *text, struct filter *filter, struct problem *problem)
{
	struct scan scan = {.at = text};
	char variable[VARIABLE_SIZE];
	char any[4];
	char id[PROPERTY_ID_SIZE];

	*filter = (struct filter){0};
	scan_expect(&scan, "singleValueExtendedProperties");
	scan_expect(&scan, "/");
	scan_identifier(&scan, any, sizeof any);
	scan.failed = scan.failed || strcasecmp(any, "any") != 0;
	scan_expect(&scan, "(");
	scan_identifier(&scan, variable, sizeof variable);
	scan_expect(&scan, ":");
	scan_member(&scan, variable, "id");
	scan_word(&scan, "eq");
	scan_literal(&scan, id, sizeof id);
	scan_word(&scan, "and");
	scan_member(&scan, variable, "value ");
	scan_comparison(&scan, filter);
	scan_expect(&scan, ")");
	scan_end(&scan);
	if (scan.failed || !property_normalise(id, filter->property)) {
		return problem_set(
		    problem, 400, "ErrorInvalidUrlQueryFilter",
		    "The query filter is invalid, or one that this server does not model.");
	}
	return true;
}

bool filter_matches(const struct filter *filter, const struct draft *draft)
{
	const char *value;

	if (filter->kind == FILTER_NONE) {
		return true;
	}
	value = draft_property(draft, filter->property);
	if (value == NULL) {
		return false;
	}
	if (filter->kind == FILTER_EQUAL) {
		return strcasecmp(value, filter->value) == 0;
	}
	return filter->kind == FILTER_PRESENT || *value != '\0';
}

bool filter_parse_expand(const char *text, char property[PROPERTY_ID_SIZE], struct problem *problem)
{
	struct scan scan = {.at = text};
	char id[PROPERTY_ID_SIZE];

	scan_expect(&scan, "singleValueExtendedProperties");
	scan_expect(&scan, "(");
	scan_expect(&scan, "$filter");
	scan_expect(&scan, "=");
	scan_expect(&scan, "id ");
	scan_expect(&scan, "eq ");
	scan_literal(&scan, id, sizeof id);
	scan_expect(&scan, ")");
	scan_end(&scan);
	if (scan.failed || !property_normalise(id, property)) {
		return problem_set(problem, 400, "BadRequest",
				   "The query specified in the URI is not valid: $expand.");
	}
	return true;
}
