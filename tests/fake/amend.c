/* amend.c - makes an answer's JSON say something else than what was done. */
#include "tests/fake/amend.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

static char *amend(cJSON *document, const cJSON *changes)
{
	const cJSON *change;

	cJSON_ArrayForEach(change, changes)
	{
		cJSON_DeleteItemFromObjectCaseSensitive(document, change->string);
		if (!cJSON_IsNull(change)) {
			cJSON_AddItemToObject(document, change->string,
					      cJSON_Duplicate(change, true));
		}
	}
	return cJSON_PrintUnformatted(document);
}

void amend_answer(const char *changes, struct buf *answer)
{
	cJSON *parsed = cJSON_Parse(changes);
	cJSON *document = parsed != NULL ? cJSON_Parse(buf_string(answer)) : NULL;
	char *text = cJSON_IsObject(document) ? amend(document, parsed) : NULL;

	if (text != NULL) {
		buf_reset(answer);
		buf_text(answer, text);
	}
	free(text);
	cJSON_Delete(document);
	cJSON_Delete(parsed);
}
