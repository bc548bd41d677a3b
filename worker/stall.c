/* stall.c - what counts as standing still. */
#include "worker/stall.h"

enum stall stall_of(const struct stall_view *view)
{
	if (view->silent_ms > STALL_SILENT_MS) {
		return STALL_SILENT;
	}
	if (!view->is_read || view->holds > 0 || view->idle_ms <= STALL_IDLE_MS) {
		return STALL_NONE;
	}
	if (view->open > 0) {
		return view->has_place ? STALL_UNSERVED : STALL_NONE;
	}
	return view->has_room && !view->has_failed && view->is_end_known &&
		       view->end > view->position
		   ? STALL_UNREAD
		   : STALL_NONE;
}

const char *stall_name(enum stall stall)
{
	static const char *const NAMES[STALLS] = {
	    [STALL_NONE] = "none",
	    [STALL_UNSERVED] = "records wait and no run takes them",
	    [STALL_UNREAD] = "Kafka has more and delivers nothing",
	    [STALL_SILENT] = "what is under way never answers",
	};

	return NAMES[stall];
}
