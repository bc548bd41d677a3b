/* draft.c - what a client may say about an event: rules, merging, comparison. */
#include "tests/fake/draft.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fake/memory.h"

#define DAY_SECONDS 86400

bool draft_refuse(struct problem *problem, const char *name, const char *why)
{
	return problem_set(problem, 400, "ErrorPropertyValidationFailure", "Property '%s': %s",
			   name, why);
}

static void draft_close_categories(struct draft *draft)
{
	for (size_t i = 0; i < DRAFT_CATEGORIES_MAX && draft->categories != NULL; i++) {
		free(draft->categories[i]);
	}
	free(draft->categories);
	draft->categories = NULL;
	draft->category_count = 0;
}

void draft_close(struct draft *draft)
{
	draft_close_categories(draft);
	for (size_t i = 0; i < draft->property_count; i++) {
		free(draft->properties[i].id);
		free(draft->properties[i].value);
	}
	free(draft->properties);
	free(draft->subject);
	free(draft->body);
	free(draft->location);
	free(draft->transaction_id);
	*draft = (struct draft){0};
}

/* ---- questions ---- */

bool draft_has(const struct draft *draft, enum draft_field field)
{
	return (draft->given >> field & 1) != 0;
}

bool draft_is(const struct draft *draft, enum draft_field field)
{
	return (draft->truths >> field & 1) != 0;
}

const char *draft_property(const struct draft *draft, const char *id)
{
	for (size_t i = 0; i < draft->property_count; i++) {
		if (strcmp(draft->properties[i].id, id) == 0) {
			return draft->properties[i].value;
		}
	}
	return NULL;
}

/* ---- rules ---- */

static bool check_all_day(const struct draft_time *start, const struct draft_time *end,
			  struct problem *problem)
{
	if (start->civil.second != 0 || end->civil.second != 0) {
		return draft_refuse(problem, start->civil.second != 0 ? "start" : "end",
				    "of an all-day event needs to be set to midnight.");
	}
	if (strcmp(start->zone, end->zone) != 0) {
		return draft_refuse(problem, "end",
				    "of an all-day event must be in the same time zone as start.");
	}
	return end->civil.day > start->civil.day ||
	       draft_refuse(
		   problem, "end",
		   "the duration of an event marked as All day must be at least 24 hours.");
}

static bool check_times(bool is_all_day, const struct draft_time *start,
			const struct draft_time *end, struct problem *problem)
{
	if (is_all_day) {
		return check_all_day(start, end, problem);
	}
	if (strcmp(start->zone, end->zone) == 0 &&
	    (end->civil.day - start->civil.day) * DAY_SECONDS + end->civil.second <
		start->civil.second) {
		return draft_refuse(problem, "end", "must not be before start.");
	}
	return true;
}

static void draft_default(struct draft *draft, enum draft_field field)
{
	if (!draft_has(draft, field)) {
		draft->truths |= UINT32_C(1) << field;
	}
}

bool draft_check_new(struct draft *draft, struct problem *problem)
{
	if (!draft_has(draft, DRAFT_START) || !draft_has(draft, DRAFT_END)) {
		return draft_refuse(problem, "start", "a new event needs start and end.");
	}
	draft_default(draft, DRAFT_IS_REMINDER_ON);
	draft_default(draft, DRAFT_RESPONSE_REQUESTED);
	draft_default(draft, DRAFT_ALLOW_NEW_TIMES);
	draft->reminder_minutes =
	    draft_has(draft, DRAFT_REMINDER_MINUTES) ? draft->reminder_minutes : 15;
	draft->show_as = draft->show_as != NULL ? draft->show_as : "busy";
	draft->importance = draft->importance != NULL ? draft->importance : "normal";
	draft->sensitivity = draft->sensitivity != NULL ? draft->sensitivity : "normal";
	return check_times(draft_is(draft, DRAFT_IS_ALL_DAY), &draft->start, &draft->end, problem);
}

static bool check_properties(const struct draft *existing, const struct draft *change,
			     struct problem *problem)
{
	size_t count = existing->property_count;

	for (size_t i = 0; i < change->property_count; i++) {
		count += draft_property(existing, change->properties[i].id) == NULL;
	}
	return count <= DRAFT_PROPERTIES_MAX ||
	       draft_refuse(problem, "singleValueExtendedProperties", "more than 8");
}

bool draft_check_change(const struct draft *existing, const struct draft *change,
			struct problem *problem)
{
	bool has_all_day = draft_has(change, DRAFT_IS_ALL_DAY);
	bool has_start = draft_has(change, DRAFT_START);
	bool has_end = draft_has(change, DRAFT_END);
	bool is_all_day = draft_is(has_all_day ? change : existing, DRAFT_IS_ALL_DAY);

