/* draft_json.c - reads an event's JSON by an allow-list of names, types and values. */
#include "tests/fake/draft_json.h"

#include <string.h>

#include "common/json.h"
#include "tests/fake/memory.h"
#include "tests/fake/property.h"
#include "tests/fake/zones.h"

static const char *const SHOW_AS[] = {"busy",	 "free", "tentative", "oof", "workingElsewhere",
				      "unknown", NULL};
static const char *const IMPORTANCE[] = {"normal", "low", "high", NULL};
static const char *const SENSITIVITY[] = {"normal", "personal", "private", "confidential", NULL};
static const char *const CONTENT_TYPES[] = {"text", "html", NULL};

static bool refuse_type(struct problem *problem, const char *name, const char *wanted)
{
	return problem_set(problem, 400, "RequestBodyRead",
			   "Cannot convert the value of '%s' to the expected type '%s'.", name,
			   wanted);
}

static size_t text_code_points(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++) {
		count += ((unsigned char)*text & 0xC0) != 0x80;
	}
	return count;
}

/* ---- one reader per type ---- */

struct reading {
	const char *name;
	enum draft_field field;
	const cJSON *value;
	struct draft *draft;
	struct problem *problem;
};

static bool read_text(const struct reading *reading, char **out)
{
	const cJSON *value = reading->value;

	if (!cJSON_IsString(value)) {
		return refuse_type(reading->problem, reading->name, "Edm.String");
	}
	if (strlen(value->valuestring) > DRAFT_TEXT_MAX_BYTES) {
		return draft_refuse(reading->problem, reading->name, "too long");
	}
	*out = memory_text(value->valuestring);
	return true;
}

static bool read_subject(const struct reading *reading)
{
	if (!read_text(reading, &reading->draft->subject)) {
		return false;
	}
	return text_code_points(reading->draft->subject) <= DRAFT_SUBJECT_MAX ||
	       draft_refuse(reading->problem, reading->name, "longer than 255 characters");
}

static bool read_transaction_id(const struct reading *reading)
{
	if (!read_text(reading, &reading->draft->transaction_id)) {
		return false;
	}
	return reading->draft->transaction_id[0] != '\0' ||
	       draft_refuse(reading->problem, reading->name, "empty");
}

/* The constant of the list that equals value, or NULL with a refusal. */
static const char *read_choice(const cJSON *value, const char *name, const char *const *choices,
			       struct problem *problem)
{
	if (cJSON_IsString(value)) {
		for (; *choices != NULL; choices++) {
			if (strcmp(*choices, value->valuestring) == 0) {
				return *choices;
			}
		}
	}
	refuse_type(problem, name, "an enumeration that has it");
	return NULL;
}

static bool read_enumeration(const struct reading *reading)
{
	struct draft *draft = reading->draft;
	const char **slot = &draft->show_as;
	const char *const *choices = SHOW_AS;

	if (reading->field == DRAFT_IMPORTANCE) {
		slot = &draft->importance;
		choices = IMPORTANCE;
	} else if (reading->field == DRAFT_SENSITIVITY) {
		slot = &draft->sensitivity;
		choices = SENSITIVITY;
	}
	*slot = read_choice(reading->value, reading->name, choices, reading->problem);
	return *slot != NULL;
}

static bool read_boolean(const struct reading *reading)
{
	if (!cJSON_IsBool(reading->value)) {
		return refuse_type(reading->problem, reading->name, "Edm.Boolean");
	}
	if (cJSON_IsTrue(reading->value)) {
		reading->draft->truths |= UINT32_C(1) << reading->field;
	}
	return true;
}

static bool read_minutes(const struct reading *reading)
{
	double number = reading->value->valuedouble;

	if (!cJSON_IsNumber(reading->value) || number < 0 || number > 40320 ||
	    number != (double)(int32_t)number) {
		return refuse_type(reading->problem, reading->name, "Edm.Int32");
	}
	reading->draft->reminder_minutes = (int32_t)number;
	return true;
}

/* An object that has exactly these members, all texts. */
static bool read_members(const struct reading *reading, const char *const *names,
			 const char **values, size_t count)
{
	size_t members = 0;

	if (!cJSON_IsObject(reading->value)) {
		return refuse_type(reading->problem, reading->name, "an object");
	}
	for (const cJSON *at = reading->value->child; at != NULL; at = at->next) {
		members++;
	}
	for (size_t i = 0; i < count; i++) {
		values[i] = json_text(reading->value, names[i]);
		if (values[i] == NULL) {
			return draft_refuse(reading->problem, reading->name,
					    "a member is missing or not a string");
		}
	}
	return members == count ||
	       problem_set(reading->problem, 400, "RequestBodyRead",
			   "'%s' has a member that its type does not have.", reading->name);
}

static bool read_body(const struct reading *reading)
{
	static const char *const NAMES[] = {"contentType", "content"};
	const char *values[2] = {NULL};
	cJSON *type;
	const char *choice;

	if (!read_members(reading, NAMES, values, 2)) {
		return false;
	}
	type = cJSON_GetObjectItemCaseSensitive(reading->value, "contentType");
	choice = read_choice(type, "contentType", CONTENT_TYPES, reading->problem);
	if (choice == NULL) {
		return false;
	}
	reading->draft->body_is_html = choice == CONTENT_TYPES[1];
	reading->draft->body = memory_text(values[1]);
	return true;
}

