/* words.c - what went wrong, in words for people. */
#include "connect/words.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* Where connecting begins; the page's own buttons lead there too. */
#define AGAIN "/api/auth/microsoft"

/* clang-format off */
static const struct words WORDS[] = {
	[TROUBLE_NONE] = {"connected", 200, "", "", NULL, false},
	[TROUBLE_SIGNED_OUT] = {"signed_out", 401,
		"You are not signed in here.",
		"Open My Schedule from your planning application: it signs you in.",
		NULL, false},
	[TROUBLE_FORBIDDEN] = {"forbidden", 403,
		"This request did not come from this page.",
		"Open My Schedule again and repeat it there.", NULL, false},
	[TROUBLE_UNKNOWN_USER] = {"unknown_user", 403,
		"Your account has no profile in the planning database.",
		"Ask whoever manages the planning application to add you.", NULL, false},
	[TROUBLE_INPUT] = {"bad_request", 400,
		"The request is incomplete or malformed.",
		"Open My Schedule again and repeat it there.", NULL, false},
	[TROUBLE_NOT_FOUND] = {"not_found", 404,
		"There is no such request of yours.",
		"Open My Schedule to see the newest one.", NULL, false},
	[TROUBLE_UNAVAILABLE] = {"unavailable", 503,
		"We cannot reach our database at the moment. Nothing was changed.",
		"Try again in a minute.", NULL, false},
	[TROUBLE_NOT_CONNECTED] = {"not_connected", 409,
		"No calendar is connected.",
		"Connect your Outlook calendar first.", NULL, false},
	[TROUBLE_NEEDS_RECONNECT] = {"needs_reconnect", 409,
		"Microsoft no longer accepts our access to your calendar.",
		"Reconnect your Outlook calendar; your events are kept.", NULL, false},
	[TROUBLE_DISCONNECTING] = {"disconnecting", 409,
		"Your previous calendar is still being disconnected.",
		"Wait until it is done, then connect the other one.", NULL, false},
	[TROUBLE_BUSY] = {"busy", 429,
		"A synchronisation is running already.",
		"Its progress is shown below.", NULL, false},
	[TROUBLE_COOLDOWN] = {"cooldown", 429,
		"You asked for this less than a minute ago.",
		"Wait a moment, then ask again.", NULL, false},
	[TROUBLE_STATE] = {"state", 400,
		"This sign-in was started elsewhere, took longer than ten minutes, or was used already.",
		"If your calendar is shown as connected below, all is well; otherwise connect it again.",
		NULL, false},
	[TROUBLE_DENIED] = {"access_denied", 403,
		"You, or your organisation, did not allow access to your calendar.",
		"Connect again and accept, or send your administrator the link below.",
		AGAIN, true},
	[TROUBLE_ADMIN] = {"admin_required", 403,
		"Your organisation requires an administrator to approve this application first.",
		"Send your Microsoft 365 administrator the link below, then connect again.",
		AGAIN, true},
	[TROUBLE_NOT_APPROVED] = {"not_approved", 403,
		"This application was not approved for your organisation. Nothing was changed.",
		"Until an administrator approves it, nobody there can connect a calendar.",
		NULL, false},
	[TROUBLE_CODE] = {"code", 400,
		"Microsoft did not accept the sign-in: it was used twice, or it is too old.",
		"Connect again.", AGAIN, false},
	[TROUBLE_SCOPES] = {"scopes", 403,
		"Microsoft did not grant everything needed to keep your calendar up to date.",
		"Connect again and accept all permissions that are listed.",
		AGAIN "?prompt=consent", true},
	[TROUBLE_TENANT] = {"wrong_tenant", 403,
		"This Microsoft account belongs to another organisation.",
		"Connect again, and at Microsoft choose \"Use another account\": your work account.",
		AGAIN "?prompt=select_account", false},
	[TROUBLE_IDENTITY] = {"identity", 400,
		"Microsoft's answer does not belong to this sign-in.",
		"Connect again.", AGAIN, false},
	[TROUBLE_GRAPH] = {"mailbox", 403,
		"Microsoft does not let us read this account.",
		"Check that the account has an Outlook mailbox, then connect again.",
		AGAIN "?prompt=select_account", false},
	[TROUBLE_TAKEN] = {"taken", 409,
		"Somebody else here has connected this Outlook calendar.",
		"Connect with your own account, or let them disconnect it first.",
		AGAIN "?prompt=select_account", false},
	[TROUBLE_CHALLENGED] = {"challenged", 403,
		"Microsoft wants to check this sign-in once more.",
		"Connect again, and answer what Microsoft asks.", AGAIN, false},
	[TROUBLE_MICROSOFT_DOWN] = {"microsoft_unavailable", 502,
		"Microsoft does not answer at the moment.",
		"Try again in a few minutes.", AGAIN, false},
	[TROUBLE_REGISTRATION] = {"registration", 502,
		"Microsoft does not accept this application's own registration.",
		"Tell whoever runs it: its log names the setting.", NULL, false},
	[TROUBLE_OTHER] = {"other", 500,
		"Something went wrong that we have no better words for.",
		"Try again; if it happens twice, tell whoever runs this application.",
		NULL, false},
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