	if (draft_has(change, DRAFT_TRANSACTION_ID)) {
		return problem_set(problem, 400, "ErrorInvalidPropertySet",
				   "transactionId can't be changed after the event was created.");
	}
	if (!check_properties(existing, change, problem)) {
		return false;
	}
	if (!has_all_day && !has_start && !has_end) {
		return true;
	}
	if ((is_all_day || draft_is(existing, DRAFT_IS_ALL_DAY)) &&
	    (!has_all_day || !has_start || !has_end)) {
		return draft_refuse(
		    problem, "isAllDay",
		    "isAllDay, start and end of an all-day event change only together.");
	}
	return check_times(is_all_day, has_start ? &change->start : &existing->start,
			   has_end ? &change->end : &existing->end, problem);
}

/* ---- merging ---- */

static void merge_text(struct draft *change, enum draft_field field, char **to, char **from)
{
	if (draft_has(change, field)) {
		free(*to);
		*to = *from;
		*from = NULL;
	}
}

/* PATCH sets the named extended properties and leaves the others. */
static void merge_properties(struct draft *draft, const struct draft *change)
{
	for (size_t i = 0; i < change->property_count; i++) {
		const struct draft_property *new = &change->properties[i];
		size_t at = 0;

		while (at < draft->property_count &&
		       strcmp(draft->properties[at].id, new->id) != 0) {
			at++;
		}
		if (at == draft->property_count) {
			draft->properties = memory_resized(draft->properties, DRAFT_PROPERTIES_MAX,
							   sizeof *draft->properties);
			draft->properties[draft->property_count++] =
			    (struct draft_property){.id = memory_text(new->id)};
		}
		free(draft->properties[at].value);
		draft->properties[at].value = memory_text(new->value);
	}
}

void draft_merge(struct draft *draft, struct draft *change)
{
	static const uint32_t BOOLEANS = 1u << DRAFT_IS_ALL_DAY | 1u << DRAFT_IS_REMINDER_ON |
					 1u << DRAFT_RESPONSE_REQUESTED |
					 1u << DRAFT_HIDE_ATTENDEES | 1u << DRAFT_ALLOW_NEW_TIMES;
	uint32_t named = change->given & BOOLEANS;

	draft->truths = (draft->truths & ~named) | (change->truths & named);
	draft->given |= change->given;
	draft->body_is_html =
	    draft_has(change, DRAFT_BODY) ? change->body_is_html : draft->body_is_html;
	merge_text(change, DRAFT_SUBJECT, &draft->subject, &change->subject);
	merge_text(change, DRAFT_BODY, &draft->body, &change->body);
	merge_text(change, DRAFT_LOCATION, &draft->location, &change->location);
	draft->start = draft_has(change, DRAFT_START) ? change->start : draft->start;
	draft->end = draft_has(change, DRAFT_END) ? change->end : draft->end;
	draft->show_as = change->show_as != NULL ? change->show_as : draft->show_as;
	draft->importance = change->importance != NULL ? change->importance : draft->importance;
	draft->sensitivity = change->sensitivity != NULL ? change->sensitivity : draft->sensitivity;
	if (draft_has(change, DRAFT_REMINDER_MINUTES)) {
		draft->reminder_minutes = change->reminder_minutes;
	}
	if (draft_has(change, DRAFT_CATEGORIES)) {
		draft_close_categories(draft);
		draft->categories = change->categories;
		draft->category_count = change->category_count;
		change->categories = NULL;
	}
	merge_properties(draft, change);
	draft_close(change);
}

/* ---- content ---- */

/* FNV-1a, 64 bits; a text counts with its NUL, so that neighbours can't trade characters. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < length; i++) {
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	}
	return hash;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return text != NULL ? hash_bytes(hash, text, strlen(text) + 1)
			    : hash_bytes(hash, "\x01", 1);
}

static uint64_t hash_time(uint64_t hash, const struct draft_time *time)
{
	hash = hash_bytes(hash, &time->civil.day, sizeof time->civil.day);
	hash = hash_bytes(hash, &time->civil.second, sizeof time->civil.second);
	return hash_text(hash, time->zone);
}

uint64_t draft_hash(const struct draft *draft)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	hash = hash_bytes(hash, &draft->truths, sizeof draft->truths);
	hash = hash_text(hash, draft->subject);
	hash = hash_text(hash, draft->body);
	hash = hash_bytes(hash, &draft->body_is_html, sizeof draft->body_is_html);
	hash = hash_time(hash, &draft->start);
	hash = hash_time(hash, &draft->end);
	hash = hash_text(hash, draft->show_as);
	hash = hash_text(hash, draft->importance);
	hash = hash_text(hash, draft->sensitivity);
	hash = hash_text(hash, draft->location);
	hash = hash_bytes(hash, &draft->reminder_minutes, sizeof draft->reminder_minutes);
	for (size_t i = 0; i < draft->category_count; i++) {
		hash = hash_text(hash, draft->categories[i]);
	}
	hash = hash_bytes(hash, "\x02", 1);
	for (size_t i = 0; i < draft->property_count; i++) {
		hash = hash_text(hash, draft->properties[i].id);
		hash = hash_text(hash, draft->properties[i].value);
	}
	return hash;
}
