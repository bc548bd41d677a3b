/* listing.c - pages of a mailbox's marked events: how to ask, read and compare them. */
#include "worker/listing.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/civil.h"
#include "common/http.h"
#include "common/json.h"
#include "worker/category.h"

#define LISTING_FIRST_EVENTS 64
#define LISTING_QUERY_BYTES  2048
#define LISTING_SELECT                                                                             \
	"id,changeKey,subject,body,start,end,isAllDay,"                                            \
	"showAs,categories,isReminderOn"
#define LISTING_FOUND "id,changeKey,categories"

/* An OData string literal: single quotes inside are doubled. */
static void literal_add(struct buf *out, const char *text)
{
	buf_char(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'') {
			buf_char(out, '\'');
		}
		buf_char(out, *text);
	}
	buf_char(out, '\'');
}

/* name=value, the value percent-encoded; name begins with what stands before it (?$ or &$). */
static void option_add(struct buf *out, const char *name, const struct buf *value)
{
	buf_text(out, name);
	buf_char(out, '=');
	http_encode(out, buf_string(value));
	out->failed = out->failed || value->failed;
}

/* The events that carry our property with such a value, by OData's comparison, e.g. "ne null". */
static void filter_add(struct buf *out, const char *property, const char *comparison)
{
	struct buf value;

	buf_init(&value, LISTING_QUERY_BYTES);
	buf_text(&value, "singleValueExtendedProperties/Any(ep: ep/id eq ");
	literal_add(&value, property);
	buf_format(&value, " and ep/value %s)", comparison);
	buf_text(out, "/me/events");
	option_add(out, "?$filter", &value);
	buf_close(&value);
}

static void select_add(struct buf *out, const char *members)
{
	buf_text(out, "&$select=");
	http_encode(out, members);
}

void listing_first_path(struct buf *out, const char *property)
{
	struct buf value;

	filter_add(out, property, "ne null");
	buf_init(&value, LISTING_QUERY_BYTES);
	buf_text(&value, "singleValueExtendedProperties($filter=id eq ");
	literal_add(&value, property);
	buf_char(&value, ')');
	option_add(out, "&$expand", &value);
	buf_close(&value);
	select_add(out, LISTING_SELECT);
	buf_text(out, "&$top=100");
}

void listing_find_path(struct buf *out, const char *property, const struct uuid *assignment)
{
	char comparison[UUID_TEXT_SIZE + 8] = "eq '";

	uuid_format(assignment, comparison + 4);
	comparison[4 + UUID_TEXT_SIZE - 1] = '\'';
	filter_add(out, property, comparison);
	select_add(out, LISTING_FOUND);
}

void listing_event_path(struct buf *out, const char *event_id, bool is_read)
{
	buf_text(out, "/me/events/");
	http_encode(out, event_id);
	if (is_read) {
		buf_text(out, "?$select=");
		http_encode(out, LISTING_FOUND);
	}
}

static bool is_white(char c)
{
	return c != '\0' && strchr(" \t\r\n\f\v", c) != NULL;
}

/* The next character with every line end read as \n; '\0' at the end. */
static char line_character(const char **at, const char *end)
{
	char c;

	if (*at == end) {
		return '\0';
	}
	c = *(*at)++;
	if (c == '\r') {
		*at += *at < end && **at == '\n' ? 1 : 0;
		return '\n';
	}
	return c;
}

/* Narrows text to what lies between its outer white space. */
static void text_trim(const char **at, const char **end)
{
	while (is_white(**at)) {
		(*at)++;
	}
	*end = *at + strlen(*at);
	while (*end > *at && is_white((*end)[-1])) {
		(*end)--;
	}
}

static void body_add(struct buf *out, const char *text)
{
	const char *end;
	char c;

	text_trim(&text, &end);
	while ((c = line_character(&text, end)) != '\0') {
		buf_char(out, c);
	}
}

