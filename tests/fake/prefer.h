/* prefer.h - the Prefer header's parts that Outlook's API knows. */
#ifndef CALRELAY_FAKE_PREFER_H
#define CALRELAY_FAKE_PREFER_H

#include <stdbool.h>

#include "tests/fake/problem.h"

struct prefer {
	bool is_immutable; /* IdType="ImmutableId" */
	bool is_text;	   /* outlook.body-content-type="text" */
	const char *zone;  /* outlook.timezone, of zones.h, or NULL */
};

/* header may be NULL.  What it doesn't know it ignores; a zone that Graph lacks is refused. */
bool prefer_read(const char *header, struct prefer *prefer, struct problem *problem);

#endif
