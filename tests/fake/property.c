/* property.c - names of single-value extended properties. */
#include "tests/fake/property.h"

#include <stdio.h>
#include <string.h>

#include "common/uuid.h"
#include "tests/fake/ascii.h"

static const char *const TYPES[] = {"String", "Integer", "Boolean",  "Double",
				    "Float",  "Short",	 "Long",     "SystemTime",
				    "Binary", "CLSID",	 "Currency", "ApplicationTime"};

/* What follows the type and its space, or NULL. */
static const char *property_after_type(const char *text)
{
	for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
		size_t length = strlen(TYPES[i]);

		if (strncmp(text, TYPES[i], length) == 0 && text[length] == ' ') {
			return text + length + 1;
		}
	}
	return NULL;
}

static bool property_is_hex(const char *text)
{
	size_t digits =
	    strncmp(text, "0x", 2) == 0 ? strspn(text + 2, "0123456789abcdefABCDEF") : 0;

	return digits >= 1 && digits <= 8 && text[2 + digits] == '\0';
}

/* ` Name n` or ` Id 0xn`, behind the GUID's brace. */
static bool property_is_name(const char *text)
{
	if (strncmp(text, " Name ", 6) == 0) {
		return text[6] != '\0' && text[6] != ' ';
	}
	return strncmp(text, " Id ", 4) == 0 && property_is_hex(text + 4);
}

bool property_normalise(const char *text, char id[PROPERTY_ID_SIZE])
{
	const char *rest = property_after_type(text);
	char guid[UUID_TEXT_SIZE];
	struct uuid uuid;

	if (rest == NULL || strlen(text) >= PROPERTY_ID_SIZE) {
		return false;
	}
	snprintf(id, PROPERTY_ID_SIZE, "%s", text);
	if (*rest != '{') {
		return property_is_hex(rest);
	}
	snprintf(guid, sizeof guid, "%s", rest + 1);
	if (!uuid_parse(guid, &uuid) || rest[UUID_TEXT_SIZE] != '}') {
		return false;
	}
	for (char *at = id + (rest - text); *at != '}'; at++) {
		*at = ascii_lower(*at);
	}
	return property_is_name(rest + UUID_TEXT_SIZE + 1);
}
