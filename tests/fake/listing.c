/* listing.c - which events a GET asks for, and the page of them. */
#include "tests/fake/listing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/jsonw.h"
#include "tests/fake/memory.h"

#define DAY_SECONDS 86400

static bool refuse_option(struct problem *problem, const char *name)
{
	return problem_set(problem, 400, "BadRequest",
			   "The query specified in the URI is not valid: %.60s.", name);
}

/* ---- one reader per option ---- */

static bool read_number(const char *text, size_t least, size_t most, size_t *out)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || number < (long long)least ||
	    number > (long long)most) {
		return false;
	}
	*out = (size_t)number;
	return true;
}

static bool read_filter(const char *value, struct listing *listing, struct problem *problem)
{
	return filter_parse(value, &listing->filter, problem);
}

static bool read_select(const char *value, struct listing *listing, struct problem *problem)
{
	return event_select(value, &listing->view.select, problem);
}

static bool read_expand(const char *value, struct listing *listing, struct problem *problem)
{
	listing->view.expand = listing->expand;
	return filter_parse_expand(value, listing->expand, problem);
}

static bool read_top(const char *value, struct listing *listing, struct problem *problem)
{
	return read_number(value, 1, LISTING_PAGE_MAX, &listing->top) ||
	       refuse_option(problem, "$top must be from 1 to 1000");
}

static bool read_skip(const char *value, struct listing *listing, struct problem *problem)
{
	return read_number(value, 0, INT32_MAX, &listing->skip) || refuse_option(problem, "$skip");
}

static bool read_order(const char *value, struct listing *listing, struct problem *problem)
{
	(void)listing; /* a view always comes in this order */
	return strcmp(value, "start/dateTime") == 0 || refuse_option(problem, "$orderby");
}

/* An instant without offset, or in UTC. */
static bool read_instant(const char *value, struct datetime *out)
{
	char text[40];
	size_t length = strlen(value);

	if (length >= sizeof text) {
		return false;
	}
	snprintf(text, sizeof text, "%s", value);
	if (length > 0 && text[length - 1] == 'Z') {
		text[length - 1] = '\0';
	} else if (length > 6 && strcmp(text + length - 6, "+00:00") == 0) {
		text[length - 6] = '\0';
	}
	return datetime_parse(text, out);
}

static bool read_from(const char *value, struct listing *listing, struct problem *problem)
{
	return read_instant(value, &listing->from) || refuse_option(problem, "startDateTime");
}

static bool read_until(const char *value, struct listing *listing, struct problem *problem)
{
	return read_instant(value, &listing->until) || refuse_option(problem, "endDateTime");
}

#define IN(kind) (1u << (kind))
#define IN_LISTS (IN(LISTING_EVENTS) | IN(LISTING_VIEW))

/* clang-format off */
static const struct {
	const char *name;
	unsigned kinds;
	bool (*read)(const char *value, struct listing *listing, struct problem *problem);
} OPTIONS[] = {
	{"$filter",       IN_LISTS,                   read_filter},
	{"$select",       IN_LISTS | IN(LISTING_ONE), read_select},
	{"$expand",       IN_LISTS | IN(LISTING_ONE), read_expand},
	{"$top",          IN_LISTS,                   read_top},
	{"$skip",         IN_LISTS,                   read_skip},
	{"$orderby",      IN(LISTING_VIEW),           read_order},
	{"startDateTime", IN(LISTING_VIEW),           read_from},
	{"endDateTime",   IN(LISTING_VIEW),           read_until},
};
/* clang-format on */

static bool listing_read_option(const struct query_param *param, struct listing *listing,
				struct problem *problem)
{
	for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
		if (strcmp(OPTIONS[i].name, param->name) == 0 &&
		    (OPTIONS[i].kinds & IN(listing->kind)) != 0) {
			return OPTIONS[i].read(param->value, listing, problem);
		}
	}
	/* Graph ignores other parameters unless they claim to be OData's */
	return param->name[0] != '$' || refuse_option(problem, param->name);
}