static bool read_time(const struct reading *reading)
{
	static const char *const NAMES[] = {"dateTime", "timeZone"};
	const char *values[2] = {NULL};
	struct draft *draft = reading->draft;
	struct draft_time *time = reading->field == DRAFT_START ? &draft->start : &draft->end;

	if (!read_members(reading, NAMES, values, 2)) {
		return false;
	}
	if (!datetime_parse(values[0], &time->civil)) {
		return draft_refuse(reading->problem, reading->name,
				    "dateTime must be YYYY-MM-DDTHH:MM:SS without Z or offset");
	}
	time->zone = zones_find(values[1]);
	return time->zone != NULL ||
	       problem_set(reading->problem, 400, "TimeZoneNotSupportedException",
			   "A valid TimeZone value must be specified. Not supported: '%.60s'.",
			   values[1]);
}

static bool read_categories(const struct reading *reading)
{
	struct draft *draft = reading->draft;
	const cJSON *item;

	if (!cJSON_IsArray(reading->value) ||
	    cJSON_GetArraySize(reading->value) > DRAFT_CATEGORIES_MAX) {
		return refuse_type(reading->problem, reading->name, "Collection(Edm.String)");
	}
	draft->categories = memory_zeroed(DRAFT_CATEGORIES_MAX, sizeof *draft->categories);
	cJSON_ArrayForEach(item, reading->value)
	{
		struct reading one = *reading;

		one.value = item;
		if (!read_text(&one, &draft->categories[draft->category_count])) {
			return false;
		}
		draft->category_count++;
	}
	return true;
}

static bool read_location(const struct reading *reading)
{
	static const char *const NAMES[] = {"displayName"};
	const char *value = NULL;

	if (!read_members(reading, NAMES, &value, 1)) {
		return false;
	}
	reading->draft->location = memory_text(value);
	return true;
}

static bool read_property(const struct reading *reading)
{
	static const char *const NAMES[] = {"id", "value"};
	const char *values[2] = {NULL};
	char id[PROPERTY_ID_SIZE];
	struct draft *draft = reading->draft;

	if (!read_members(reading, NAMES, values, 2)) {
		return false;
	}
	if (!property_normalise(values[0], id)) {
		return draft_refuse(reading->problem, reading->name,
				    "an id must be like 'String {GUID} Name Colour'");
	}
	if (draft_property(draft, id) != NULL) {
		return draft_refuse(reading->problem, reading->name, "an id stands there twice");
	}
	draft->properties[draft->property_count].id = memory_text(id);
	draft->properties[draft->property_count++].value = memory_text(values[1]);
	return true;
}

static bool read_properties(const struct reading *reading)
{
	const cJSON *item;

	if (!cJSON_IsArray(reading->value) ||
	    cJSON_GetArraySize(reading->value) > DRAFT_PROPERTIES_MAX) {
		return refuse_type(reading->problem, reading->name, "a collection of at most 8");
	}
	reading->draft->properties =
	    memory_zeroed(DRAFT_PROPERTIES_MAX, sizeof *reading->draft->properties);
	cJSON_ArrayForEach(item, reading->value)
	{
		struct reading one = *reading;

		one.value = item;
		if (!read_property(&one)) {
			return false;
		}
	}
	return true;
}

/* clang-format off */
static const struct {
	const char *name;
	enum draft_field field;
	bool (*read)(const struct reading *reading);
} FIELDS[] = {
	{"subject",                       DRAFT_SUBJECT,            read_subject},
	{"body",                          DRAFT_BODY,               read_body},
	{"start",                         DRAFT_START,              read_time},
	{"end",                           DRAFT_END,                read_time},
	{"isAllDay",                      DRAFT_IS_ALL_DAY,         read_boolean},
	{"showAs",                        DRAFT_SHOW_AS,            read_enumeration},
	{"importance",                    DRAFT_IMPORTANCE,         read_enumeration},
	{"sensitivity",                   DRAFT_SENSITIVITY,        read_enumeration},
	{"categories",                    DRAFT_CATEGORIES,         read_categories},
	{"isReminderOn",                  DRAFT_IS_REMINDER_ON,     read_boolean},
	{"reminderMinutesBeforeStart",    DRAFT_REMINDER_MINUTES,   read_minutes},
	{"responseRequested",             DRAFT_RESPONSE_REQUESTED, read_boolean},
	{"hideAttendees",                 DRAFT_HIDE_ATTENDEES,     read_boolean},
	{"allowNewTimeProposals",         DRAFT_ALLOW_NEW_TIMES,    read_boolean},
	{"location",                      DRAFT_LOCATION,           read_location},
	{"transactionId",                 DRAFT_TRANSACTION_ID,     read_transaction_id},
	{"singleValueExtendedProperties", DRAFT_PROPERTIES,         read_properties},
};
/* clang-format on */

static bool read_member(const cJSON *member, struct draft *draft, struct problem *problem)
{
	for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++) {
		uint32_t bit = UINT32_C(1) << FIELDS[i].field;
		struct reading reading = {FIELDS[i].name, FIELDS[i].field, member, draft, problem};

		if (strcmp(FIELDS[i].name, member->string) != 0) {
			continue;
		}
		if ((draft->given & bit) != 0) {
			return problem_set(problem, 400, "RequestBodyRead",
					   "The property '%s' stands there twice.", FIELDS[i].name);
		}
		draft->given |= bit;
		return FIELDS[i].read(&reading);
	}
	return problem_set(
	    problem, 400, "RequestBodyRead",
	    "The property '%.80s' does not exist on type 'microsoft.graph.event', or can't be set.",
	    member->string);
}

bool draft_json_read(const cJSON *body, struct draft *draft, struct problem *problem)
{
	*draft = (struct draft){0};
	if (!cJSON_IsObject(body)) {
		return problem_set(problem, 400, "BadRequest",
				   "Unable to read JSON request payload.");
	}
	for (const cJSON *member = body->child; member != NULL; member = member->next) {
		if (!read_member(member, draft, problem)) {
			return false;
		}
	}
	return true;
}
