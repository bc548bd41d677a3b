/* draft.h - what a client may say about an event: read strictly, checked, merged.
 *
 * JSON ─▶ draft_json_read ─▶ draft_check_new | draft_check_change ─▶ draft_merge.  Pure. */
#ifndef CALRELAY_FAKE_DRAFT_H
#define CALRELAY_FAKE_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/fake/datetime.h"
#include "tests/fake/problem.h"

#define DRAFT_CATEGORIES_MAX 25
#define DRAFT_PROPERTIES_MAX 8
#define DRAFT_SUBJECT_MAX    255  /* code points */
#define DRAFT_TEXT_MAX_BYTES 1024 /* of each other text but the body */

enum draft_field {
	DRAFT_SUBJECT,
	DRAFT_BODY,
	DRAFT_START,
	DRAFT_END,
	DRAFT_IS_ALL_DAY,
	DRAFT_SHOW_AS,
	DRAFT_IMPORTANCE,
	DRAFT_SENSITIVITY,
	DRAFT_CATEGORIES,
	DRAFT_IS_REMINDER_ON,
	DRAFT_REMINDER_MINUTES,
	DRAFT_RESPONSE_REQUESTED,
	DRAFT_HIDE_ATTENDEES,
	DRAFT_ALLOW_NEW_TIMES,
	DRAFT_LOCATION,
	DRAFT_TRANSACTION_ID,
	DRAFT_PROPERTIES,
	DRAFT_FIELDS
};

struct draft_time {
	struct datetime civil;
	const char *zone; /* of zones.h: lives for good */
};

struct draft_property {
	char *id; /* normalised */
	char *value;
};

struct draft {
	uint32_t given;	 /* bit per field: it was named */
	uint32_t truths; /* bit per boolean field: it is true */
	char *subject;
	char *body;
	bool body_is_html;
	struct draft_time start;
	struct draft_time end;
	const char *show_as; /* constants */
	const char *importance;
	const char *sensitivity;
	char **categories;
	size_t category_count;
	int32_t reminder_minutes;
	char *location;
	char *transaction_id;
	struct draft_property *properties;
	size_t property_count;
};

void draft_close(struct draft *draft);

/* The refusal of a property's value. */
bool draft_refuse(struct problem *problem, const char *name, const char *why);

bool draft_has(const struct draft *draft, enum draft_field field);
bool draft_is(const struct draft *draft, enum draft_field field); /* a boolean field is true */

/* Fills what a new event has where its author said nothing, then checks it. */
bool draft_check_new(struct draft *draft, struct problem *problem);

/* Whether existing may be changed so: times of all-day events only together, and right. */
bool draft_check_change(const struct draft *existing, const struct draft *change,
			struct problem *problem);

/* Moves what change says into draft; change is empty afterwards. */
void draft_merge(struct draft *draft, struct draft *change);

/* Equal exactly (but for a collision) where two creations say the same. */
uint64_t draft_hash(const struct draft *draft);

/* The value of an extended property by its normalised id, or NULL. */
const char *draft_property(const struct draft *draft, const char *id);

#endif