bool listing_read(const struct query *query, enum listing_kind kind, struct listing *listing,
		  struct problem *problem)
{
	*listing = (struct listing){.kind = kind, .top = LISTING_PAGE};
	listing->view.select = EVENT_VIEW_ALL;
	for (size_t i = 0; i < query->count; i++) {
		if (!listing_read_option(&query->params[i], listing, problem)) {
			return false;
		}
	}
	if (kind == LISTING_VIEW && (query_get(query, "startDateTime") == NULL ||
				     query_get(query, "endDateTime") == NULL)) {
		return problem_set(
		    problem, 400, "ErrorInvalidParameter",
		    "This request requires a time window specified by the query string parameters "
		    "StartDateTime and EndDateTime.");
	}
	return true;
}

void listing_prefer(struct listing *listing, const struct prefer *prefer)
{
	listing->view.is_immutable = prefer->is_immutable;
	listing->view.is_text = prefer->is_text;
	listing->view.zone = prefer->zone;
}

/* ---- the page ---- */

static int64_t datetime_seconds(const struct datetime *civil)
{
	return civil->day * DAY_SECONDS + civil->second;
}

static bool listing_has(const struct listing *listing, const struct event *event)
{
	const struct draft *draft = &event->draft;

	if (listing->filter.kind != FILTER_NONE && event->created_ms > listing->found_until_ms) {
		return false;
	}
	if (listing->kind == LISTING_VIEW &&
	    (datetime_seconds(&draft->start.civil) >= datetime_seconds(&listing->until) ||
	     datetime_seconds(&draft->end.civil) <= datetime_seconds(&listing->from))) {
		return false;
	}
	return filter_matches(&listing->filter, draft);
}

static int compare_starts(const void *left, const void *right)
{
	const struct event *const *a = left;
	const struct event *const *b = right;
	int64_t first = datetime_seconds(&(*a)->draft.start.civil);
	int64_t second = datetime_seconds(&(*b)->draft.start.civil);

	if (first != second) {
		return first < second ? -1 : 1;
	}
	return (*a)->number < (*b)->number ? -1 : 1;
}

static size_t listing_collect(const struct listing *listing, const struct mailbox *mailbox,
			      const struct event **found)
{
	const struct event *event;
	size_t count = 0;

	DL_FOREACH(mailbox->calendar, event)
	{
		if (listing_has(listing, event)) {
			found[count++] = event;
		}
	}
	if (listing->kind == LISTING_VIEW && count > 1) {
		qsort(found, count, sizeof(const struct event *), compare_starts);
	}
	return count;
}

static void listing_write_next(const struct listing *listing, const struct query *query,
			       struct buf *out)
{
	struct buf link;

	buf_init(&link, 16384);
	buf_format(&link, "%s/v1.0%s?", listing->base_url, listing->path);
	query_write(query, "$skip", &link);
	buf_format(&link, "%%24skip=%zu", listing->skip + listing->top);
	jsonw_member_text(out, "@odata.nextLink", buf_string(&link));
	out->failed = out->failed || link.failed;
	buf_close(&link);
}

void listing_write(const struct listing *listing, const struct query *query,
		   const struct mailbox *mailbox, struct buf *out)
{
	const struct event **found =
	    memory_zeroed(mailbox->calendar_count + 1, sizeof(const struct event *));
	size_t count = listing_collect(listing, mailbox, found);
	size_t end = listing->skip + listing->top < count ? listing->skip + listing->top : count;

	buf_char(out, '{');
	jsonw_member_text(out, "@odata.context",
			  "https://graph.microsoft.com/v1.0/$metadata#users('me')/events");
	jsonw_key(out, "value");
	buf_char(out, '[');
	for (size_t i = listing->skip; i < end; i++) {
		jsonw_comma(out);
		event_write(found[i], &listing->view, out);
	}
	buf_char(out, ']');
	if (end < count) {
		listing_write_next(listing, query, out);
	}
	buf_char(out, '}');
	free(found);
}
