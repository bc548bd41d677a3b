/* amend.c - changes an answer's JSON as a merge patch says. */
#include "tests/fake/amend.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

static void merge(cJSON *target, const cJSON *patch)
{
	for (const cJSON *at = patch->child; at != NULL; at = at->next) {
		cJSON *old = cJSON_GetObjectItemCaseSensitive(target, at->string);

		if (cJSON_IsObject(at) && cJSON_IsObject(old)) {
			merge(old, at);
			continue;
		}
		cJSON_DeleteItemFromObjectCaseSensitive(target, at->string);
		if (!cJSON_IsNull(at)) {
			cJSON_AddItemToObject(target, at->string, cJSON_Duplicate(at, true));
		}
	}
}

void amend_answer(const char *patch, struct buf *answer)
{
	cJSON *changes = cJSON_Parse(patch);
	cJSON *document = changes != NULL ? cJSON_Parse(buf_string(answer)) : NULL;
	char *text = NULL;

	if (cJSON_IsObject(document)) {
		merge(document, changes);
		text = cJSON_PrintUnformatted(document);
	}
	if (text != NULL) {
		buf_reset(answer);
		buf_text(answer, text);
	}
	free(text);
	cJSON_Delete(document);
	cJSON_Delete(changes);
}
