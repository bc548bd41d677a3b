/* draft_json.h - reads an event's JSON by an allow-list of names, types and values. */
#ifndef CALRELAY_FAKE_DRAFT_JSON_H
#define CALRELAY_FAKE_DRAFT_JSON_H

#include <cjson/cJSON.h>

#include "tests/fake/draft.h"

/* Call draft_close also after a refusal. */
bool draft_json_read(const cJSON *body, struct draft *draft, struct problem *problem);

#endif
