/* store_rows.c - mapping rows out of the JSON that PostgreSQL makes of them (STORE_ROW). */
#include <string.h>

#include "common/json.h"
#include "worker/run.h"
#include "worker/store.h"
#include "worker/worker.h"

#define STORE_ROWS_MAX_BYTES (32u << 20)

/* [assignment, version, state, incarnation, event id, change key, hash, applied, pending, attempt,
 * dirty, whether that can be settled, behind a sync, category, shares categories] */
static struct row *row_read(const cJSON *array)
{
	const char *assignment = json_item_text(array, 0);
	const char *attempt = json_item_text(array, 9);
	struct row_values values = {
	    .state = row_state_of(json_item_text(array, 2)),
	    .incarnation = (int)cJSON_GetNumberValue(cJSON_GetArrayItem(array, 3)),
	    .event_id = json_item_text(array, 4),
	    .change_key = json_item_text(array, 5),
	    .hash = json_item_text(array, 6),
	    .applied_pos = json_item_text(array, 7),
	    .pending_pos = json_item_text(array, 8),
	    .category = json_item_text(array, 13),
	    .shares_categories = cJSON_IsTrue(cJSON_GetArrayItem(array, 14)),
	    .is_behind = cJSON_IsTrue(cJSON_GetArrayItem(array, 12)),
	    .is_dirty = cJSON_IsTrue(cJSON_GetArrayItem(array, 10)),
	};
	struct uuid id;
	struct row *row;

	if (assignment == NULL || !uuid_parse(assignment, &id) || values.state == ROW_STATES ||
	    (attempt != NULL && !uuid_parse(attempt, &values.attempt))) {
		return NULL;
	}
	row = row_new(&id, &values, (uint32_t)cJSON_GetNumberValue(cJSON_GetArrayItem(array, 1)));
	if (row != NULL) {
		row->is_settleable = cJSON_IsTrue(cJSON_GetArrayItem(array, 11));
	}
	return row;
}

bool store_take_rows(struct run *run, const char *text)
{
	const cJSON *array;
	const cJSON *item;
	bool ok = true;

	if (text == NULL) {
		return true;
	}
	array = json_parse_in(&run->worker->json, text, strlen(text), STORE_ROWS_MAX_BYTES,
			      &run->fault);
	if (array == NULL) {
		return false;
	}
	cJSON_ArrayForEach(item, array)
	{
		struct row *row = row_read(item);

		ok = ok && row != NULL;
		if (row != NULL) {
			run_set_row(run, row);
		}
	}
	return ok || fault_retry(&run->fault, "a mapping row can't be read");
}
