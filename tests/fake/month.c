/* month.c - where a person's events stand in a month. */
#include "tests/fake/month.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utlist.h>

#include "common/civil.h"

#define PRESETS 25

/* Source: the preset table of outlookCategory, in the colours that Outlook shows. */
static const char *const COLOURS[PRESETS] = {"#d13438", "#ca5010", "#8e562e", "#c19c00", "#498205",
					     "#038387", "#847545", "#0078d4", "#8764b8", "#b4009e",
					     "#69797e", "#4a5459", "#7a7574", "#4c4a48", "#201f1e",
					     "#750b1c", "#8e3b0b", "#5c3b1e", "#8f7200", "#0b6a0b",
					     "#005b70", "#5d5a2b", "#003966", "#4b2e83", "#6b0f5c"};

static const struct {
	const char *name;
	int preset;
} OUTLOOK_NAMES[] = {{"Red category", 0},   {"Orange category", 1}, {"Yellow category", 3},
		     {"Green category", 4}, {"Blue category", 7},   {"Purple category", 8}};

struct month month_before(struct month month)
{
	return month.month == 1 ? (struct month){month.year - 1, 12}
				: (struct month){month.year, month.month - 1};
}

struct month month_after(struct month month)
{
	return month.month == 12 ? (struct month){month.year + 1, 1}
				 : (struct month){month.year, month.month + 1};
}

const char *month_name(struct month month)
{
	static const char *const NAMES[] = {"January",	 "February", "March",	 "April",
					    "May",	 "June",     "July",	 "August",
					    "September", "October",  "November", "December"};

	return NAMES[month.month - 1];
}

/* The event's last day: its end is exclusive where it is midnight. */
static int64_t event_last_day(const struct event *event)
{
	const struct datetime *end = &event->draft.end.civil;
	int64_t last = end->second == 0 ? end->day - 1 : end->day;

	return last < event->draft.start.civil.day ? event->draft.start.civil.day : last;
}

static int compare_bars(const void *left, const void *right)
{
	const struct month_bar *a = left;
	const struct month_bar *b = right;

	if (a->first != b->first) {
		return a->first - b->first;
	}
	if (a->last != b->last) {
		return b->last - a->last;
	}
	return a->event->number < b->event->number ? -1 : 1;
}

/* Each bar takes the first lane that is free from its first day on. */
static void month_assign_lanes(struct month_bar *bars, size_t count)
{
	int lane_ends[MONTH_BARS_MAX] = {0};

	for (size_t i = 0; i < count; i++) {
		int lane = 0;

		while (lane_ends[lane] >= bars[i].first) {
			lane++;
		}
		bars[i].lane = lane;
		lane_ends[lane] = bars[i].last;
	}
}

size_t month_layout(struct month month, const struct mailbox *mailbox,
		    struct month_bar bars[MONTH_BARS_MAX], size_t *more)
{
	int64_t begin = civil_day(month.year, month.month, 1);
	int64_t end = begin + civil_month_days(month.year, month.month) - 1;
	const struct event *event;
	size_t count = 0;

	*more = 0;
	DL_FOREACH(mailbox->calendar, event)
	{
		int64_t first = event->draft.start.civil.day;
		int64_t last = event_last_day(event);

		if (last < begin || first > end) {
			continue;
		}
		if (count == MONTH_BARS_MAX) {
			(*more)++;
			continue;
		}
		bars[count++] =
		    (struct month_bar){.event = event,
				       .first = (int)((first < begin ? begin : first) - begin) + 1,
				       .last = (int)((last > end ? end : last) - begin) + 1,
				       .begins_before = first<begin, .ends_after = last> end};
	}
	if (count > 1) {
		qsort(bars, count, sizeof *bars, compare_bars);
	}
	month_assign_lanes(bars, count);
	return count;
}

int month_lanes(const struct month_bar *bars, size_t count)
{
	int lanes = 0;

	for (size_t i = 0; i < count; i++) {
		lanes = bars[i].lane >= lanes ? bars[i].lane + 1 : lanes;
	}
	return lanes;
}

const char *month_colour(const char *category, const char *preset)
{
	unsigned hash = 5381;

	if (preset != NULL && strncmp(preset, "preset", 6) == 0) {
		long number = strtol(preset + 6, NULL, 10);

		if (number >= 0 && number < PRESETS) {
			return COLOURS[number];
		}
	}
	if (category == NULL) {
		return "#69797e";
	}
	for (size_t i = 0; i < sizeof OUTLOOK_NAMES / sizeof *OUTLOOK_NAMES; i++) {
		if (strcasecmp(OUTLOOK_NAMES[i].name, category) == 0) {
			return COLOURS[OUTLOOK_NAMES[i].preset];
		}
	}
	for (; *category != '\0'; category++) {
		hash = hash * 33 + (unsigned char)*category;
	}
	return COLOURS[hash % PRESETS];
}