/* Whether text, read the same way, is what a listed event's body says. */
static bool body_says(const char *listed, const char *text)
{
	const char *end;
	char c;

	text_trim(&text, &end);
	do {
		c = line_character(&text, end);
		if (*listed++ != c) {
			return false;
		}
	} while (c != '\0');
	return true;
}

/* Copies the day of a dateTimeTimeZone; "" where it is none.  Returns whether it begins at 00:00.
 */
static bool day_copy(const cJSON *item, const char *key, char day[11])
{
	const char *text = json_text(json_object(item, key), "dateTime");
	int32_t ignored;

	day[0] = '\0';
	if (text == NULL || strlen(text) < 10) {
		return false;
	}
	memcpy(day, text, 10);
	day[10] = '\0';
	if (!civil_parse_date(day, &ignored)) {
		day[0] = '\0';
		return false;
	}
	return strncmp(text + 10, "T00:00:00", 9) == 0;
}

/* Property names compare without case: Graph may spell the GUID its own way. */
static void assignment_copy(const cJSON *item, const char *property, struct listed *listed)
{
	const cJSON *member;

	cJSON_ArrayForEach(member, json_array(item, "singleValueExtendedProperties"))
	{
		const char *id = json_text(member, "id");
		const char *value = json_text(member, "value");

		if (id != NULL && value != NULL && strcasecmp(id, property) == 0) {
			listed->has_assignment = uuid_parse(value, &listed->assignment);
			return;
		}
	}
}

static void text_or_empty_add(struct buf *out, const char *text)
{
	buf_text(out, text != NULL ? text : "");
	buf_char(out, '\0');
}

/* Puts the event's texts one behind the other into the one allocation that id points to. */
static bool texts_copy(const cJSON *item, struct listed *listed, size_t *size)
{
	const char *body = json_text(json_object(item, "body"), "content");
	size_t change_key;
	size_t subject;
	size_t body_at;
	size_t categories;
	struct buf out;

	buf_init(&out, LISTING_PAGE_MAX_BYTES);
	text_or_empty_add(&out, json_text(item, "id"));
	change_key = out.length;
	text_or_empty_add(&out, json_text(item, "changeKey"));
	subject = out.length;
	text_or_empty_add(&out, json_text(item, "subject"));
	body_at = out.length;
	body_add(&out, body != NULL ? body : "");
	buf_char(&out, '\0');
	categories = out.length;
	category_list_add(&out, json_array(item, "categories"));
	*size = out.length + 1;
	listed->id = buf_steal(&out);
	if (listed->id == NULL) {
		buf_close(&out);
		return false;
	}
	listed->change_key = listed->id + change_key;
	listed->subject = listed->id + subject;
	listed->body = listed->id + body_at;
	listed->categories = listed->id + categories;
	return true;
}

static void flags_copy(const cJSON *item, struct listed *listed)
{
	const char *show_as = json_text(item, "showAs");
	bool starts_at_midnight = day_copy(item, "start", listed->start);
	bool ends_at_midnight = day_copy(item, "end", listed->end);

	listed->is_midnight = starts_at_midnight && ends_at_midnight;
	listed->is_all_day = json_is_true(item, "isAllDay");
	listed->is_reminder_on = json_is_true(item, "isReminderOn");
	if (show_as != NULL && strlen(show_as) < sizeof listed->show_as) {
		memcpy(listed->show_as, show_as, strlen(show_as) + 1);
	}
}

