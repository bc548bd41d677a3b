/* reason.c - the worker's reasons and their words, one table. */
#include "connect/reason.h"

#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

/* clang-format off */
static const struct reason REASONS[] = {
	/* why a whole calendar waits */
	{"consent_revoked",
		"Microsoft no longer accepts our access to your calendar: it was withdrawn, your "
		"password changed, or your organisation ended it.",
		"Reconnect your Outlook calendar; your events are kept.", false},
	{"token_refused",
		"Microsoft renewed our access to your calendar and still refuses it.",
		"Reconnect your Outlook calendar; if that does not last, ask your Microsoft 365 "
		"administrator.", false},
	{"token_unreadable",
		"The access to your calendar that was stored here can no longer be opened.",
		"Reconnect your Outlook calendar; your events are kept.", false},
	{"throttled",
		"Microsoft has asked us to wait before we change your calendar again.",
		"You need not do anything: it goes on by itself.", false},
	{"mailbox",
		"Microsoft says that your mailbox cannot be used at the moment: it has no licence, "
		"is full, is being moved, or is closed to applications.",
		"See whether Outlook itself works, or ask your Microsoft 365 administrator. We try "
		"again by ourselves.", false},
	{"refused",
		"Microsoft refuses what we ask of your mailbox.",
		"We try again by ourselves; if it stays, tell whoever runs this application.", false},
	{"unavailable",
		"Microsoft does not serve your mailbox at the moment.",
		"You need not do anything: we try again by ourselves.", false},
	{"needs_reconnect",
		"Your Outlook calendar has to be connected again.",
		"Reconnect it; your events are kept.", false},
	/* why one assignment has no event */
	{"the project has no start or end date",
		"The project has no start or end date.",
		"It appears as soon as the project has both.", false},
	{"the project ends before it starts",
		"The project ends before it starts.",
		"It appears as soon as the project's dates are corrected.", false},
	{"the project's dates lie outside 1601-01-01 to 4500-12-31",
		"The project's dates lie outside what Outlook can show (1601 to 4500).",
		"It appears as soon as the project's dates are corrected.", false},
	{"its booking status has no event",
		"Assignments in this booking status are not shown in calendars.",
		"It appears when its status changes.", false},
	{"the assignment was removed",
		"The assignment was removed.",
		"You need not do anything.", false},
	/* why one event could not be brought about */
	{"Microsoft answered *",
		"Microsoft refused this event.",
		"Press Sync now to try once more. If it stays, correct what is unusual in the project "
		"or assignment, or tell whoever runs this application.", true},
	/* why a request ended without its work */
	{"*not be removed: *", NULL, "", true},
	{"*without a person's word*", NULL,
		"Nothing was removed. If they should go, ask whoever runs this application to allow it.",
		false},
	{"Outlook has to be connected again",
		"Your Outlook calendar has to be connected again.",
		"Reconnect it; your events are kept.", false},
	{"no calendar is connected",
		"No calendar is connected.",
		"Connect your Outlook calendar.", false},
	{"the calendar is disconnecting",
		"The calendar is being disconnected.",
		"Connect it again once that is done.", false},
};

static const struct reason UNKNOWN = {"", NULL,
	"If it stays, tell whoever runs this application.", false};

/* clang-format on */

static bool reason_is(const struct reason *reason, const char *told)
{
	return fnmatch(reason->told, told, 0) == 0;
}

const struct reason *reason_find(const char *told)
{
	for (size_t i = 0; i < sizeof REASONS / sizeof *REASONS; i++) {
		if (reason_is(&REASONS[i], told)) {
			return &REASONS[i];
		}
	}
	return &UNKNOWN;
}

const char *reason_text(const char *told)
{
	const struct reason *reason = reason_find(told);

	return reason->text != NULL ? reason->text : told;
}
