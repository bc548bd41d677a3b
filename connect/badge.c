/* badge.c - the states of a connection, and their words. */
#include "connect/badge.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

static const struct badge SYNCING = {
    "syncing", "Syncing",
    "M13.6 6A6 6 0 0 0 3 4.7V2M2.4 10A6 6 0 0 0 13 11.3V14M3 4.9h2.8M13 11.1h-2.8"};

static const struct badge BADGES[] = {
    {"active", "Connected", "M3 8.5l3.5 3.5L13 4.5"},
    {"needs_reconnect", "Needs you to reconnect", "M8 2L15 14H1zM8 6.5v3.5M8 11.8v.4"},
    {"disconnecting", "Disconnecting", "M4 2h8M4 14h8M5 2c0 4 6 8 6 12M11 2c0 4-6 8-6 12"},
    {"not_connected", "Not connected", "M8 2a6 6 0 1 0 .01 0M4 12l8-8"},
};

static bool view_is(const struct view *view, const char *status)
{
	return strcmp(view->status, status) == 0;
}

static bool view_is_syncing(const struct view *view)
{
	return view_is(view, "active") && view->running.id[0] != '\0';
}

const struct badge *badge_of(const struct view *view)
{
	if (view_is_syncing(view)) {
		return &SYNCING;
	}
	for (size_t i = 0; i < sizeof BADGES / sizeof *BADGES; i++) {
		if (view_is(view, BADGES[i].name)) {
			return &BADGES[i];
		}
	}
	return &BADGES[sizeof BADGES / sizeof *BADGES - 1];
}

void badge_words(struct buf *out, const struct view *view)
{
	buf_text(out, badge_of(view)->words);
	if (view_is_syncing(view) && view->running.total > 0) {
		buf_format(out, " %" PRId64 " of %" PRId64, view->running.done,
			   view->running.total);
	}
}

bool badge_is_busy(const struct view *view)
{
	return view_is_syncing(view) || view_is(view, "disconnecting");
}
