/* filter.h - the part of OData's $filter and $expand that finds events by an extended property. */
#ifndef CALRELAY_FAKE_FILTER_H
#define CALRELAY_FAKE_FILTER_H

#include <stdbool.h>

#include "tests/fake/draft.h"
#include "tests/fake/problem.h"
#include "tests/fake/property.h"

#define FILTER_VALUE_SIZE 1025

enum filter_kind {
	FILTER_NONE,
	FILTER_EQUAL,	  /* ep/value eq '...' */
	FILTER_PRESENT,	  /* ep/value ne null */
	FILTER_NOT_EMPTY, /* ep/value ne '' */
};

struct filter {
	enum filter_kind kind;
	char property[PROPERTY_ID_SIZE]; /* normalised */
	char value[FILTER_VALUE_SIZE];
};

/* singleValueExtendedProperties/Any(ep: ep/id eq '...' and ep/value eq '...') and nothing else. */
bool filter_parse(const char *text, struct filter *filter, struct problem *problem);
bool filter_matches(const struct filter *filter, const struct draft *draft);

/* singleValueExtendedProperties($filter=id eq '...') and nothing else; property is normalised. */
bool filter_parse_expand(const char *text, char property[PROPERTY_ID_SIZE],
			 struct problem *problem);

#endif
