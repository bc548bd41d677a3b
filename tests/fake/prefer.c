/* prefer.c - the Prefer header's parts that Outlook's API knows. */
#include "tests/fake/prefer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tests/fake/zones.h"

/* The value of name in `name="value", other="value"`, quotes or not; false where absent. */
static bool prefer_find(const char *header, const char *name, char *value, size_t size)
{
	size_t length = strlen(name);

	while (header != NULL && *header != '\0') {
		header += strspn(header, " ,;");
		if (strncasecmp(header, name, length) == 0 && header[length] == '=') {
			const char *at = header + length + 1;

			at += *at == '"';
			snprintf(value, size, "%.*s", (int)strcspn(at, "\",;"), at);
			return true;
		}
		header += strcspn(header, ",;");
	}
	return false;
}

bool prefer_read(const char *header, struct prefer *prefer, struct problem *problem)
{
	char value[64];

	*prefer = (struct prefer){0};
	if (prefer_find(header, "IdType", value, sizeof value)) {
		prefer->is_immutable = strcasecmp(value, "ImmutableId") == 0;
	}
	if (prefer_find(header, "outlook.body-content-type", value, sizeof value)) {
		prefer->is_text = strcasecmp(value, "text") == 0;
	}
	if (!prefer_find(header, "outlook.timezone", value, sizeof value)) {
		return true;
	}
	prefer->zone = zones_find(value);
	return prefer->zone != NULL ||
	       problem_set(problem, 400, "TimeZoneNotSupportedException",
			   "A valid TimeZone value must be specified. Not supported: '%.60s'.",
			   value);
}
