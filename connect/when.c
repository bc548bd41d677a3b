/* when.c - relative and exact times. */
#include "connect/when.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char ZONES[] = "/usr/share/zoneinfo";

static bool when_is_zone(const char *zone)
{
	char path[256];

	if (strstr(zone, "..") != NULL || zone[0] == '/' || zone[0] == '\0') {
		return false;
	}
	snprintf(path, sizeof path, "%s/%s", ZONES, zone);
	return access(path, R_OK) == 0;
}

bool when_use_zone(const char *zone)
{
	bool known = strcmp(zone, "UTC") == 0 || when_is_zone(zone);

	setenv("TZ", known ? zone : "UTC", 1);
	tzset();
	return known;
}

static void when_ago(struct buf *out, int64_t count, const char *unit)
{
	buf_format(out, "%" PRId64 " %s%s ago", count, unit, count == 1 ? "" : "s");
}

void when_relative(struct buf *out, int64_t now_s, int64_t then_s)
{
	static const struct {
		int64_t seconds;
		const char *unit;
	} UNITS[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}};
	int64_t age_s = now_s - then_s;

	for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
		if (age_s >= UNITS[i].seconds) {
			when_ago(out, age_s / UNITS[i].seconds, UNITS[i].unit);
			return;
		}
	}
	buf_text(out, "just now");
}

void when_exact(struct buf *out, int64_t at_s)
{
	time_t at = (time_t)at_s;
	struct tm parts;
	char text[64] = "";

	if (localtime_r(&at, &parts) != NULL) {
		strftime(text, sizeof text, "%e %B %Y, %H:%M:%S %Z", &parts);
	}
	buf_text(out, text + strspn(text, " "));
}

void when_moment(struct buf *out, int64_t now_s, int64_t at_s)
{
	time_t moments[] = {(time_t)now_s, (time_t)at_s};
	struct tm now;
	struct tm at;
	char text[64];

	if (localtime_r(&moments[0], &now) == NULL || localtime_r(&moments[1], &at) == NULL ||
	    now.tm_yday != at.tm_yday || now.tm_year != at.tm_year) {
		when_exact(out, at_s);
		return;
	}
	strftime(text, sizeof text, "%H:%M:%S %Z", &at);
	buf_text(out, text);
}

void when_iso(struct buf *out, int64_t at_s)
{
	time_t at = (time_t)at_s;
	struct tm parts;
	char text[32] = "";

	if (gmtime_r(&at, &parts) != NULL) {
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
	}
	buf_text(out, text);
}

void when_tag(struct buf *out, int64_t at_s)
{
	buf_text(out, "<time datetime=\"");
	when_iso(out, at_s);
	buf_text(out, "\">");
}