static bool listing_grow(struct listing *listing)
{
	size_t capacity = listing->capacity > 0 ? 2 * listing->capacity : LISTING_FIRST_EVENTS;
	struct listed *events;

	if (listing->count < listing->capacity) {
		return true;
	}
	events = realloc(listing->events, capacity * sizeof *events);
	if (events == NULL) {
		return false;
	}
	listing->events = events;
	listing->capacity = capacity;
	return true;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void keep_id(void *id)
{
	(void)id; /* the event's own */
}

static bool listing_add(struct listing *listing, const cJSON *item, const char *property,
			struct fault *fault)
{
	struct listed listed = {.has_assignment = false};
	const void *const *seen;
	size_t size = 0;

	if (!listing_grow(listing) || !texts_copy(item, &listed, &size)) {
		return fault_retry(fault, "no memory for a listed event");
	}
	seen = tsearch(listed.id, &listing->seen, compare_ids);
	if (seen == NULL || *seen != listed.id) {
		free(listed.id);
		return seen != NULL || fault_retry(fault, "no memory for a listed event");
	}
	flags_copy(item, &listed);
	assignment_copy(item, property, &listed);
	listing->text_bytes += size;
	listing->events[listing->count++] = listed;
	if (listing->count > LISTING_EVENTS_MAX || listing->text_bytes > LISTING_TEXT_MAX_BYTES) {
		return fault_retry(fault, "the mailbox lists more than %d events or %u bytes",
				   LISTING_EVENTS_MAX, LISTING_TEXT_MAX_BYTES);
	}
	return true;
}

/* What has to hold of a page before any of it is believed. */
static bool page_is_whole(const cJSON *page, struct fault *fault)
{
	const cJSON *events = json_array(page, "value");
	const cJSON *item;

	if (events == NULL) {
		return fault_retry(fault, "a page of events without an array of them");
	}
	cJSON_ArrayForEach(item, events)
	{
		const char *id = json_text(item, "id");

		if (!cJSON_IsObject(item) || id == NULL || *id == '\0') {
			return fault_retry(fault, "a page with an event without an id");
		}
	}
	return true;
}

/* The text goes on with a path behind the origin: no other host that begins like it. */
static bool is_below(const char *url, const char *graph_url)
{
	size_t length = strlen(graph_url);

	return strncmp(url, graph_url, length) == 0 && url[length] == '/';
}

static bool page_next(struct listing *listing, const cJSON *page, const char *graph_url,
		      struct fault *fault)
{
	const cJSON *member = json_member(page, "@odata.nextLink");
	const char *url = cJSON_GetStringValue(member);

	free(listing->next_url);
	listing->next_url = NULL;
	if (member == NULL || cJSON_IsNull(member)) {
		return true;
	}
	if (url == NULL || !is_below(url, graph_url)) {
		return fault_retry(fault, "the next page of events lies outside Graph");
	}
	if (listing->pages >= LISTING_PAGES_MAX) {
		return fault_retry(fault, "the mailbox lists more than %d pages",
				   LISTING_PAGES_MAX);
	}
	listing->next_url = strdup(url);
	return listing->next_url != NULL || fault_retry(fault, "no memory for the next page's URL");
}

bool listing_add_page(struct listing *listing, const char *body, size_t length,
		      const char *property, const char *graph_url, struct fault *fault)
{
	struct fault why;
	cJSON *page = json_parse(body, length, LISTING_PAGE_MAX_BYTES, &why);
	const cJSON *item;
	bool ok;

	if (page == NULL) {
		return fault_retry(fault, "a page of events: %s", why.what);
	}
	listing->pages++;
	ok = page_is_whole(page, fault) && page_next(listing, page, graph_url, fault);
	cJSON_ArrayForEach(item, json_array(page, "value"))
	{
		ok = ok && listing_add(listing, item, property, fault);
	}
	cJSON_Delete(page);
	return ok;
}

void listing_close(struct listing *listing)
{
	tdestroy(listing->seen, keep_id);
	for (size_t i = 0; i < listing->count; i++) {
		free(listing->events[i].id);
	}
	free(listing->events);
	free(listing->next_url);
	*listing = (struct listing){0};
}

bool listed_matches(const struct listed *listed, const struct outlook_event *event)
{
	return event->verdict == OUTLOOK_EVENT && strcmp(listed->subject, event->subject) == 0 &&
	       strcmp(listed->start, event->start) == 0 && strcmp(listed->end, event->end) == 0 &&
	       listed->is_midnight && listed->is_all_day && !listed->is_reminder_on &&
	       strcmp(listed->show_as, event->look->show_as) == 0 &&
	       body_says(listed->body, event->body);
}
