/* words.c - what went wrong, in words for people. */
#include "connect/words.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* clang-format off */
static const struct words WORDS[] = {
	[TROUBLE_NONE] = {"connected", 200, "", ""},
	[TROUBLE_SIGNED_OUT] = {"signed_out", 401,
		"You are not signed in here.",
		"Open My Schedule from your planning application: it signs you in."},
	[TROUBLE_FORBIDDEN] = {"forbidden", 403,
		"This request did not come from this page.",
		"Open My Schedule again and repeat it there."},
	[TROUBLE_UNKNOWN_USER] = {"unknown_user", 403,
		"Your account has no profile in the planning database.",
		"Ask whoever manages the planning application to add you."},
	[TROUBLE_INPUT] = {"bad_request", 400,
		"The request is incomplete or malformed.",
		"Open My Schedule again and repeat it there."},
	[TROUBLE_NOT_FOUND] = {"not_found", 404,
		"There is no such request of yours.",
		"Open My Schedule to see the newest one."},
	[TROUBLE_UNAVAILABLE] = {"unavailable", 503,
		"We cannot reach our database at the moment. Nothing was changed.",
		"Try again in a minute."},
	[TROUBLE_NOT_CONNECTED] = {"not_connected", 409,
		"No calendar is connected.",
		"Connect your Outlook calendar first."},
	[TROUBLE_NEEDS_RECONNECT] = {"needs_reconnect", 409,
		"Microsoft no longer accepts our access to your calendar.",
		"Reconnect your Outlook calendar; your events are kept."},
	[TROUBLE_DISCONNECTING] = {"disconnecting", 409,
		"Your previous calendar is still being disconnected.",
		"Wait until it is done, then connect the other one."},
	[TROUBLE_BUSY] = {"busy", 429,
		"A synchronisation is running already.",
		"Its progress is shown below."},
	[TROUBLE_COOLDOWN] = {"cooldown", 429,
		"You asked for this less than a minute ago.",
		"Wait a moment, then ask again."},
	[TROUBLE_STATE] = {"state", 400,
		"This sign-in was started elsewhere, took longer than ten minutes, or was used already.",
		"If your calendar is shown as connected below, all is well; otherwise connect it again."},
	[TROUBLE_DENIED] = {"access_denied", 403,
		"You, or your organisation, did not allow access to your calendar.",
		"Connect again and accept, or ask your administrator to approve this application."},
	[TROUBLE_ADMIN] = {"admin_required", 403,
		"Your organisation requires an administrator to approve this application first.",
		"Ask your Microsoft 365 administrator to approve it, then connect again."},
	[TROUBLE_CODE] = {"code", 400,
		"Microsoft did not accept the sign-in: it was used twice, or it is too old.",
		"Connect again."},
	[TROUBLE_SCOPES] = {"scopes", 403,
		"Microsoft did not grant everything needed to keep your calendar up to date.",
		"Connect again and accept all permissions that are listed."},
	[TROUBLE_TENANT] = {"wrong_tenant", 403,
		"This Microsoft account belongs to another organisation.",
		"Connect again with your work account."},
	[TROUBLE_IDENTITY] = {"identity", 400,
		"Microsoft's answer does not belong to this sign-in.",
		"Connect again."},
	[TROUBLE_GRAPH] = {"mailbox", 403,
		"Microsoft does not let us read this account.",
		"Check that the account has an Outlook mailbox, then connect again."},
	[TROUBLE_MICROSOFT_DOWN] = {"microsoft_unavailable", 502,
		"Microsoft does not answer at the moment.",
		"Try again in a few minutes."},
	[TROUBLE_REGISTRATION] = {"registration", 502,
		"Microsoft does not accept this application's own registration.",
		"Tell whoever runs it: its log names the setting."},
	[TROUBLE_OTHER] = {"other", 500,
		"Something went wrong that we have no better words for.",
		"Try again; if it happens twice, tell whoever runs this application."},
};
/* clang-format on */

static_assert(sizeof WORDS / sizeof *WORDS == TROUBLES, "every trouble has its words");

const struct words *words_of(enum trouble trouble)
{
	return &WORDS[trouble];
}

enum trouble words_find(const char *code)
{
	for (int i = TROUBLE_NONE + 1; i < TROUBLES; i++) {
		if (strcmp(WORDS[i].code, code) == 0) {
			return (enum trouble)i;
		}
	}
	return TROUBLE_OTHER;
}
