/* row.c - makes mapping rows: one allocation each. */
#include "worker/row.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ROW_TEXTS 7

static const char *const STATES[] = {[ROW_SYNCED] = "synced",
				     [ROW_DELETED] = "deleted",
				     [ROW_FAILED] = "failed",
				     [ROW_HIDDEN] = "hidden"};
static_assert(sizeof STATES / sizeof *STATES == ROW_STATES, "name every state");

const char *row_state_name(enum row_state state)
{
	return STATES[state];
}

enum row_state row_state_of(const char *name)
{
	int state = 0;

	while (state < ROW_STATES && (name == NULL || strcmp(name, STATES[state]) != 0)) {
		state++;
	}
	return (enum row_state)state;
}

/* Every text of a row: the one list of them. */
static int row_texts(struct row_values *values, const char **texts[ROW_TEXTS])
{
	texts[0] = &values->event_id;
	texts[1] = &values->change_key;
	texts[2] = &values->hash;
	texts[3] = &values->applied_pos;
	texts[4] = &values->pending_pos;
	texts[5] = &values->error;
	texts[6] = &values->category;
	return ROW_TEXTS;
}

static size_t text_size(const char *text)
{
	return text != NULL ? strlen(text) + 1 : 0;
}

struct row *row_new(const struct uuid *assignment, const struct row_values *values,
		    uint32_t version)
{
	struct row_values copy = *values;
	const char **texts[ROW_TEXTS];
	int count = row_texts(&copy, texts);
	size_t size = 0;
	struct row *row;
	char *at;

	for (int i = 0; i < count; i++) {
		size += text_size(*texts[i]);
	}
	row = calloc(1, sizeof *row + size);
	if (row == NULL) {
		return NULL;
	}
	at = row->texts;
	for (int i = 0; i < count; i++) {
		size_t length = text_size(*texts[i]);

		if (length > 0) {
			memcpy(at, *texts[i], length);
			*texts[i] = at;
			at += length;
		}
	}
	row->assignment = *assignment;
	row->is = copy;
	row->version = version;
	return row;
}
