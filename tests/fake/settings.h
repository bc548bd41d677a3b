/* settings.h - where real Microsoft is undocumented or varies: switches of the control API. */
#ifndef CALRELAY_FAKE_SETTINGS_H
#define CALRELAY_FAKE_SETTINGS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "tests/fake/problem.h"

#define SETTINGS_SEARCH_LAG_MS 1500 /* of a search that is late */

/* What a POST with the transactionId of a deleted event brings. */
enum settings_after_delete {
	SETTINGS_REFUSE, /* ErrorDuplicateTransactionId */
	SETTINGS_FORGET, /* a new event */
	SETTINGS_REPLAY, /* 201 with the deleted event, where the content is the same */
};

struct settings {
	int64_t expires_in_s;
	int64_t duplicate_status; /* 400 or 409 */
	bool names_existing_id;
	enum settings_after_delete after_delete;
	bool shows_deleted;	   /* Graph answers for immutable ids of deleted events */
	bool labels_utc;	   /* all-day times read UTC whatever outlook.timezone says */
	int64_t search_lag_ms;	   /* $filter does not find an event before that age */
	bool keeps_bodies;	   /* see bodies.h */
	bool assertions_once;	   /* a client assertion is good for one request */
	int64_t rate_limit;	   /* per mailbox and 10 minutes; 0: none */
	int64_t concurrency_limit; /* per mailbox; 0: none */
	bool needs_approval;	   /* people may not consent, administrators do it for them */
};

void settings_reset(struct settings *settings);

/* Changes what document names; nothing where any of it is wrong. */
bool settings_read(const cJSON *document, struct settings *settings, struct problem *problem);
void settings_write(const struct settings *settings, struct buf *out);

#endif
